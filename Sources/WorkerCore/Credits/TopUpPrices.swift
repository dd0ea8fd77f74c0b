internal import Model

/// How much credit what was bought comes to: by the ids that a payment provider gives its prices.
package struct TopUpPrices: Sendable, Equatable {
    /// What is wrong with a text of prices, in words that follow a setting's name.
    package struct Problem: Error, Equatable {
        package let text: String
    }

    /// Credits of one piece; nothing for what is sold beside credit.
    package let credits: [String: MicroCredits]

    package init(credits: [String: MicroCredits]) { self.credits = credits }

    /// Reads `price_1=100,price_2=12.5`, or the same as JSON: `{"price_1": "100", "price_2": "12.5"}`.
    package init(text: String) throws(Problem) {
        var credits: [String: MicroCredits] = [:]
        for (price, amount) in try Self.pairs(text) {
            guard !price.isEmpty, credits[price] == nil else {
                throw Problem(text: "names a price twice, or has one without a name: \(price)")
            }
            guard let amount = MicroCredits(text: amount), amount >= .zero else {
                throw Problem(text: "has no credits for \(price): a decimal number, such as 12.5")
            }
            credits[price] = amount
        }
        guard !credits.isEmpty else { throw Problem(text: "has no prices") }
        self.credits = credits
    }

    private static func pairs(_ text: String) throws(Problem) -> [(String, String)] {
        if text.drop(while: \.isWhitespace).first == "{" {
            guard let json = try? JSONValue(parsing: text), let members = json.objectValue else {
                throw Problem(text: "is not JSON")
            }
            return members.map { price, amount in
                if case .number(let literal) = amount { return (price, literal) }
                return (price, amount.stringValue ?? "")
            }
        }
        var pairs: [(String, String)] = []
        for entry in text.split(separator: ",") {
            let halves = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                .map { half in String(half.filter { !$0.isWhitespace }) }
            guard halves.count == 2 else { throw Problem(text: "has an entry that is not price=credits: \(entry)") }
            pairs.append((halves[0], halves[1]))
        }
        return pairs
    }

    /// What bought pieces come to.
    ///
    /// - Returns: `nil` beyond all bounds.
    /// - Throws: the first price that is not known.
    package func credits(for items: [(price: String, quantity: Int64)]) throws(UnknownPrice) -> MicroCredits? {
        var sum = MicroCredits.zero
        for item in items {
            guard let each = credits[item.price] else { throw UnknownPrice(price: item.price) }
            guard let all = each.scaled(by: item.quantity, over: 1), let more = sum.adding(all) else { return nil }
            sum = more
        }
        return sum
    }

    package struct UnknownPrice: Error, Equatable {
        package let price: String

        package init(price: String) { self.price = price }
    }
}
