internal import Crypto
internal import Model
package import WorkerCore

/// Names that always give the same job, so that a message that comes twice is one job.
package enum JobIdentity {
    /// A version 5 UUID (RFC 9562, 5.5) of the door, the queue and the sender's own id.
    package static func job(_ ingress: Ingress, queue: String, foreignID: String) -> JobID {
        uuid(of: "\(ingress.rawValue)\n\(queue)\n\(foreignID)")
    }

    /// What `NewJob.idempotencyKey` is for a foreign id.
    package static func key(queue: String, foreignID: String) -> String { "\(queue)\n\(foreignID)" }

    /// 6428060c-6084-5fb8-af67-24e448afd206, a namespace of Reelpool's own.
    private static let namespace: [UInt8] = [
        0x64, 0x28, 0x06, 0x0C, 0x60, 0x84, 0x5F, 0xB8, 0xAF, 0x67, 0x24, 0xE4, 0x48, 0xAF, 0xD2, 0x06,
    ]

    static func uuid(of name: String) -> JobID {
        var hash = Insecure.SHA1()
        hash.update(data: namespace)
        hash.update(data: Array(name.utf8))
        var bytes = Array(hash.finalize().prefix(16))
        bytes[6] = bytes[6] & 0x0F | 0x50
        bytes[8] = bytes[8] & 0x3F | 0x80
        let parts = [0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map { Hexadecimal.text(bytes[$0]) }
        let text = parts.joined(separator: "-")
        guard let id = JobID(text) else { preconditionFailure("not a UUID: \(text)") }
        return id
    }
}
