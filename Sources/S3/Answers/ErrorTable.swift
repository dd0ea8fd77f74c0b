internal import HTTPTransfer

/// What a store's refusals mean.
///
/// Source: AWS, "Error responses", Amazon S3 API Reference; codes of other stores where they have their own.
enum ErrorTable {
    /// - Parameters:
    ///   - code: of the answer's body; without one, as in every answer to HEAD, the status has to do.
    ///   - isAboutBucket: nothing smaller than a bucket was asked for.
    static func kind(code: String?, status: Int, isAboutBucket: Bool) -> S3Error.Kind {
        if let code, let kind = kinds[code] { return kind }
        switch status {
        case 300..<400: return .signatureRefused
        case 401, 403: return .accessDenied
        case 404: return isAboutBucket ? .noSuchBucket : .noSuchKey
        case 408: return .transfer(.timedOut)
        case 409: return .conflict
        case 412: return .preconditionFailed
        case 429, 503: return .slowDown
        case 501: return .notImplemented
        case 500...: return .server
        default: return .invalidRequest
        }
    }

    private static let kinds: [String: S3Error.Kind] = {
        var kinds: [String: S3Error.Kind] = [:]
        for (kind, codes) in table { for code in codes { kinds[code] = kind } }
        return kinds
    }()

    private static let table: [(S3Error.Kind, [String])] = [
        (.noSuchKey, ["NoSuchKey", "NoSuchVersion"]),
        (.noSuchBucket, ["NoSuchBucket"]),
        (.noSuchUpload, ["NoSuchUpload"]),
        (
            .accessDenied,
            [
                "AccessDenied", "AccountProblem", "AllAccessDisabled", "ExpiredToken", "InvalidAccessKeyId",
                "InvalidSecurity", "InvalidToken", "NotSignedUp", "TokenRefreshRequired", "Unauthorized",
            ]
        ),
        (
            .signatureRefused,
            [
                "AuthorizationHeaderMalformed", "AuthorizationQueryParametersError",
                "IllegalLocationConstraintException", "InvalidRegionName", "PermanentRedirect",
                "SignatureDoesNotMatch", "TemporaryRedirect",
            ]
        ),
        (.clockSkew, ["RequestTimeTooSkewed", "RequestExpired", "RequestNotReadyYet"]),
        (.preconditionFailed, ["PreconditionFailed"]),
        (
            .conflict,
            [
                "BucketAlreadyExists", "BucketAlreadyOwnedByYou", "BucketNotEmpty", "ConditionalRequestConflict",
                "OperationAborted",
            ]
        ),
        (
            .slowDown,
            [
                "Busy", "RequestLimitExceeded", "ServiceUnavailable", "SlowDown", "SlowDownRead", "SlowDownWrite",
                "Throttling", "ThrottlingException", "TooManyRequests",
            ]
        ),
        // Also in answers that are a success by their status.
        (
            .invalidRequest,
            [
                "EntityTooLarge", "EntityTooSmall", "InvalidArgument", "InvalidPart", "InvalidPartOrder",
                "InvalidRequest", "MalformedXML",
            ]
        ),
        (.notImplemented, ["NotImplemented", "XNotImplemented"]),
        (.server, ["InternalError", "InternalServerError"]),
        (.transfer(.timedOut), ["RequestTimeout"]),
        (.transfer(.truncated), ["IncompleteBody"]),
        (
            .corrupt,
            ["BadDigest", "ContentSHA256Mismatch", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch"]
        ),
    ]

    /// Whether the same again may go well.
    static func isTransient(_ kind: S3Error.Kind, code: String?) -> Bool {
        switch kind {
        case .slowDown, .server, .corrupt, .malformedAnswer: true
        case .conflict: code == "ConditionalRequestConflict" || code == "OperationAborted"
        case .transfer(let kind):
            // A store is known to speak both: what it says amiss was garbled on the way.
            kind.isOfConnection || kind == .tls || kind == .protocolViolation
        case .noSuchKey, .noSuchBucket, .noSuchUpload, .accessDenied, .signatureRefused, .clockSkew,
            .preconditionFailed, .notImplemented, .invalidRequest, .cancelled:
            false
        }
    }

    /// What its owner and its operator are told.
    static func words(_ kind: S3Error.Kind) -> String {
        switch kind {
        case .noSuchKey: "there is no such object"
        case .noSuchBucket: "there is no such bucket"
        case .noSuchUpload: "there is no such upload"
        case .accessDenied: "the store does not allow it: see the access key and its permissions"
        case .signatureRefused:
            "the store does not accept the signature: see the secret key, the region and the address"
        case .clockSkew: "the store's clock and this machine's differ too much"
        case .preconditionFailed: "another object is there than was expected"
        case .conflict: "something else happens there at the same time, or it exists already"
        case .slowDown: "the store has too much to do"
        case .notImplemented: "the store does not know how"
        case .invalidRequest: "the store does not accept the request"
        case .server: "the store has failed"
        case .transfer: "the store broke off the connection"
        case .malformedAnswer: "the store does not answer as it should"
        case .corrupt: "bytes changed on the way to the store"
        case .cancelled: "the transfer was stopped"
        }
    }
}
