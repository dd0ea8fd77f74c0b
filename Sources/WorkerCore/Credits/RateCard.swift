package import Model

/// What work costs, per kind of job.
///
/// A card has a version, and a job keeps what it was quoted: a new card changes nothing for jobs that are under way.
package struct RateCard: Sendable, Equatable {
    /// Which part of a minute counts.
    package enum Minutes: String, Sendable, Codable, CaseIterable {
        /// A minute that has begun is a minute.
        case started
        /// To the millisecond; what comes out is rounded up to the next millionth of a credit.
        case measured
    }

    package enum Price: Sendable, Equatable {
        case perJob(MicroCredits)
        /// A class without a price is not to be had. No job of the kind costs less than `least`.
        case perMinute([ResolutionClass: MicroCredits], minutes: Minutes, least: MicroCredits)
    }

    /// Goes up with every change.
    package var version: Int64
    package var prices: [JobKind: Price]

    package init(version: Int64, prices: [JobKind: Price]) { (self.version, self.prices) = (version, prices) }

    /// Whether the price of this kind depends on what is in the media.
    package func needsBound(_ kind: JobKind) -> Bool {
        if case .perMinute = prices[kind] { true } else { false }
    }

    /// What a job takes from its owner's credit before it starts: the price of all that it may come to, nothing on top.
    ///
    /// - Parameter bound: not needed for what is priced by the job.
    package func quote(_ kind: JobKind, _ bound: MediaBound?) throws(RateCardError) -> Quote {
        switch prices[kind] {
        case nil: throw .unpriced(kind: kind, resolution: nil)
        case .perJob(let amount):
            return Quote(amount: amount, rate: QuotedRate(version: version, price: .perJob(amount)))
        case .perMinute(let amounts, let minutes, let least):
            guard let bound else { throw .unbounded(kind: kind) }
            guard let perMinute = amounts[bound.resolution] else {
                throw .unpriced(kind: kind, resolution: bound.resolution)
            }
            let rate = QuotedRate(
                version: version,
                price: .perMinute(perMinute, minutes: minutes, least: least, resolution: bound.resolution))
            guard let amount = rate.amount(milliseconds: bound.milliseconds) else { throw .beyondBounds(kind: kind) }
            return Quote(amount: amount, rate: rate)
        }
    }

    /// The price of so much work; `quote` with the same numbers is the same.
    package func charge(
        _ kind: JobKind, _ resolution: ResolutionClass, milliseconds: Int64
    ) throws(RateCardError) -> MicroCredits {
        try quote(kind, MediaBound(resolution: resolution, milliseconds: milliseconds)).amount
    }
}

/// The part of a rate card that one job goes by, kept with it.
package struct QuotedRate: Sendable, Equatable, Codable {
    package enum Price: Sendable, Equatable, Codable {
        case perJob(MicroCredits)
        case perMinute(
            MicroCredits, minutes: RateCard.Minutes, least: MicroCredits, resolution: ResolutionClass)
    }

    package var version: Int64
    package var price: Price

    package init(version: Int64, price: Price) { (self.version, self.price) = (version, price) }

    /// `nil` beyond all bounds.
    package func amount(milliseconds: Int64) -> MicroCredits? {
        switch price {
        case .perJob(let amount): return amount
        case .perMinute(let perMinute, let minutes, let least, _):
            let counted = max(0, milliseconds)
            let exact =
                switch minutes {
                case .measured: perMinute.scaled(by: counted, over: 60_000)
                case .started: perMinute.scaled(by: counted / 60_000 + (counted % 60_000 > 0 ? 1 : 0), over: 1)
                }
            return exact.map { max($0, least) }
        }
    }
}

/// A price that was told, and by what it is settled.
package struct Quote: Sendable, Equatable {
    /// What is held.
    package var amount: MicroCredits
    package var rate: QuotedRate

    package init(amount: MicroCredits, rate: QuotedRate) { (self.amount, self.rate) = (amount, rate) }

    /// What a job that is charged costs in the end: by what was measured, and never more than was held. What nobody
    /// measured costs what was quoted.
    package func charge(milliseconds: Int64?) -> MicroCredits {
        guard let milliseconds, let measured = rate.amount(milliseconds: milliseconds) else { return amount }
        return min(measured, amount)
    }
}

/// Why there is no price, or no card.
package enum RateCardError: ClassifiedError, Equatable {
    case notJSON(reason: String)
    case unknownField(path: String)
    case invalid(path: String, reason: String)
    case unpriced(kind: JobKind, resolution: ResolutionClass?)
    case unbounded(kind: JobKind)
    case beyondBounds(kind: JobKind)

    package var code: FailureCode {
        switch self {
        case .notJSON, .invalid: .invalidJSON
        case .unknownField: .unknownField
        case .unpriced, .unbounded, .beyondBounds: .invalidTask
        }
    }

    package var message: String {
        switch self {
        case .notJSON(let reason): "the rate card is not valid JSON: \(reason)"
        case .unknownField(let path): "\(path) is not a field of a rate card"
        case .invalid(let path, let reason): path.isEmpty ? reason : "\(path): \(reason)"
        case .unpriced(let kind, nil): "\(kind.rawValue) has no price here"
        case .unpriced(let kind, let resolution?): "\(kind.rawValue) at \(resolution.rawValue) has no price here"
        case .unbounded(let kind): "\(kind.rawValue) is priced by the minute, and how many there are is not known"
        case .beyondBounds(let kind): "\(kind.rawValue) of that length is beyond every price"
        }
    }
}
