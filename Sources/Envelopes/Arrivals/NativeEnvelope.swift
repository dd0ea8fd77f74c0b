internal import Model
internal import WorkerCore

/// Reelpool's own message, version 1; docs/scheduling.md has the schema.
struct NativeEnvelope {
    /// A year: what is further off is a mistake.
    static let longestDelay: Int64 = 366 * 86_400_000

    private var fields: Fields
    private let rules: TaskRules
    private let ingress: Ingress

    init(_ body: JSONValue, source: EnvelopeReader.Source) throws(EnvelopeError) {
        fields = try Fields(body)
        (rules, ingress) = (source.rules, source.ingress)
    }

    consuming func job() throws(EnvelopeError) -> NewJob {
        guard let version = fields.take("version") else { throw EnvelopeError(.missingField, "version is missing") }
        guard version.integerValue == 1 else {
            throw EnvelopeError(.unsupportedVersion, "version is not 1")
        }
        guard let kindName = try fields.text("kind") else { throw EnvelopeError(.missingField, "kind is missing") }
        guard let kind = JobKind(rawValue: kindName) else {
            throw EnvelopeError(.unknownTask, "there is no kind \"\(kindName)\"")
        }
        let owner = try rules.owner(try fields.text("owner"), ingress, lookedFor: "owner is missing")
        guard let payload = try fields.object("payload") else {
            throw EnvelopeError(.missingField, "payload is missing")
        }
        let (id, key) = try identity(owner: owner)
        var job = NewJob(id: id, kind: kind, owner: owner, payload: payload.text, ingress: ingress)
        job.idempotencyKey = key
        job.tier = Tier(Int(try fields.integer("tier", in: 0...3) ?? 0))
        job.requestID = try fields.text("request_id")
        job.maxAttempts = Int(
            try fields.integer("max_attempts", in: 1...Int64(rules.maximumAttempts)) ?? Int64(rules.defaultAttempts))
        job.delayMilliseconds = try fields.integer("delay_ms", in: 0...Self.longestDelay) ?? 0
        job.expiresAfterMilliseconds = try fields.integer("expires_after_ms", in: 1...Self.longestDelay)
        let cost = try fields.seconds("cost_seconds", in: 0.001...1_000_000)
        job.costSeconds = cost ?? 1
        job.needsAdmission = cost == nil && rules.admittedKinds.contains(kind)
        if let caps = try fields.object("caps") { job.caps = try Self.caps(caps) }
        if let progress = try fields.object("progress") { job.progressRoute = try Self.route(progress)?.json.text }
        if let webhook = try fields.object("webhook") { job.reply = try Self.webhook(webhook, rules).json.text }
        try fields.end()
        return job
    }

    private static func webhook(_ value: JSONValue, _ rules: TaskRules) throws(EnvelopeError) -> WebhookOrder {
        guard let rules = rules.webhooks else { throw .invalid("webhook", "cannot be had: no secret is configured") }
        var fields = try Fields(value, path: "webhook")
        guard let url = try fields.text("url", longest: WebhookRules.longestURL) else {
            throw EnvelopeError(.missingField, "webhook.url is missing")
        }
        if let problem = rules.problem(with: url) { throw .invalid("webhook.url", problem) }
        var order = WebhookOrder(url: url)
        if let events = fields.take("events") {
            let names = events.arrayValue?.map { $0.stringValue.flatMap(WebhookOrder.Event.init(rawValue:)) }
            guard let names, !names.isEmpty, !names.contains(nil) else {
                throw .invalid("webhook.events", "should list succeeded, failed or both")
            }
            order.events = Set(names.compactMap(\.self))
        }
        try fields.end()
        return order
    }

    /// By id, by key, or both: without either, a message that comes twice would be two jobs.
    private mutating func identity(owner: String) throws(EnvelopeError) -> (JobID, String?) {
        let key = try fields.text("idempotency_key").map { "\(owner)\n\($0)" }
        if let text = try fields.text("id") {
            guard let id = JobID(text) else { throw .invalid("id", "should be a UUID") }
            return (id, key)
        }
        guard let key else { throw EnvelopeError(.missingField, "neither id nor idempotency_key is there") }
        return (JobIdentity.uuid(of: "native\n\(key)"), key)
    }

    private static func caps(_ value: JSONValue) throws(EnvelopeError) -> JobCaps {
        var fields = try Fields(value, path: "caps")
        let caps = JobCaps(
            memoryBytes: try fields.integer("memory_bytes", in: 1...(1 << 50)),
            threads: try fields.integer("threads", in: 1...1024).map { Int($0) },
            wallSeconds: try fields.integer("wall_seconds", in: 1...10_000_000).map { Int($0) },
            stallSeconds: try fields.integer("stall_seconds", in: 1...10_000_000).map { Int($0) },
            outputBytes: try fields.integer("output_bytes", in: 1...(1 << 50)))
        try fields.end()
        return caps
    }

    private static func route(_ value: JSONValue) throws(EnvelopeError) -> ProgressRoute? {
        var fields = try Fields(value, path: "progress")
        guard let project = try fields.text("project_id", longest: 128) else {
            throw EnvelopeError(.missingField, "progress.project_id is missing")
        }
        var subject: [String: JSONValue] = [:]
        for key in ["clip_id", "export_id", "analysis_id"] {
            if let id = try fields.text(key, longest: 128) { subject[key] = .string(id) }
        }
        try fields.end()
        return ProgressRoute(project: project, subject: subject)
    }
}
