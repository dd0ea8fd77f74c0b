internal import Crypto
internal import Model

/// A name and a value: of a query or of a header, not encoded.
package typealias S3Field = (name: String, value: String)

/// A request as it is signed.
package struct S3Request: Sendable {
    package var method: String
    package var place: S3Place
    package var query: [S3Field]
    /// Those that are to be signed besides what the signer adds.
    package var headers: [S3Field]

    package init(_ method: String, _ place: S3Place, query: [S3Field] = [], headers: [S3Field] = []) {
        (self.method, self.place, self.query, self.headers) = (method, place, query, headers)
    }
}

/// What the signature says about the body.
package enum S3Payload: Sendable, Equatable {
    case none
    /// Lower-case hexadecimal SHA-256.
    case hashed(String)
    /// Not covered: the transport and the object's own checksum have to do.
    case unsigned

    package static func of(_ bytes: [UInt8]) -> S3Payload { .hashed(Hexadecimal.text(SHA256.hash(data: bytes))) }

    static func of(_ bytes: UnsafeRawBufferPointer) -> S3Payload {
        .hashed(Hexadecimal.text(SHA256.hash(data: bytes)))
    }

    var text: String {
        switch self {
        case .none: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        case .hashed(let hash): hash
        case .unsigned: "UNSIGNED-PAYLOAD"
        }
    }
}
