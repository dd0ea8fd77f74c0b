internal import CPostgres
internal import Model
internal import WorkerCore

/// How to reach a server, and how long to wait for it.
package struct PostgresOptions: Sendable {
    /// `postgresql://user:password@host:port/database?sslmode=verify-full`; all that libpq's URIs allow, TLS included.
    package var uri: String
    /// Transactions at a time.
    package var connections: Int
    /// The server stops a statement that takes longer.
    package var statementSeconds: Double
    /// How long a transaction tries to get over a lost connection, or over others in its way.
    package var patienceSeconds: Double

    package init(uri: String, connections: Int = 4, statementSeconds: Double = 10, patienceSeconds: Double = 5) {
        (self.uri, self.connections) = (uri, connections)
        (self.statementSeconds, self.patienceSeconds) = (statementSeconds, patienceSeconds)
    }
}

/// A URI taken apart: libpq's parameters, by name.
struct ConnectionParameters: Sendable {
    private(set) var values: [String: String] = [:]
    private let secrets: [String]

    /// Source: "Parameter Key Words" in PostgreSQL's documentation of libpq.
    private static let defaults = [
        "connect_timeout": "5", "fallback_application_name": "reelpool", "client_encoding": "UTF8",
        // A server that vanished without a word is noticed within 10 s, idle or not.
        "keepalives_idle": "5", "keepalives_interval": "2", "keepalives_count": "3", "tcp_user_timeout": "10000",
    ]

    init(uri: String) throws(StoreError) {
        // What libpq has to say about a URI may quote it, password and all, so it is not passed on.
        guard let options = PQconninfoParse(uri, nil) else {
            throw StoreError("the address of the database is not one that PostgreSQL understands")
        }
        defer { PQconninfoFree(options) }
        values = Self.defaults
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { values[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        secrets = ["password", "sslpassword"].compactMap { [values] in values[$0] }.filter { !$0.isEmpty }
    }

    /// A server's or library's words without passwords, on one line.
    func redacted(_ text: String) -> String {
        secrets.reduce(text) { $0.replacing($1, with: "***") }
            .split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}

/// Why something could not be done on one connection.
enum PostgresFailure: Error {
    /// The connection is gone, or the server is going away.
    case lost(String)
    /// It went with a commit that was sent and not answered.
    case lostWhileCommitting(transaction: String, detail: String)
    /// The server gave this transaction up for another's sake.
    case conflict(String)
    /// The server is one that only reads, or the transaction is.
    case readOnly(String)
    /// Trying again would be no use.
    case refused(StoreError)

    /// - Parameter state: the error's SQLSTATE; "Appendix A. PostgreSQL Error Codes" lists them.
    init(state: String, detail: String) {
        switch state {
        case "40001", "40P01": self = .conflict(detail)
        // Shutting down, starting up, too many connections.
        case "57P01", "57P02", "57P03", "57P05", "53300": self = .lost(detail)
        case "25006": self = .readOnly(detail)
        case "53100": self = .refused(StoreError("the job store's disk is full", detail: detail, code: .diskFull))
        case "42501":
            self = .refused(
                StoreError("the database's user may not do this", detail: detail, code: .storeForbidden))
        case _ where state.hasPrefix("08"): self = .lost(detail)
        default: self = .refused(StoreError("the job store cannot be used", detail: "\(state): \(detail)"))
        }
    }
}
