package import Model

/// A transfer did not come about, or broke off.
package struct TransferError: ClassifiedError, Equatable {
    package enum Kind: Sendable, Equatable {
        /// No URL, or neither http nor https.
        case invalidAddress
        /// Where the URL leads must not be connected to.
        case refusedAddress
        case unresolved
        case unreachable
        case tls
        /// The whole took longer than allowed, or no connection came about in its time.
        case timedOut
        /// Nothing, or next to nothing, moved for too long.
        case stalled
        /// The connection ended in the middle.
        case reset
        /// The body ended before the length that was announced.
        case truncated
        /// What came is not HTTP, or not what was asked for.
        case protocolViolation
        case tooManyRedirects
        /// The answer is larger than allowed.
        case tooLarge
        /// The server refused, by its status.
        case status(Int)
        /// By `TransferStop`.
        case cancelled
        /// Who supplied or took the bytes failed; the code and the words are its own.
        case handler(FailureCode)
        /// libcurl failed for a reason of its own.
        case library

        /// Whether a connection did not come about or broke, so that the same again may go well.
        package var isOfConnection: Bool {
            switch self {
            case .unresolved, .unreachable, .timedOut, .stalled, .reset, .truncated: true
            case .invalidAddress, .refusedAddress, .tls, .protocolViolation, .tooManyRedirects, .tooLarge, .status,
                .cancelled, .handler, .library:
                false
            }
        }
    }

    package let kind: Kind
    package let message: String
    package let detail: String?

    package init(_ kind: Kind, _ message: String, detail: String? = nil) {
        (self.kind, self.message, self.detail) = (kind, message, detail)
    }

    /// Whether the same again may go well a moment later: a connection broke, or the server says that it is its own state.
    package var mayPass: Bool {
        if case .status = kind { return code == .transferFailed }
        return kind.isOfConnection
    }

    package var code: FailureCode {
        switch kind {
        case .invalidAddress: .invalidTask
        case .refusedAddress: .sourceNotAllowed
        case .unresolved, .unreachable, .tls, .timedOut, .stalled, .reset, .truncated, .protocolViolation:
            .transferFailed
        case .tooManyRedirects: .notReadable
        case .tooLarge: .sourceTooLarge
        case .status(let status): Self.code(ofStatus: status)
        case .cancelled: .cancelled
        case .handler(let code): code
        case .library: .internalFault
        }
    }

    /// Source: RFC 9110 §15.
    private static func code(ofStatus status: Int) -> FailureCode {
        switch status {
        case 404, 410: .fileNotFound
        case 408, 425, 429, 500...: .transferFailed
        default: .notReadable
        }
    }

    /// What a consumer's or a supplier's own error becomes.
    static func handler(_ error: any Error) -> TransferError {
        if let error = error as? TransferError { return error }
        let failure = Failure(error)
        return TransferError(.handler(failure.code), failure.message, detail: failure.detail)
    }
}
