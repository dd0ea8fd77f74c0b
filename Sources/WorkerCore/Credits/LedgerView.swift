package import Model

/// The books as JSON, for the interface and the command line. Amounts are credits in decimal, as text: no reader of JSON
/// can make something else of them.
package enum LedgerView {
    package static func balance(_ balance: CreditBalance, of owner: String) -> JSONValue {
        var members = parts(balance)
        members["owner"] = .string(owner)
        return .object(members)
    }

    package static func entry(_ entry: LedgerEntry) -> JSONValue { .object(members(entry)) }

    /// An entry, and what there was after it.
    package static func line(_ line: StatementLine) -> JSONValue {
        var members = members(line.entry)
        members["balance"] = .object(parts(line.balance))
        return .object(members)
    }

    private static func parts(_ balance: CreditBalance) -> [String: JSONValue] {
        ["available": .string(balance.available.text), "held": .string(balance.held.text)]
    }

    private static func members(_ entry: LedgerEntry) -> [String: JSONValue] {
        [
            "entry": .integer(entry.seq), "key": .string(entry.key), "operation": .string(entry.operation.rawValue),
            "from": .string(entry.from.rawValue), "to": .string(entry.to.rawValue),
            "amount": .string(entry.amount.text), "job": .text(entry.job?.text),
            "settles": entry.settles.map { .integer($0) } ?? .null,
            "reverses": entry.reverses.map { .integer($0) } ?? .null, "note": .text(entry.note),
            "at": .string(InstantText.universal(milliseconds: entry.at)),
        ]
    }
}

extension LedgerOutcome {
    /// The entry's number, new or there before; a failure for whatever was not entered.
    package func entry() throws(Failure) -> (number: Int64, isNew: Bool) {
        switch self {
        case .entered(let number): return (number, true)
        case .already(let number): return (number, false)
        case .keyTaken(let number):
            throw Failure(code: .keyTaken, message: "the key is another movement's: entry \(number)")
        case .insufficientCredit(let available):
            throw Failure(code: .insufficientCredit, message: "no more than \(available.text) credits are free")
        case .notReversible:
            throw Failure(
                code: .notReversible, message: "only grants, adjustments and captures that are there are reversed")
        case .exceedsEntry(let left):
            throw Failure(code: .exceedsEntry, message: "\(left.text) credits are left of the entry to be reversed")
        case .invalid:
            throw Failure(
                code: .invalidEntry,
                message: "an amount above nothing and within bounds, an owner and a key of 1 to 200 bytes are needed")
        }
    }
}
