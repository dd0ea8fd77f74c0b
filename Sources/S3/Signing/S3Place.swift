/// An object, or a bucket when it has no key.
package struct S3Place: Sendable, Hashable {
    /// Of UTF-8. Source: AWS, "Naming Amazon S3 objects".
    package static let longestKey = 1024

    package var bucket: String
    /// As it is, not encoded.
    package var key: String

    package init(bucket: String, key: String = "") { (self.bucket, self.key) = (bucket, key) }

    /// Reads `s3://bucket/key`. The key is everything behind the slash, just as it stands: `%` and `?` are a part of it.
    ///
    /// - Returns: `nil` for what is no such name, or cannot be one of an object or a bucket.
    package init?(uri: String) {
        guard uri.hasPrefix("s3://") else { return nil }
        let name = uri.utf8.dropFirst("s3://".utf8.count)
        let slash = name.firstIndex(of: UInt8(ascii: "/")) ?? name.endIndex
        guard let bucket = String(name[..<slash]), let key = String(name[slash...].dropFirst()),
            Self.isBucket(bucket), key.utf8.count <= Self.longestKey, !key.utf8.contains(0)
        else { return nil }
        self.init(bucket: bucket, key: key)
    }

    package var uri: String { "s3://\(bucket)/\(key)" }

    /// Whether stores would take it. Source: AWS, "General purpose bucket naming rules", the older ones.
    package static func isBucket(_ name: String) -> Bool {
        (3...255).contains(name.utf8.count) && name != ".." && !name.hasPrefix(".")
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}

extension S3Place: CustomStringConvertible {
    package var description: String { uri }
}
