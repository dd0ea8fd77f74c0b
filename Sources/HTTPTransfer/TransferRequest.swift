/// One line of a header.
package struct TransferHeader: Sendable, Hashable {
    package var name: String
    package var value: String
    package init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
}

/// What is asked of a server.
package struct TransferRequest: Sendable {
    package static let mostRedirects = 5

    package var method: String
    package var address: WebAddress
    package var headers: [TransferHeader]
    package var limits = TransferLimits()
    /// Redirects to follow, at most `mostRedirects`. Each is checked as the first address was, and one to another
    /// origin loses every header but those that say what is wanted.
    package var redirects = 0
    /// Whether no kept connection will do. libcurl sends a request again by itself, of any method, when a kept one turns
    /// out to be closed; the server may have heard it the first time, and nobody would know.
    package var wantsNewConnection = false

    package init(_ method: String = "GET", _ address: WebAddress, headers: [TransferHeader] = []) {
        (self.method, self.address, self.headers) = (method, address, headers)
    }
}

/// How long a transfer may take. What is `nil` has no limit.
package struct TransferLimits: Sendable {
    /// Name, connection and TLS together.
    package var connectSeconds: Double = 10
    /// Everything, redirects included.
    package var totalSeconds: Double?
    /// Slower than so many bytes a second ...
    package var slowBytesPerSecond = 1
    /// ... for so long is stalled; whole seconds. A server that does not begin to answer is that slow, too.
    package var slowSeconds = 30

    package init() {}
}

/// What is sent along.
package enum TransferBody {
    /// Fills as much of the buffer as it likes, from an offset on. Called on the thread of the transfer; may block.
    /// Blocking is not noticed by the limits of time until it ends.
    package typealias Pull = (_ into: UnsafeMutableRawBufferPointer, _ offset: Int64) throws -> Int

    case none
    case bytes([UInt8])
    /// - `isRepeatable`: whether earlier offsets may be asked for again. Without it a connection that turns out to be
    ///   closed by the server, and a redirect, are failures.
    case pull(length: Int64, isRepeatable: Bool, Pull)
}

/// What becomes of the body of a success. Other bodies are kept aside, up to `TransferSink.problemBytes`.
///
/// Both functions are called on the thread of the transfer, and may block or throw, which ends it.
package struct TransferSink {
    /// Of an answer that is no success: an explanation, for `TransferResponse.body`.
    package static let problemBytes = 64 << 10

    /// Once, before the first byte; also when there is none.
    package var begin: (TransferHead) throws -> Void
    package var take: (UnsafeRawBufferPointer) throws -> Void
    fileprivate var collected: Collected?

    package init(
        begin: @escaping (TransferHead) throws -> Void = { _ in },
        take: @escaping (UnsafeRawBufferPointer) throws -> Void
    ) {
        (self.begin, self.take) = (begin, take)
    }

    fileprivate final class Collected {
        var bytes: [UInt8] = []
    }

    /// Into `TransferResponse.body`; a larger one is `.tooLarge`.
    package static func collect(upTo limit: Int) -> TransferSink {
        let collected = Collected()
        var sink = TransferSink { bytes in
            guard bytes.count <= limit - collected.bytes.count else {
                throw TransferError(.tooLarge, "the answer has more than \(limit) bytes")
            }
            collected.bytes.append(contentsOf: bytes)
        }
        sink.collected = collected
        return sink
    }

    /// What `collect` has, once.
    func takeCollected() -> [UInt8] {
        defer { collected?.bytes = [] }
        return collected?.bytes ?? []
    }
}
