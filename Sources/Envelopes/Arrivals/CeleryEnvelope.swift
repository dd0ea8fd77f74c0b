internal import Model
internal import WorkerCore

/// A message of Celery's protocol 2 with the JSON serializer.
///
/// Source: Celery's "Message Protocol" page, Version 2.
struct CeleryEnvelope {
    private let delivery: Delivery
    private let source: EnvelopeReader.Source
    private var headers: [String: HeaderValue] { delivery.properties.headers }

    init(_ delivery: Delivery, source: EnvelopeReader.Source) {
        (self.delivery, self.source) = (delivery, source)
    }

    func job(now: StoreTime) throws(EnvelopeError) -> NewJob {
        guard let id = headers["id"]?.json else { throw EnvelopeError(.missingField, "the header id is missing") }
        let taskID = try id.identifier("id", longest: 256)
        var reply: JobReply?
        if headers["ignore_result"] != .bool(true) {
            reply = .celery(
                JobReply.Celery(
                    key: source.replies.celeryPrefix + taskID, taskID: taskID, keepSeconds: source.replies.keepSeconds))
        }
        do {
            return try job(taskID: taskID, reply: reply, now: now)
        } catch {
            throw error.answering(reply)
        }
    }

    private func job(taskID: String, reply: JobReply?, now: StoreTime) throws(EnvelopeError) -> NewJob {
        guard let name = headers["task"]?.textValue else {
            throw EnvelopeError(.missingField, "the header task is missing")
        }
        let (arguments, keywords) = try body()
        var labels: [String: JSONValue] = [:]
        if let priority = delivery.properties.priority { labels["priority"] = .integer(priority) }
        // Headers of Celery's own say nothing about owners or tiers; what else is there came from the caller.
        for (key, value) in headers where !Self.ownHeaders.contains(key) { labels[key] = value.json }
        let task = ForeignTask(
            ingress: .celery, queue: delivery.queue, taskID: taskID, name: name, arguments: arguments,
            keywords: keywords, labels: labels)
        var job = try task.job(rules: source.rules, reply: reply)
        if let eta = try instant("eta") {
            job.delayMilliseconds = min(max(0, eta - now), NativeEnvelope.longestDelay)
        }
        if let expires = try instant("expires") {
            job.expiresAfterMilliseconds = min(max(1, expires - now), NativeEnvelope.longestDelay)
        }
        if case .array(let limits)? = headers["timelimit"] {
            job.caps.wallSeconds = limits.lazy.compactMap { $0.json.wallSeconds }.first
        }
        return job
    }

    /// `[args, kwargs, embed]`.
    private func body() throws(EnvelopeError) -> ([JSONValue], [String: JSONValue]) {
        let type = delivery.properties.contentType ?? "application/json"
        let encoding = delivery.properties.contentEncoding?.lowercased() ?? "utf-8"
        guard type == "application/json", encoding == "utf-8" || encoding == "ascii" || encoding == "us-ascii" else {
            throw EnvelopeError(
                .unsupportedVersion, "content of type \(type.prefix(80)) in \(encoding.prefix(40)); JSON is read only")
        }
        let parts = try EnvelopeReader.parse(delivery.body).arrayValue ?? []
        guard parts.count == 3, let arguments = parts[0].arrayValue, let keywords = parts[1].objectValue,
            let embed = parts[2].objectValue
        else { throw EnvelopeError(.unsupportedVersion, "the body is not [args, kwargs, embed] of protocol 2") }
        for part in ["callbacks", "errbacks", "chain", "chord"] {
            guard let value = embed[part], !value.isNull, value != .array([]) else { continue }
            throw EnvelopeError(
                .canvasNotSupported, "\(part) would be lost: Reelpool runs single tasks, not Celery's canvas")
        }
        return (arguments, keywords)
    }

    private func instant(_ name: String) throws(EnvelopeError) -> StoreTime? {
        guard let value = headers[name], value != .void else { return nil }
        guard let text = value.textValue, let time = InstantText.milliseconds(text) else {
            throw .invalid("the header \(name)", "is no time in ISO 8601")
        }
        return time
    }

    private static let ownHeaders: Set<String> = [
        "lang", "task", "id", "shadow", "eta", "expires", "group", "group_index", "retries", "timelimit", "root_id",
        "parent_id", "argsrepr", "kwargsrepr", "origin", "ignore_result", "replaced_task_nesting", "stamped_headers",
        "stamps", "x-death", "x-delivery-count",
    ]
}

extension HeaderValue {
    /// As near as JSON has it.
    var json: JSONValue {
        switch self {
        case .void: .null
        case .bool(let value): .bool(value)
        case .integer(let value): .integer(value)
        case .unsigned(let value), .timestamp(let value): .integer(value)
        case .double(let value): .double(value)
        case .decimal(let scale, let value): .string("\(value)e-\(scale)")
        case .text(let value): .string(value)
        case .bytes: .null
        case .array(let values): .array(values.map(\.json))
        case .table(let members): .object(members.mapValues(\.json))
        }
    }
}
