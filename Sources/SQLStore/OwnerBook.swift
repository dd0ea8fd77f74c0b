internal import WorkerCore

struct OwnerKey: Hashable, Sendable, Comparable {
    var kind: JobKind
    var owner: String

    /// The order in which the rows of owners are locked.
    static func < (left: Self, right: Self) -> Bool {
        (left.kind.rawValue, left.owner) < (right.kind.rawValue, right.owner)
    }
}

/// A row of `owner_shares`: how many jobs of one kind an owner has.
struct OwnerShare: Sendable {
    var key: OwnerKey
    var finishTag: Double
    /// Not ended.
    var active: Int
    /// Queued or running.
    var ready: Int
    var waiting: Int

    static let columns = """
        owner_shares.kind, owner_shares.owner, owner_shares.finish_tag, owner_shares.active, owner_shares.ready, \
        owner_shares.waiting
        """

    init(_ row: inout SQLRow) throws {
        key = OwnerKey(kind: try row.name(), owner: try row.text())
        finishTag = try row.real()
        (active, ready, waiting) = (try row.count(), try row.count(), try row.count())
    }

    private static let lock = BatchStatement(
        [.text("kind"), .text("owner")],
        """
        INSERT INTO owner_shares (kind, owner, finish_tag, active, ready, waiting)
        SELECT batch.kind, batch.owner, kinds.virtual_time, 0, 0, 0 FROM batch JOIN kinds ON kinds.kind = batch.kind
        WHERE batch.owner IS NOT NULL ORDER BY batch.kind, batch.owner
        ON CONFLICT (kind, owner) DO UPDATE SET active = owner_shares.active
        RETURNING \(OwnerShare.columns)
        """)

    /// The owners' rows, locked; made where there are none.
    static func lock(_ keys: Set<OwnerKey>, _ session: any SQLSession) throws -> [OwnerKey: OwnerShare] {
        var shares: [OwnerKey: OwnerShare] = [:]
        for var row in try lock.execute(session, keys.sorted().map { [.text($0.kind.rawValue), .text($0.owner)] }) {
            let share = try OwnerShare(&row)
            shares[share.key] = share
        }
        return shares
    }
}

/// What a transaction changes about owners' counts; settled once, at its end, when the jobs themselves are written.
///
/// The rows of owners are locked after those of jobs and in one order, so that transactions wait for each other instead
/// of blocking each other.
struct OwnerBook {
    struct Delta {
        var finishTag = 0.0
        var active = 0
        var ready = 0
        var waiting = 0
        /// A waiting job may now have a better key than a queued one.
        var mayChangePlaces = false
    }

    private var deltas: [OwnerKey: Delta]

    init(_ deltas: [OwnerKey: Delta] = [:]) { self.deltas = deltas }

    mutating func note(_ change: JobChange) {
        let (before, after) = (change.before.job, change.after.job)
        var delta = deltas[change.after.ownerKey] ?? Delta()
        delta.add(before.state, times: -1)
        delta.add(after.state, times: 1)
        if change.hasEnded, before.startedAt == nil, before.attempt == 0 {
            // Work that was never begun: the owner's later jobs do not wait for it.
            delta.finishTag -= before.costSeconds
        } else {
            delta.finishTag += after.costSeconds - before.costSeconds
        }
        let joins = after.state == .waiting || (after.state == .queued && before.state != .queued)
        if joins || change.before.orderKey != change.after.orderKey { delta.mayChangePlaces = true }
        deltas[change.after.ownerKey] = delta
    }

    private static let update = BatchStatement(
        [
            .text("kind"), .text("owner"), .real("finish_tag"), .integer("active"), .integer("ready"),
            .integer("waiting"),
        ],
        """
        UPDATE owner_shares SET finish_tag = owner_shares.finish_tag + batch.finish_tag,
            active = owner_shares.active + batch.active, ready = owner_shares.ready + batch.ready,
            waiting = owner_shares.waiting + batch.waiting
        FROM batch WHERE owner_shares.kind = batch.kind AND owner_shares.owner = batch.owner
        RETURNING \(OwnerShare.columns)
        """)

    private static func write(_ session: any SQLSession, _ deltas: [OwnerKey: Delta]) throws -> [OwnerShare] {
        let rows = deltas.sorted { $0.key < $1.key }.map { key, delta -> [SQLValue] in
            [
                .text(key.kind.rawValue), .text(key.owner), .real(delta.finishTag), .init(delta.active),
                .init(delta.ready), .init(delta.waiting),
            ]
        }
        return try update.execute(session, rows).map { row in
            var row = row
            return try OwnerShare(&row)
        }
    }

    /// Writes the counts and queues what they leave room for.
    func settle(_ session: any SQLSession, _ statements: JobStatements, _ policy: StorePolicy) throws {
        let changed = deltas.filter { !$0.value.isEmpty }
        guard !changed.isEmpty else { return }
        let shares = try Self.write(session, changed)
        _ = try Self.fill(shares, session, statements, policy)
        for share in shares.sorted(by: { $0.key < $1.key })
        where share.waiting > 0 && deltas[share.key]?.mayChangePlaces == true {
            try changePlaces(session, statements, share.key, atMost: share.active)
        }
    }

    /// Queues the best waiting jobs of owners who may have more ready; their rows are locked. How many it queued.
    static func fill(
        _ shares: [OwnerShare], _ session: any SQLSession, _ statements: JobStatements, _ policy: StorePolicy
    ) throws -> Int {
        var promoted: [OwnerKey: Delta] = [:]
        for share in shares.sorted(by: { $0.key < $1.key }) {
            let room = min(share.waiting, policy.limits(of: share.key.kind).running - share.ready)
            guard room > 0 else { continue }
            let (kind, owner) = (SQLValue.text(share.key.kind.rawValue), SQLValue.text(share.key.owner))
            let count = try session.execute(statements.promote, kind, owner, .init(room)).count
            if count > 0 { promoted[share.key] = Delta(ready: count, waiting: -count) }
        }
        guard !promoted.isEmpty else { return 0 }
        _ = try Self.write(session, promoted)
        session.wake()
        return promoted.values.reduce(0) { $0 + $1.ready }
    }

    /// The owner's best jobs are those that are queued.
    private func changePlaces(
        _ session: any SQLSession, _ statements: JobStatements, _ key: OwnerKey, atMost rounds: Int
    ) throws {
        let (kind, owner) = (SQLValue.text(key.kind.rawValue), SQLValue.text(key.owner))
        for _ in 0..<rounds {
            guard var waiting = try session.execute(statements.bestWaiting, kind, owner).first,
                var queued = try session.execute(statements.worstQueued, kind, owner).first
            else { return }
            let better = (seq: try waiting.integer(), key: try waiting.real())
            let worse = (seq: try queued.integer(), key: try queued.real())
            guard (better.key, better.seq) < (worse.key, worse.seq) else { return }
            try session.execute(statements.changePlaces, .integer(better.seq), .integer(worse.seq))
        }
    }
}

extension OwnerBook.Delta {
    fileprivate mutating func add(_ state: JobState, times sign: Int) {
        if !state.isFinal { active += sign }
        if state == .queued || state == .running { ready += sign }
        if state == .waiting { waiting += sign }
    }

    fileprivate var isEmpty: Bool {
        finishTag == 0 && active == 0 && ready == 0 && waiting == 0 && !mayChangePlaces
    }
}
