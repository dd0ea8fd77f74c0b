/// A trigger that refuses what a table must never see, whoever asks: the same condition in both databases.
struct TableGuard: Sendable {
    enum Event: String, Sendable { case insert = "INSERT", update = "UPDATE", delete = "DELETE" }

    var name: String
    var table: String
    var event: Event
    /// Of `NEW` and `OLD`: what is refused.
    var condition: String
    var message: String

    /// Postgres's triggers look up nothing in their conditions, only in their functions.
    private var looksUp: Bool { condition.contains("SELECT") }

    func statements(_ dialect: Dialect) -> [String] {
        guard dialect.hasFunctions else {
            return [
                """
                CREATE TRIGGER \(name) BEFORE \(event.rawValue) ON \(table) FOR EACH ROW WHEN \(condition)
                BEGIN SELECT RAISE(ABORT, '\(message)'); END
                """
            ]
        }
        let refusal = "RAISE EXCEPTION '\(message)' USING ERRCODE = 'restrict_violation';"
        let body = looksUp ? "IF \(condition) THEN \(refusal) END IF; RETURN NEW;" : refusal
        let filter = looksUp ? "" : "WHEN (\(condition)) "
        return [
            Self.function("\(name)()", returns: "trigger", body),
            """
            CREATE TRIGGER \(name) BEFORE \(event.rawValue) ON \(table) FOR EACH ROW \(filter)
            EXECUTE FUNCTION \(name)()
            """,
            "REVOKE ALL ON FUNCTION \(name)() FROM PUBLIC",
        ]
    }

    /// A function of Postgres that has its maker's rights, and finds its tables whatever its caller's path is.
    /// Source: PostgreSQL, "CREATE FUNCTION", Writing SECURITY DEFINER Functions Safely.
    static func function(_ head: String, returns type: String, declare: String = "", _ body: String) -> String {
        """
        CREATE FUNCTION \(head) RETURNS \(type) LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
        AS $body$ \(declare) BEGIN \(body) END $body$
        """
    }
}
