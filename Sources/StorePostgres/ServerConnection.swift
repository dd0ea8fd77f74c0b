internal import CPostgres
internal import Model
internal import SQLStore
internal import WorkerCore

/// A connection to a server; used by the thread that opened it only.
final class ServerConnection {
    private let connection: OpaquePointer
    private let parameters: ConnectionParameters
    /// The names under which statements were prepared, by their text. Their number is that of the texts in SQLStore.
    private var prepared: [String: String] = [:]

    /// Connects and sets the session up, in up to `connect_timeout` per address.
    init(_ parameters: ConnectionParameters, statementSeconds: Double) throws {
        let pairs = parameters.values.sorted { $0.key < $1.key }
        let opened = Self.withStrings(pairs.map(\.key) + [nil]) { names in
            Self.withStrings(pairs.map(\.value) + [nil]) { values in PQconnectdbParams(names, values, 0) }
        }
        guard let opened else {
            throw PostgresFailure.refused(StoreError("no memory for a connection", code: .internalFault))
        }
        (connection, self.parameters) = (opened, parameters)
        guard PQstatus(connection) == CONNECTION_OK else { throw PostgresFailure.lost(lastMessage) }
        // All statements are look-ups in narrow indexes. Their plans must not change for the worse when statistics are
        // missing or old, so whatever reads a whole table is put last.
        try run(
            """
            SET client_min_messages = error; SET statement_timeout = \(Int(statementSeconds * 1000));
            SET idle_in_transaction_session_timeout = 30000; SET default_transaction_isolation = 'read committed';
            SET plan_cache_mode = force_generic_plan; SET jit = off; SET enable_seqscan = off;
            SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off
            """)
    }

    deinit { PQfinish(connection) }

    private var lastMessage: String {
        PQerrorMessage(connection).map { parameters.redacted(String(cString: $0)) } ?? "no message"
    }

    var isBroken: Bool { PQstatus(connection) != CONNECTION_OK }
    /// To wait on for messages.
    var descriptor: Int32 { PQsocket(connection) }

    // MARK: Statements

    /// Statements without parameters, as they are; answers the last one's first value.
    @discardableResult
    func run(_ sql: String) throws -> String? {
        let result = try check(PQexec(connection, sql))
        defer { PQclear(result) }
        guard PQntuples(result) > 0, PQnfields(result) > 0 else { return nil }
        return PQgetvalue(result, 0, 0).map { String(cString: $0) }
    }

    /// Ends the transaction; `false` when the server rolled it back instead.
    func commit() throws -> Bool {
        let result = try check(PQexec(connection, "COMMIT"))
        defer { PQclear(result) }
        return PQcmdStatus(result).map { String(cString: $0) } == "COMMIT"
    }

    func execute(_ sql: String, _ values: [SQLValue]) throws -> [SQLRow] {
        let result: OpaquePointer?
        if values.isEmpty {
            result = PQexecParams(connection, sql, 0, nil, nil, nil, nil, 0)
        } else {
            let name = try prepare(sql)
            result = Self.withStrings(values.map(\.serverText)) { places in
                PQexecPrepared(connection, name, Int32(values.count), places, nil, nil, 0)
            }
        }
        let checked = try check(result)
        defer { PQclear(checked) }
        return Self.rows(checked)
    }

    private func prepare(_ sql: String) throws -> String {
        if let name = prepared[sql] { return name }
        let name = "s\(prepared.count)"
        PQclear(try check(PQprepare(connection, name, sql, 0, nil)))
        prepared[sql] = name
        return name
    }

    /// A result that is one, to be cleared by the caller.
    private func check(_ result: OpaquePointer?) throws -> OpaquePointer {
        guard let result else { throw PostgresFailure.lost(lastMessage) }
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: return result
        default:
            defer { PQclear(result) }
            // Of the fields only what says what is wrong: the details may quote the rows.
            let state = PQresultErrorField(result, Int32(UInt8(ascii: "C"))).map { String(cString: $0) }
            let message = PQresultErrorField(result, Int32(UInt8(ascii: "M"))).map { String(cString: $0) }
            let detail = message.map(parameters.redacted) ?? lastMessage
            guard !isBroken, let state else { throw PostgresFailure.lost(detail) }
            throw PostgresFailure(state: state, detail: detail)
        }
    }

    // MARK: Messages

    /// What others sent to `channel` since it was last asked; the connection listens to nothing else.
    func messages() throws -> [String] {
        guard PQconsumeInput(connection) == 1 else { throw PostgresFailure.lost(lastMessage) }
        var messages: [String] = []
        while let message = PQnotifies(connection) {
            messages.append(message.pointee.extra.map { String(cString: $0) } ?? "")
            PQfreemem(message)
        }
        return messages
    }
}

// MARK: Values

extension ServerConnection {
    /// C strings that live while `body` runs; `nil` is NULL.
    private static func withStrings<Result>(
        _ texts: [String?], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Result
    ) -> Result {
        var bytes: [CChar] = []
        var starts: [Int?] = []
        starts.reserveCapacity(texts.count)
        for text in texts {
            guard let text else {
                starts.append(nil)
                continue
            }
            starts.append(bytes.count)
            bytes.append(contentsOf: text.utf8.lazy.map { CChar(bitPattern: $0) })
            bytes.append(0)
        }
        return bytes.withUnsafeBufferPointer { buffer in
            let places = starts.map { start in start.flatMap { start in buffer.baseAddress.map { $0 + start } } }
            return places.withUnsafeBufferPointer { body($0.baseAddress) }
        }
    }

    private static func rows(_ result: OpaquePointer) -> [SQLRow] {
        let (rows, columns) = (PQntuples(result), PQnfields(result))
        let types = (0..<columns).map { PQftype(result, $0) }
        return (0..<rows).map { row in
            SQLRow(
                (0..<columns).map { column in
                    guard PQgetisnull(result, row, column) == 0, let start = PQgetvalue(result, row, column) else {
                        return .null
                    }
                    let count = Int(PQgetlength(result, row, column))
                    let text = start.withMemoryRebound(to: UInt8.self, capacity: count) {
                        String(decoding: UnsafeBufferPointer(start: $0, count: count), as: UTF8.self)
                    }
                    return SQLValue(serverText: text, type: types[Int(column)])
                })
        }
    }
}

extension SQLValue {
    fileprivate var serverText: String? {
        switch self {
        case .null: nil
        case .integer(let value): String(value)
        case .real(let value): String(value)
        case .text(let value): value
        }
    }

    /// - Parameter type: the column's, as `pg_type` numbers those that are built in.
    fileprivate init(serverText text: String, type: Oid) {
        switch type {
        case 20, 21, 23: self = Int64(text).map(SQLValue.integer) ?? .text(text)
        case 700, 701, 1700: self = Double(text).map(SQLValue.real) ?? .text(text)
        default: self = .text(text)
        }
    }
}
