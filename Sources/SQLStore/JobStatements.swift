/// The statements about jobs whose text depends on the dialect; each is written once and prepared once.
struct JobStatements: Sendable {
    let now: String
    /// Best waiting jobs of an owner: `$1` kind, `$2` owner, `$3` how many.
    let promote: String
    let bestWaiting: String
    let worstQueued: String
    /// A waiting and a queued job: `$1`, `$2`.
    let changePlaces = """
        UPDATE jobs SET state = CASE WHEN state = 'queued' THEN 'waiting' ELSE 'queued' END WHERE seq IN ($1, $2)
        """

    /// `$1` kind, `$2` how many he may have ready, `$3` at most so many owners.
    let ownersWithRoom: String

    /// The store's time, then the row.
    let lockByID: String
    let lockLeased: BatchStatement
    let renew: BatchStatement

    /// `$1` kind, `$2` its virtual time: passed over while another claim moves it, which comes to the same.
    let advance: String

    /// `$1`: at most so many.
    let due: String
    let expired: String
    let leaseLost: String
    /// `$1` worker, `$2` its instance.
    let leasesOfEarlier: String
    /// All that workers have; and with `$1`, those of one.
    let leased: String
    let leasedBy: String

    init(_ dialect: Dialect) {
        now = dialect.now
        let (free, lock) = (dialect.lockFree("jobs"), dialect.lock("jobs"))
        let ofOwner = "kind = $1 AND owner = $2"
        promote = """
            UPDATE jobs SET state = 'queued' WHERE seq IN (
                SELECT seq FROM jobs WHERE \(ofOwner) AND state = 'waiting' ORDER BY order_key, seq LIMIT $3\(free))
            RETURNING seq
            """
        bestWaiting = """
            SELECT seq, order_key FROM jobs WHERE \(ofOwner) AND state = 'waiting'
            ORDER BY order_key, seq LIMIT 1\(free)
            """
        worstQueued = """
            SELECT seq, order_key FROM jobs WHERE \(ofOwner) AND state = 'queued'
            ORDER BY order_key DESC, seq DESC LIMIT 1\(free)
            """
        ownersWithRoom = """
            SELECT \(OwnerShare.columns) FROM owner_shares WHERE kind = $1 AND waiting > 0 AND ready < $2
            ORDER BY kind, owner LIMIT $3\(dialect.lockFree("owner_shares"))
            """
        let row = "\(dialect.now), \(JobRow.columns(of: "jobs"))"
        lockByID = "SELECT \(row) FROM jobs WHERE id = $1\(lock)"
        lockLeased = BatchStatement(
            [.text("id")],
            "SELECT \(row) FROM jobs JOIN batch ON batch.id = jobs.id ORDER BY jobs.seq\(lock)")
        renew = BatchStatement(
            [.text("id"), .integer("epoch")], extraParameters: 2,
            """
            , held AS (
                SELECT jobs.seq FROM jobs JOIN batch ON batch.id = jobs.id AND batch.epoch = jobs.epoch
                WHERE jobs.lease_owner = $1 ORDER BY jobs.seq\(lock))
            UPDATE jobs SET lease_until = \(dialect.now) + $2 WHERE seq IN (SELECT seq FROM held)
            RETURNING id, epoch, cancel_requested
            """)
        advance = """
            UPDATE kinds SET virtual_time = $2 WHERE kind IN (
                SELECT kind FROM kinds WHERE kind = $1 AND virtual_time < $2\(dialect.lockFree("kinds")))
            """
        func ready(_ condition: String, _ order: String) -> String {
            "SELECT \(row) FROM jobs WHERE \(condition) ORDER BY \(order) LIMIT $1\(free)"
        }
        due = ready("state = 'scheduled' AND available_at <= \(dialect.now)", "available_at, seq")
        expired = ready(
            """
            expires_at IS NOT NULL AND started_at IS NULL AND finished_at IS NULL AND lease_owner IS NULL
            AND expires_at <= \(dialect.now)
            """, "expires_at, seq")
        leaseLost = ready("lease_owner IS NOT NULL AND lease_until <= \(dialect.now)", "seq")
        leased = "SELECT \(row) FROM jobs WHERE lease_owner IS NOT NULL ORDER BY seq\(lock)"
        leasedBy = "SELECT \(row) FROM jobs WHERE lease_owner = $1 ORDER BY seq\(lock)"
        leasesOfEarlier = """
            SELECT \(row) FROM jobs WHERE lease_owner = $1 AND lease_instance <> $2 ORDER BY seq\(lock)
            """
    }
}
