internal import Model
internal import WorkerCore

/// What goes into a statement and comes out of it: three types are enough for both databases.
package enum SQLValue: Sendable, Equatable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)

    init(_ value: Int64?) { self = value.map(SQLValue.integer) ?? .null }
    init(_ value: Int) { self = .integer(Int64(value)) }
    init(_ value: Bool) { self = .integer(value ? 1 : 0) }
    init(_ value: Double) { self = .real(value) }
    /// Postgres keeps no NUL in text, so none is given to either.
    init(_ value: String?) { self = value.map { .text($0.storable) } ?? .null }
}

extension String {
    var storable: String { utf8.contains(0) ? replacing("\0", with: "\u{FFFD}") : self }
}

/// One row of an answer, read from left to right.
package struct SQLRow: Sendable {
    private let values: [SQLValue]
    private var next = 0

    package init(_ values: [SQLValue]) { self.values = values }

    private mutating func take() throws -> SQLValue {
        guard next < values.count else { throw Self.surprise("a row with \(values.count) columns") }
        defer { next += 1 }
        return values[next]
    }

    private static func surprise(_ what: String) -> StoreError {
        StoreError("the store's content is not understood", detail: what, code: .internalFault)
    }

    package mutating func integer() throws -> Int64 {
        guard let value = try optionalInteger() else { throw Self.surprise("no integer in column \(next)") }
        return value
    }

    mutating func optionalInteger() throws -> Int64? {
        switch try take() {
        case .null: nil
        case .integer(let value): value
        case .real, .text: throw Self.surprise("not an integer in column \(next)")
        }
    }

    mutating func flag() throws -> Bool { try integer() != 0 }
    mutating func count() throws -> Int { Int(try integer()) }

    mutating func real() throws -> Double {
        switch try take() {
        case .real(let value): value
        case .integer(let value): Double(value)
        case .null, .text: throw Self.surprise("no number in column \(next)")
        }
    }

    package mutating func text() throws -> String {
        guard let value = try optionalText() else { throw Self.surprise("no text in column \(next)") }
        return value
    }

    mutating func optionalText() throws -> String? {
        switch try take() {
        case .null: nil
        case .text(let value): value
        case .integer, .real: throw Self.surprise("not text in column \(next)")
        }
    }

    /// A closed set of names, kept as text.
    mutating func name<Name: RawRepresentable>(_ type: Name.Type = Name.self) throws -> Name
    where Name.RawValue == String {
        let text = try text()
        guard let name = Name(rawValue: text) else { throw Self.surprise("\(text) is no \(Name.self)") }
        return name
    }

    mutating func optionalCredits() throws -> MicroCredits? {
        guard let value = try optionalInteger() else { return nil }
        guard let amount = MicroCredits(value) else { throw Self.surprise("an amount of \(value)") }
        return amount
    }

    mutating func credits() throws -> MicroCredits {
        guard let amount = try optionalCredits() else { throw Self.surprise("no amount in column \(next)") }
        return amount
    }

    mutating func optionalJobID() throws -> JobID? {
        guard let text = try optionalText() else { return nil }
        guard let id = JobID(text) else { throw Self.surprise("\(text) is no id of a job") }
        return id
    }

    mutating func jobID() throws -> JobID {
        let text = try text()
        guard let id = JobID(text) else { throw Self.surprise("\(text) is no id of a job") }
        return id
    }
}
