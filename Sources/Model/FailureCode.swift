/// Why work did not complete. Stable: stored, counted in metrics, shown to operators.
package enum FailureCategory: String, Sendable, Codable, CaseIterable {
    /// Broken media or a broken request.
    case invalidInput
    /// Sound media that cannot be read or written here: no decoder, a refused format.
    case unsupportedMedia
    /// Too large, too long, too many: a cap was met.
    case limitExceeded
    /// The owner cannot pay; no work was started.
    case insufficientCredit
    /// Stopped by its owner.
    case cancelled
    /// Stopped by a drain or a lost lease; runs again.
    case interrupted
    /// A disk, store or server did not do its part.
    case dependencyUnavailable
    /// The process doing the work died.
    case crashed
    /// A fault of ours.
    case internalFault

    /// The exit status of a command that failed so; `docs/errors.md` lists them.
    package var exitStatus: Int32 {
        switch self {
        case .invalidInput: 65
        case .unsupportedMedia: 69
        case .limitExceeded: 71
        case .insufficientCredit: 72
        case .dependencyUnavailable: 74
        case .interrupted: 75
        case .crashed: 76
        case .internalFault: 70
        case .cancelled: 130
        }
    }
}

/// The stable name of one kind of failure. Callers switch on it; messages may change, codes do not.
package enum FailureCode: String, Sendable, Codable, CaseIterable {
    case fileNotFound = "file_not_found"
    case notAFile = "not_a_file"
    case notReadable = "not_readable"
    case emptyFile = "empty_file"
    case notMedia = "not_media"
    case truncated = "truncated"
    case damagedMedia = "damaged_media"
    case noStreams = "no_streams"
    case invalidJSON = "invalid_json"
    case invalidEdit = "invalid_edit"
    case unknownField = "unknown_field"
    case unknownSource = "unknown_source"
    case rangeReversed = "range_reversed"
    case rangeOutOfBounds = "range_out_of_bounds"
    case editKeepsNothing = "edit_keeps_nothing"
    case outputIsSource = "output_is_source"
    case fixtureMismatch = "fixture_mismatch"
    case invalidTask = "invalid_task"
    case unknownTask = "unknown_task"
    case sourceNotAllowed = "source_not_allowed"
    /// Something else stands where a source was when the work began.
    case sourceChanged = "source_changed"
    /// A URL that was good for some time, and is no more.
    case urlExpired = "url_expired"
    /// An upload whose id is not one of this pool's, or that the store knows no more.
    case unknownUpload = "unknown_upload"
    /// What was uploaded is not what was announced, or not there yet.
    case uploadMismatch = "upload_mismatch"
    /// An amount of credit that is none: no number, of the wrong sign, or beyond all bounds; or an owner or key that is
    /// empty or too long.
    case invalidEntry = "invalid_entry"
    /// Another movement of credit has this key.
    case keyTaken = "key_taken"
    /// There is no such entry, or it is of a sort that is not reversed.
    case notReversible = "not_reversible"
    /// More is to be reversed than is left of the entry.
    case exceedsEntry = "exceeds_entry"
    case unknownOwner = "unknown_owner"
    /// Some of the owner's jobs have not ended.
    case ownerBusy = "owner_busy"
    /// A message that is not signed by whom it should be from, or not now.
    case invalidSignature = "invalid_signature"
    /// What was paid for has no place among the configured prices.
    case unknownPrice = "unknown_price"

    case formatNotAllowed = "format_not_allowed"
    case noDecoder = "no_decoder"
    case noEncoder = "no_encoder"
    case encryptedMedia = "encrypted_media"
    case codecNotInContainer = "codec_not_in_container"
    /// Captions name a font that is not installed.
    case noFont = "no_font"

    case tooManyPixels = "too_many_pixels"
    case tooManyStreams = "too_many_streams"
    case outOfMemory = "out_of_memory"
    case memoryLimit = "memory_limit"
    case wallTimeLimit = "wall_time_limit"
    case noProgress = "no_progress"
    case outputTooLarge = "output_too_large"
    case sourceTooLong = "source_too_long"
    case sourceTooLarge = "source_too_large"
    case queueFull = "queue_full"
    case expired = "expired"

    case insufficientCredit = "insufficient_credit"

    case cancelled = "cancelled"
    case drained = "drained"
    case leaseLost = "lease_lost"
    case crashed = "crashed"
    case workerLost = "worker_lost"

    case outputNotWritable = "output_not_writable"
    case diskFull = "disk_full"
    case readFailed = "read_failed"
    case storeUnavailable = "store_unavailable"
    /// The database is there, and this role may not do that in it.
    case storeForbidden = "store_forbidden"
    /// The port of the interface cannot be listened on.
    case listenFailed = "listen_failed"
    case brokerUnavailable = "broker_unavailable"
    case cacheUnavailable = "cache_unavailable"
    case transferFailed = "transfer_failed"
    /// The object store is there and says no: keys, permissions, a bucket's name, a clock.
    case storageRefused = "storage_refused"

    case internalFault = "internal_fault"
    case sandboxViolation = "sandbox_violation"
    case sandboxUnavailable = "sandbox_unavailable"

    package var category: FailureCategory {
        switch self {
        case .fileNotFound, .notAFile, .notReadable, .emptyFile, .notMedia, .truncated, .damagedMedia, .noStreams,
            .invalidJSON, .invalidEdit, .unknownField, .unknownSource, .rangeReversed, .rangeOutOfBounds,
            .editKeepsNothing, .outputIsSource, .fixtureMismatch, .invalidTask, .unknownTask, .sourceNotAllowed,
            .sourceChanged, .urlExpired, .unknownUpload, .uploadMismatch,
            .invalidEntry, .keyTaken, .notReversible, .exceedsEntry, .unknownOwner, .ownerBusy, .invalidSignature,
            .unknownPrice:
            .invalidInput
        case .formatNotAllowed, .noDecoder, .noEncoder, .encryptedMedia, .codecNotInContainer, .noFont:
            .unsupportedMedia
        case .tooManyPixels, .tooManyStreams, .outOfMemory, .memoryLimit, .wallTimeLimit, .noProgress,
            .outputTooLarge, .sourceTooLong, .sourceTooLarge, .queueFull, .expired:
            .limitExceeded
        case .insufficientCredit:
            .insufficientCredit
        case .cancelled:
            .cancelled
        case .drained, .leaseLost:
            .interrupted
        case .crashed, .workerLost:
            .crashed
        case .outputNotWritable, .diskFull, .readFailed, .storeUnavailable, .brokerUnavailable, .cacheUnavailable,
            .listenFailed, .transferFailed, .storageRefused, .storeForbidden:
            .dependencyUnavailable
        case .internalFault, .sandboxViolation, .sandboxUnavailable:
            .internalFault
        }
    }
}

/// An error whose kind is known: every error that leaves a module of Reelpool.
package protocol ClassifiedError: Error, Sendable {
    var code: FailureCode { get }
    /// One sentence that is safe to show to the owner of the work.
    var message: String { get }
    /// What an operator may want besides: a library's own last words. Never shown to owners.
    var detail: String? { get }
}

extension ClassifiedError {
    package var detail: String? { nil }
    package var category: FailureCategory { code.category }
}

/// A failure as a value: what is printed, stored and sent.
package struct Failure: Codable, Sendable, Equatable, ClassifiedError {
    package let code: FailureCode
    package let message: String
    package let detail: String?

    package init(code: FailureCode, message: String, detail: String? = nil) {
        (self.code, self.message, self.detail) = (code, message, detail)
    }

    /// The one place where any error becomes a failure; what is not classified is our fault.
    package init(_ error: any Error) {
        if let classified = error as? any ClassifiedError {
            self.init(code: classified.code, message: classified.message, detail: classified.detail)
        } else if error is CancellationError {
            self.init(code: .cancelled, message: "the work was cancelled")
        } else {
            self.init(code: .internalFault, message: "an unexpected error", detail: String(describing: error))
        }
    }

    private enum CodingKeys: String, CodingKey { case code, category, message, detail }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        code = try container.decode(FailureCode.self, forKey: .code)
        message = try container.decode(String.self, forKey: .message)
        detail = try container.decodeIfPresent(String.self, forKey: .detail)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(code, forKey: .code)
        try container.encode(category, forKey: .category)
        try container.encode(message, forKey: .message)
        try container.encodeIfPresent(detail, forKey: .detail)
    }
}
