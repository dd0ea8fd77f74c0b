package import Model
package import S3

/// Which objects an owner's tasks may name: pure decisions.
package struct ObjectRules: Sendable, Equatable {
    /// `bucket/folder`, with `{owner}` anywhere in the folder: what is in it, at any depth. `bucket` alone is all of it.
    package struct Pattern: Sendable, Equatable {
        private let bucket: String
        /// With a slash at its end, or empty.
        private let folder: String

        /// - Parameter buckets: what `{raw}` and the like stand for.
        /// - Returns: `nil` for what is no pattern.
        package init?(_ text: String, buckets: [String: String] = [:]) {
            var text = text
            for (name, bucket) in buckets {
                text = text.split(separator: "{\(name)}", omittingEmptySubsequences: false).joined(separator: bucket)
            }
            let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let bucket = parts.first, S3Place.isBucket(bucket) else { return nil }
            let folder = parts.count > 1 ? parts[1] : ""
            let pieces = folder.split(separator: ObjectRules.owner, omittingEmptySubsequences: false)
            guard !pieces.contains(where: { $0.contains("{") || $0.contains("}") }),
                ObjectRules.isPlain(folder.hasSuffix("/") ? String(folder.dropLast()) : folder)
            else { return nil }
            self.bucket = bucket
            self.folder = folder.isEmpty || folder.hasSuffix("/") ? folder : "\(folder)/"
        }

        func allows(_ place: S3Place, owner: String) -> Bool {
            guard place.bucket == bucket else { return false }
            var own = folder
            if folder.contains(ObjectRules.owner) {
                guard ObjectRules.isName(owner) else { return false }
                own = folder.split(separator: ObjectRules.owner, omittingEmptySubsequences: false)
                    .joined(separator: owner)
            }
            // By bytes: two spellings of a letter are two names. The folder itself stands for what is written into it.
            return place.key.utf8.starts(with: own.utf8) || "\(place.key)/".utf8.elementsEqual(own.utf8)
        }
    }

    private static let owner = "{owner}"

    private let read: [Pattern]
    private let write: [Pattern]

    package init(read: [Pattern], write: [Pattern]) { (self.read, self.write) = (read, write) }

    package func source(_ uri: String, owner: String) throws(Failure) -> S3Place {
        try place(uri, owner, read)
    }

    /// An object, or the folder that objects are written into.
    package func output(_ uri: String, owner: String) throws(Failure) -> S3Place {
        try place(uri, owner, write)
    }

    private func place(_ uri: String, _ owner: String, _ patterns: [Pattern]) throws(Failure) -> S3Place {
        guard let place = S3Place(uri: uri), Self.isPlain(place.key), !place.key.isEmpty,
            patterns.contains(where: { $0.allows(place, owner: owner) })
        else { throw Self.refusal(uri) }
        return place
    }

    /// The same for all reasons, and whether or not anything is there: it tells nothing.
    package static func refusal(_ uri: String) -> Failure {
        Failure(code: .sourceNotAllowed, message: "\(uri) is not where tasks may read or write")
    }

    /// To a store a key is only a name; to one that keeps its objects as files, dots lead elsewhere.
    private static func isPlain(_ key: String) -> Bool {
        let parts = key.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map(Array.init)
        let dots = [UInt8(ascii: "."), UInt8(ascii: ".")]
        return !parts.contains { $0.elementsEqual(dots) || $0.elementsEqual(dots.dropLast()) }
            && !key.utf8.contains { $0 < 0x20 || $0 == 0x7F || $0 == UInt8(ascii: "\\") }
    }

    /// Whether an owner's name stays where it is put.
    static func isName(_ owner: String) -> Bool {
        !owner.isEmpty && owner.utf8.count <= 256 && isPlain(owner)
            && !owner.utf8.contains { [UInt8(ascii: "/"), UInt8(ascii: "{"), UInt8(ascii: "}")].contains($0) }
            && owner.utf8.contains { $0 != UInt8(ascii: ".") }
    }
}
