internal import Foundation
internal import Model
internal import WorkerCore

/// A row of `jobs`: the record, and what only the store needs to know.
struct JobRow: Sendable, Equatable {
    var seq: Int64
    var job: JobRecord
    var leaseInstance: String?
    /// Without what an overflow retry added.
    var baseMemoryBytes: Int64
    var startTag: Double
    var orderKey: Double
    /// Its sources are not known yet: instead of becoming ready, it goes to `admitting`.
    var needsAdmission: Bool
    /// The keys of the entries that hold its price and that settled it.
    var (hold, settlement): (String?, String?) = (nil, nil)
    var charges = ChargePolicy.onlySuccess

    var ownerKey: OwnerKey { OwnerKey(kind: job.kind, owner: job.owner) }

    /// Takes the lease away.
    mutating func clearLease() { (job.leaseOwner, leaseInstance, job.leaseUntil) = (nil, nil, nil) }

    /// Which jobs a worker need not look at: 0 up to 64 MiB of predicted memory, one more for each doubling.
    static func sizeClass(memoryBytes: Int64) -> Int64 {
        let units = max(1, (max(0, memoryBytes) + (1 << 26) - 1) >> 26)
        return Int64(Int64.bitWidth - (units - 1).leadingZeroBitCount)
    }
}

// MARK: In and out of the table

extension JobRow {
    private static let names = [
        "seq", "id", "kind", "owner", "tier", "state", "payload", "ingress", "reply", "progress_route", "request_id",
        "attempt", "max_attempts", "interruptions", "epoch", "lease_owner", "lease_instance", "lease_until",
        "cancel_requested", "created_at", "available_at", "expires_at", "started_at", "finished_at", "cost_seconds",
        "memory_bytes", "base_memory_bytes", "start_tag", "order_key", "caps", "avoided", "is_overflow",
        "needs_admission", "result", "failure", "billing", "price", "rate", "charged_failures", "charge", "retry_of",
        "hold", "settlement", "idempotency_key",
    ]

    /// What to select, in the order in which `init` reads it.
    static func columns(of table: String) -> String { names.map { "\(table).\($0)" }.joined(separator: ", ") }

    init(_ row: inout SQLRow) throws {
        seq = try row.integer()
        let (id, kind, owner) = (try row.jobID(), try row.name(JobKind.self), try row.text())
        let (tier, state, payload) = (Tier(try row.count()), try row.name(JobState.self), try row.text())
        let (ingress, reply) = (try row.name(Ingress.self), try row.optionalText())
        let (route, requestID) = (try row.optionalText(), try row.optionalText())
        let (attempt, maxAttempts, interruptions) = (try row.count(), try row.count(), try row.count())
        let (epoch, leaseOwner) = (try row.integer(), try row.optionalText())
        leaseInstance = try row.optionalText()
        let (leaseUntil, cancel) = (try row.optionalInteger(), try row.flag())
        let (created, available, expires) = (try row.integer(), try row.integer(), try row.optionalInteger())
        let (started, finished) = (try row.optionalInteger(), try row.optionalInteger())
        let (cost, memory) = (try row.real(), try row.integer())
        baseMemoryBytes = try row.integer()
        (startTag, orderKey) = (try row.real(), try row.real())
        let (caps, avoided) = (try row.optionalText(), try row.optionalText())
        let isOverflow = try row.flag()
        needsAdmission = try row.flag()
        let (result, failure) = (try row.optionalText(), try row.optionalText())
        job = JobRecord(
            id: id, kind: kind, owner: owner, tier: tier, state: state, payload: payload, ingress: ingress,
            reply: reply, progressRoute: route, requestID: requestID, attempt: attempt, maxAttempts: maxAttempts,
            interruptions: interruptions, epoch: epoch, leaseOwner: leaseOwner, leaseUntil: leaseUntil,
            isCancelRequested: cancel, createdAt: created, availableAt: available, expiresAt: expires,
            startedAt: started, finishedAt: finished, costSeconds: cost, memoryBytes: memory,
            caps: try caps.map { try StoredJSON.decode($0) } ?? JobCaps(),
            avoidedWorkers: try avoided.map { try StoredJSON.decode($0) } ?? [], isOverflow: isOverflow,
            result: result, failure: failure.map(StoredJSON.failure))
        job.billing = try row.name()
        let (price, rate) = (try row.optionalCredits(), try row.optionalText())
        if let price, let rate { job.quote = Quote(amount: price, rate: try StoredJSON.decode(rate)) }
        if let charged = try row.optionalText() { charges = try Self.charges(charged) }
        job.charge = try row.optionalCredits()
        job.retryOf = try row.optionalJobID()
        (hold, settlement) = (try row.optionalText(), try row.optionalText())
        job.idempotencyKey = try row.optionalText()
    }

    /// A category of a later version is none that is charged here.
    private static func charges(_ text: String) throws -> ChargePolicy {
        let names: [String] = try StoredJSON.decode(text)
        return ChargePolicy(chargedFailures: Set(names.compactMap(FailureCategory.init(rawValue:))))
    }

    static func text(of charges: ChargePolicy) throws -> String? {
        charges.chargedFailures.isEmpty
            ? nil : try StoredJSON.encode(charges.chargedFailures.map(\.rawValue).sorted())
    }

    /// Writes back all that may change, where the epoch is still the one that was read.
    static let save = BatchStatement(
        [
            .integer("seq"), .integer("old_epoch"), .integer("tier"), .text("state"), .integer("attempt"),
            .integer("max_attempts"), .integer("interruptions"), .text("lease_owner"), .text("lease_instance"),
            .integer("lease_until"), .integer("cancel_requested"), .integer("available_at"), .integer("expires_at"),
            .integer("started_at"), .integer("finished_at"), .real("cost_seconds"), .integer("memory_bytes"),
            .integer("base_memory_bytes"), .integer("size_class"), .real("start_tag"), .real("order_key"),
            .text("avoided"), .integer("is_overflow"), .integer("needs_admission"), .text("result"), .text("failure"),
            .integer("charge"), .text("settlement"),
        ],
        """
        UPDATE jobs SET tier = batch.tier, state = batch.state, attempt = batch.attempt,
            max_attempts = batch.max_attempts, interruptions = batch.interruptions, lease_owner = batch.lease_owner,
            lease_instance = batch.lease_instance, lease_until = batch.lease_until,
            cancel_requested = batch.cancel_requested, available_at = batch.available_at,
            expires_at = batch.expires_at, started_at = batch.started_at, finished_at = batch.finished_at,
            cost_seconds = batch.cost_seconds, memory_bytes = batch.memory_bytes,
            base_memory_bytes = batch.base_memory_bytes, size_class = batch.size_class, start_tag = batch.start_tag,
            order_key = batch.order_key, avoided = batch.avoided, is_overflow = batch.is_overflow,
            needs_admission = batch.needs_admission, result = batch.result, failure = batch.failure,
            charge = batch.charge, settlement = batch.settlement
        FROM batch WHERE jobs.seq = batch.seq AND jobs.epoch = batch.old_epoch
        RETURNING jobs.seq
        """)

    func saved() throws -> [SQLValue] {
        [
            .integer(seq), .integer(job.epoch), .init(job.tier.value), .text(job.state.rawValue), .init(job.attempt),
            .init(job.maxAttempts), .init(job.interruptions), .init(job.leaseOwner), .init(leaseInstance),
            .init(job.leaseUntil), .init(job.isCancelRequested), .integer(job.availableAt), .init(job.expiresAt),
            .init(job.startedAt), .init(job.finishedAt), .real(job.costSeconds), .integer(job.memoryBytes),
            .integer(baseMemoryBytes), .integer(Self.sizeClass(memoryBytes: job.memoryBytes)), .real(startTag),
            .real(orderKey), .init(try avoidedText()), .init(job.isOverflow), .init(needsAdmission), .init(job.result),
            .init(try job.failure.map(StoredJSON.encode)), .init(job.charge?.value), .init(settlement),
        ]
    }

    private func avoidedText() throws -> String? {
        job.avoidedWorkers.isEmpty ? nil : try StoredJSON.encode(job.avoidedWorkers)
    }
}

/// Small values that are kept as JSON text.
enum StoredJSON {
    static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    static func decode<Value: Decodable>(_ text: String) throws -> Value {
        do { return try JSONDecoder().decode(Value.self, from: Data(text.utf8)) } catch {
            throw StoreError(
                "the store's content is not understood", detail: "\(Value.self): \(error)", code: .internalFault)
        }
    }

    /// A failure of a later version may have a code that is not known here: it is kept as text.
    static func failure(_ text: String) -> Failure {
        (try? decode(text)) ?? Failure(code: .internalFault, message: "a failure of another version", detail: text)
    }
}
