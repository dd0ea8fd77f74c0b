package import HTTPTransfer
package import Model

/// A store did not do what it was asked.
///
/// The message is for the owner of the work; `detail` is the store's own code and words.
package struct S3Error: ClassifiedError, Equatable {
    package enum Kind: Sendable, Equatable {
        case noSuchKey
        case noSuchBucket
        /// Aborted, completed, or never begun.
        case noSuchUpload
        /// Keys that are unknown, have expired, or may not do this.
        case accessDenied
        /// The secret key or the region is wrong, or something on the way changes requests.
        case signatureRefused
        /// The clocks differ too much, and learning the store's time did not help.
        case clockSkew
        /// Another object is there than was expected, or there is one and none was.
        case preconditionFailed
        /// Something else happens to the object or the bucket at this moment, or it exists already.
        case conflict
        case slowDown
        /// The store does not know how.
        case notImplemented
        case invalidRequest
        /// The store has failed.
        case server
        /// There was no answer, or none that was whole.
        case transfer(TransferError.Kind)
        /// There was one that is not of S3.
        case malformedAnswer
        /// Bytes changed on the way, by the store's checksum or ours.
        case corrupt
        /// By `TransferStop`.
        case cancelled
    }

    package let kind: Kind
    package let message: String
    package let detail: String?
    /// The store's own name of the reason, such as `NoSuchKey`, where it gave one.
    package let serverCode: String?
    /// Which region the store would have a request signed for, where it said so.
    package let serverRegion: String?

    package init(
        _ kind: Kind, _ message: String, detail: String? = nil, serverCode: String? = nil, serverRegion: String? = nil
    ) {
        (self.kind, self.message, self.detail) = (kind, message, detail)
        (self.serverCode, self.serverRegion) = (serverCode, serverRegion)
    }

    package var code: FailureCode {
        switch kind {
        case .noSuchKey: .fileNotFound
        case .noSuchBucket, .accessDenied, .signatureRefused, .clockSkew: .storageRefused
        case .preconditionFailed: .sourceChanged
        case .cancelled: .cancelled
        case .noSuchUpload, .conflict, .slowDown, .notImplemented, .invalidRequest, .server, .transfer,
            .malformedAnswer, .corrupt:
            .transferFailed
        }
    }

    static let cancelled = S3Error(.cancelled, "the transfer was stopped")
}

extension S3Error {
    /// A transfer that brought no answer at all.
    init(_ error: TransferError, _ place: S3Place) {
        if error.kind == .cancelled {
            self = .cancelled
            return
        }
        // The words name the host, which is the operator's affair and not the owner's.
        let words = [error.message, error.detail].compactMap(\.self).joined(separator: ": ")
        self.init(.transfer(error.kind), "\(place): \(Self.words(error.kind))", detail: words)
    }

    private static func words(_ kind: TransferError.Kind) -> String {
        switch kind {
        case .invalidAddress, .refusedAddress, .unresolved, .unreachable: "the store cannot be reached"
        case .tls: "the store cannot be trusted"
        case .timedOut, .stalled: "the store takes too long"
        case .reset, .truncated: "the store broke off the connection"
        case .protocolViolation, .tooManyRedirects, .tooLarge, .status: "the store does not answer as it should"
        case .cancelled, .handler, .library: "the transfer failed"
        }
    }
}
