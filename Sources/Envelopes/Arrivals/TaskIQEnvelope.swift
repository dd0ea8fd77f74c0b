internal import Model
internal import WorkerCore

/// A message of TaskIQ 0.13 with its JSON formatter.
///
/// The body alone counts: the headers repeat it, and a label called `task_id` overwrites theirs.
struct TaskIQEnvelope {
    private let body: JSONValue
    private let delivery: Delivery
    private let source: EnvelopeReader.Source

    init(_ body: JSONValue, delivery: Delivery, source: EnvelopeReader.Source) {
        (self.body, self.delivery, self.source) = (body, delivery, source)
    }

    func job() throws(EnvelopeError) -> NewJob {
        guard body.objectValue != nil else { throw .invalid("the message", "should be an object") }
        guard let id = body["task_id"] else { throw EnvelopeError(.missingField, "task_id is missing") }
        let taskID = try id.identifier("task_id", longest: 256)
        // The id is the result's key: it must not be one of Reelpool's own.
        guard !taskID.hasPrefix("reelpool:") else { throw .invalid("task_id", "begins as Reelpool's own keys do") }
        var key = taskID
        if let prefix = source.replies.taskiqPrefix { key = "\(prefix):\(taskID)" }
        var reply = JobReply.TaskIQ(
            key: key, serializer: source.replies.taskiqSerializer, keepSeconds: source.replies.keepSeconds, labels: [:])
        do {
            let task = try task(id: taskID)
            reply.labels = task.labels
            return try job(of: task, reply: .taskiq(reply))
        } catch {
            throw error.answering(.taskiq(reply))
        }
    }

    private func task(id: String) throws(EnvelopeError) -> ForeignTask {
        guard let name = body["task_name"]?.stringValue else {
            throw EnvelopeError(.missingField, "task_name is missing")
        }
        guard let arguments = body["args"]?.arrayValue else { throw .invalid("args", "should be a list") }
        guard let keywords = body["kwargs"]?.objectValue else { throw .invalid("kwargs", "should be an object") }
        guard let labels = body["labels"]?.objectValue else { throw .invalid("labels", "should be an object") }
        var types: [String: JSONValue] = [:]
        if let value = body["labels_types"], !value.isNull {
            guard let members = value.objectValue else { throw .invalid("labels_types", "should be an object") }
            types = members
        }
        var typed: [String: JSONValue] = [:]
        for (key, value) in labels.inOrder {
            typed[key] = try Self.label(value, type: types[key], path: "labels.\(key)")
        }
        return ForeignTask(
            ingress: .taskiq, queue: delivery.queue, taskID: id, name: name, arguments: arguments,
            keywords: keywords, labels: typed)
    }

    private func job(of task: ForeignTask, reply: JobReply) throws(EnvelopeError) -> NewJob {
        var job = try task.job(rules: source.rules, reply: reply)
        job.caps.wallSeconds = task.labels["timeout"]?.wallSeconds
        // `max_retries` counts runs, the first one included.
        if let runs = task.labels["max_retries"]?.looseInteger {
            job.maxAttempts = Int(min(max(1, runs), Int64(source.rules.maximumAttempts)))
        }
        if task.labels["retry_on_error"] == .bool(false) { job.maxAttempts = 1 }
        if !hasWaited, let delay = task.labels["delay"]?.looseNumber, delay > 0 {
            job.delayMilliseconds = Int64(min(delay * 1000, Double(NativeEnvelope.longestDelay)))
        }
        return job
    }

    /// The client's delay queue, or its plugin, has held the message already.
    private var hasWaited: Bool {
        delivery.properties.headers["x-death"] != nil || delivery.properties.headers["x-delay"] != nil
    }

    /// Labels are texts; their types are numbers of TaskIQ's `LabelType`.
    private static func label(_ value: JSONValue, type: JSONValue?, path: String) throws(EnvelopeError) -> JSONValue {
        guard let type, !type.isNull else { return value }
        guard let number = type.integerValue else { throw .invalid("labels_types", "should have numbers") }
        guard let text = value.stringValue else { return value }
        switch number {
        case 2:
            guard let integer = Int64(text) else { throw .invalid(path, "is no whole number") }
            return .integer(integer)
        case 4:
            guard let double = Double(text) else { throw .invalid(path, "is no number") }
            return double.isFinite ? .number("\(double)") : value
        case 5:
            return .bool(text.lowercased() == "true")
        // 1 is anything by its `str`, 3 a text, 6 bytes in base64: all are passed on as they are.
        case 1, 3, 6:
            return value
        default:
            throw .invalid("labels_types", "has the unknown type \(number)")
        }
    }
}
