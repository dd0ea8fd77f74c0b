internal import Model
internal import S3

/// How URLs of others are used.
enum EdgeURL {
    /// In a row: where a store refuses what has just been signed for it, another signature does not help.
    private static let mostRenewals = 3
    /// Of a URL's time; what is left is for the request that begins last.
    private static let usedShare = 0.75

    /// Tries with another URL while it is the URL that the store does not like.
    ///
    /// - Parameter next: a URL in place of one that was refused, if any was.
    static func renewing<Ticket, Value>(
        _ next: (_ refused: Ticket?) throws(Failure) -> Ticket, use: (Ticket) throws(S3Error) -> Value,
        failure: (S3Error) -> Failure = { Failure($0) }
    ) throws(Failure) -> Value {
        var refused: Ticket?
        var renewals = 0
        while true {
            let ticket = try next(refused)
            do throws(S3Error) {
                return try use(ticket)
            } catch {
                guard error.isOfURL, renewals < mostRenewals else { throw failure(error) }
            }
            refused = ticket
            renewals += 1
        }
    }

    static func goodUntil(asked: Double, seconds: Int) -> Double { asked + Double(max(0, seconds)) * usedShare }
}

extension S3Error {
    /// Whether another URL may do: this one's time is over, or its signature is not accepted.
    fileprivate var isOfURL: Bool {
        switch kind {
        // Stores differ in what they say to a URL whose time is over.
        case .accessDenied, .signatureRefused, .clockSkew, .invalidRequest: true
        case .noSuchKey, .noSuchBucket, .noSuchUpload, .preconditionFailed, .conflict, .slowDown, .notImplemented,
            .server, .transfer, .malformedAnswer, .corrupt, .cancelled:
            false
        }
    }
}
