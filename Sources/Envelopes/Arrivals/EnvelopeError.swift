package import Model
package import WorkerCore

/// Why a message is no job.
package struct EnvelopeError: ClassifiedError, Equatable {
    /// Stable: stored with the message in the quarantine, counted in metrics.
    package enum Reason: String, Sendable, CaseIterable {
        case tooLarge = "too_large"
        case notJSON = "not_json"
        case tooDeep = "too_deep"
        /// Nothing tells in which dialect it is written.
        case unknownDialect = "unknown_dialect"
        /// Of the dialect, or of its serializer.
        case unsupportedVersion = "unsupported_version"
        case unknownField = "unknown_field"
        case missingField = "missing_field"
        case invalidField = "invalid_field"
        case unknownTask = "unknown_task"
        /// Positional arguments that no rule names.
        case unknownArguments = "unknown_arguments"
        case missingOwner = "missing_owner"
        /// Celery's callbacks, chains and chords: ignoring them would lose work.
        case canvasNotSupported = "canvas_not_supported"
    }

    package let reason: Reason
    package let message: String
    /// How to tell the sender, where that much could be read.
    package var reply: JobReply?

    package init(_ reason: Reason, _ message: String) { (self.reason, self.message, reply) = (reason, message, nil) }

    package static func invalid(_ path: String, _ problem: String) -> EnvelopeError {
        EnvelopeError(.invalidField, "\(path) \(problem)")
    }

    package var code: FailureCode {
        switch reason {
        case .notJSON, .tooDeep: .invalidJSON
        case .unknownField: .unknownField
        case .unknownTask: .unknownTask
        case .tooLarge, .unknownDialect, .unsupportedVersion, .missingField, .invalidField, .unknownArguments,
            .missingOwner, .canvasNotSupported:
            .invalidTask
        }
    }

    package var quarantineReason: QuarantineReason { QuarantineReason(code: reason.rawValue, detail: message) }

    func answering(_ reply: JobReply?) -> EnvelopeError {
        var error = self
        error.reply = reply
        return error
    }
}
