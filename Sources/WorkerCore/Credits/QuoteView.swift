package import Model

/// A price as the interface and the command line tell it.
package enum QuoteView {
    /// - Parameter bound: by what it was priced; not shown where the price does not depend on it.
    package static func json(_ kind: JobKind, _ quote: Quote, _ bound: MediaBound?) -> JSONValue {
        var members: [String: JSONValue] = [
            "kind": .string(kind.rawValue), "price": .string(quote.amount.text),
            "rate_version": .integer(quote.rate.version), "bound": .null, "per_minute": .null, "least": .null,
        ]
        if case .perMinute(let amount, _, let least, let resolution) = quote.rate.price, let bound {
            members["bound"] = [
                "milliseconds": .integer(bound.milliseconds), "resolution": .string(resolution.rawValue),
            ]
            (members["per_minute"], members["least"]) = (.string(amount.text), .string(least.text))
        }
        return .object(members)
    }
}
