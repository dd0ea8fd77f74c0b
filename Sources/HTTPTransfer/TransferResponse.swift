internal import CCurl

/// What a server says before the body.
package struct TransferHead: Sendable {
    package var status: Int
    package var headers: [TransferHeader]

    package init(status: Int, headers: [TransferHeader]) { (self.status, self.headers) = (status, headers) }

    package var isSuccess: Bool { (200..<300).contains(status) }

    /// The first of a name, in any case.
    package subscript(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// The body's length, where it is announced.
    package var contentLength: Int64? { self["Content-Length"].flatMap { Int64($0) } }

    /// When the server answered, by its own clock, in seconds since 1970. Source: RFC 9110 §6.6.1.
    package var date: Int64? {
        guard let text = self["Date"] else { return nil }
        let seconds = curl_getdate(text, nil)
        return seconds < 0 ? nil : Int64(seconds)
    }

    /// Where a part belongs. Source: RFC 9110 §14.4.
    package var contentRange: ContentRange? { self["Content-Range"].flatMap { ContentRange($0) } }

    /// How long to wait before asking again. The form with a date is hardly used. Source: RFC 9110 §10.2.3.
    package var retryAfterSeconds: Double? {
        self["Retry-After"].flatMap { Double($0) }.flatMap { $0.isFinite && $0 >= 0 ? $0 : nil }
    }
}

/// Which bytes of an object an answer has.
package struct ContentRange: Sendable, Hashable {
    /// Both ends are of it.
    package var offsets: ClosedRange<Int64>
    /// The whole object's, where the server says.
    package var sizeBytes: Int64?

    /// "bytes 0-99/1234", or "bytes 0-99/*".
    init?(_ text: String) {
        guard let match = text.wholeMatch(of: /bytes (\d+)-(\d+)\/(\d+|\*)/), let first = Int64(match.1),
            let last = Int64(match.2), first <= last, last < .max
        else { return nil }
        (offsets, sizeBytes) = (first...last, Int64(match.3))
    }
}

/// An answer, whole.
package struct TransferResponse: Sendable {
    package var head: TransferHead
    /// Where it came from in the end, after redirects.
    package var address: WebAddress
    /// What was collected of a success, or the explanation of anything else.
    package var body: [UInt8]
    package var timing: TransferTiming

    package var status: Int { head.status }

    /// - Throws: `.status` unless it is a success.
    package func requireSuccess() throws(TransferError) {
        guard !head.isSuccess else { return }
        throw TransferError(
            .status(head.status), "\(address.shown) answered with status \(head.status)",
            detail: body.isEmpty ? nil : String(decoding: body.prefix(500), as: UTF8.self))
    }
}

/// How long what took, in seconds from the beginning, and how much was moved. Of the last request after redirects.
package struct TransferTiming: Sendable {
    /// Until the connection stood; 0 when an older one was used.
    package var connectSeconds = 0.0
    /// Until the first byte of the answer.
    package var firstByteSeconds = 0.0
    package var totalSeconds = 0.0
    /// Of bodies.
    package var bytesReceived: Int64 = 0
    package var bytesSent: Int64 = 0
    package var usedOlderConnection = false
    var hasConnected = false

    package init() {}
}
