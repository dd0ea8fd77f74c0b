internal import Model
package import WorkerCore

/// What a database role for workers may do: everything about jobs but change whose they are and what they cost, and move
/// money by the functions that look for themselves. It reads no account, no entry and no measurement.
enum WorkerRole {
    /// Of rows that are there. Not: id, kind, owner, payload, billing, price, rate, what failures are charged, hold.
    private static let changing = [
        "tier", "state", "attempt", "max_attempts", "interruptions", "epoch", "lease_owner", "lease_instance",
        "lease_until", "cancel_requested", "available_at", "expires_at", "started_at", "finished_at", "cost_seconds",
        "memory_bytes", "base_memory_bytes", "size_class", "start_tag", "order_key", "avoided", "is_overflow",
        "needs_admission", "result", "failure", "charge", "settlement",
    ]
    private static let others = [
        "attempts", "kinds", "owner_shares", "workers", "notices", "uploads", "chunks", "chunk_sets",
    ]

    /// - Parameters:
    ///   - role: quoted.
    ///   - schema: quoted.
    static func grants(to role: String, schema: String) -> [String] {
        [
            "REVOKE ALL ON ALL TABLES IN SCHEMA \(schema) FROM \(role)",
            "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA \(schema) FROM \(role)",
            "REVOKE CREATE ON SCHEMA \(schema) FROM \(role)",
            "GRANT USAGE ON SCHEMA \(schema) TO \(role)",
            "GRANT SELECT ON schema_migrations TO \(role)",
            "GRANT SELECT, INSERT, DELETE ON jobs TO \(role)",
            "GRANT UPDATE (\(changing.joined(separator: ", "))) ON jobs TO \(role)",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON \(others.joined(separator: ", ")) TO \(role)",
            "GRANT INSERT ON usage_events TO \(role)",
        ] + LedgerFunctions.callable.map { "GRANT EXECUTE ON FUNCTION \($0) TO \(role)" }
    }
}

extension SQLJobStore {
    /// Lets a role that there is already work as a worker, and takes from it whatever it had besides in this schema.
    /// Postgres only: SQLite has no roles.
    package func grantWorker(_ role: String) async throws(StoreError) {
        guard database.dialect.hasFunctions else {
            throw StoreError("SQLite has no roles: whoever may write the file may do anything with it")
        }
        try await database.transaction(.write) { session in
            let rows = try session.execute(
                "SELECT quote_ident(CAST($1 AS text)), quote_ident(current_schema())", .init(role))
            guard var row = rows.first else { throw StoreError("no answer", code: .internalFault) }
            let (role, schema) = (try row.text(), try row.text())
            for statement in WorkerRole.grants(to: role, schema: schema) { try session.execute(statement) }
        }
    }
}
