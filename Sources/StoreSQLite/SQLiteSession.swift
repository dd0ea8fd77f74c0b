internal import GRDB
internal import SQLStore

/// A transaction on GRDB's connection; used on that connection's queue only.
struct SQLiteSession: SQLSession {
    let database: Database
    let wakes = Flag()

    /// A class, since a session is a value that others copy.
    final class Flag { var isSet = false }

    func execute(_ sql: String, _ parameters: [SQLValue]) throws -> [SQLRow] {
        // SQLite numbers `?1`, where `$1` is but a name that is numbered by its first use.
        let statement = try database.cachedStatement(sql: sql.replacing("$", with: "?"))
        let arguments = StatementArguments(parameters.map(\.databaseValue))
        guard statement.columnCount > 0 else {
            try statement.execute(arguments: arguments)
            return []
        }
        var rows: [SQLRow] = []
        let cursor = try Row.fetchCursor(statement, arguments: arguments)
        while let row = try cursor.next() { rows.append(SQLRow(row.databaseValues.map(SQLValue.init))) }
        return rows
    }

    func wake() { wakes.isSet = true }
}

extension SQLValue {
    fileprivate var databaseValue: DatabaseValue {
        switch self {
        case .null: .null
        case .integer(let value): value.databaseValue
        case .real(let value): value.databaseValue
        case .text(let value): value.databaseValue
        }
    }

    fileprivate init(_ value: DatabaseValue) {
        switch value.storage {
        case .null: self = .null
        case .int64(let value): self = .integer(value)
        case .double(let value): self = .real(value)
        case .string(let value): self = .text(value)
        case .blob(let data): self = .text(String(decoding: data, as: UTF8.self))
        }
    }
}
