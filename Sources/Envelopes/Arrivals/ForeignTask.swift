internal import Model
internal import WorkerCore

/// What TaskIQ and Celery have in common: a name, arguments, and labels or headers beside them.
struct ForeignTask {
    var ingress: Ingress
    var queue: String
    var taskID: String
    var name: String
    var arguments: [JSONValue]
    var keywords: [String: JSONValue]
    /// Labels, or headers.
    var labels: [String: JSONValue]

    /// The job, but for what only its dialect knows.
    ///
    /// - Parameter reply: `nil` when nobody waits for the answer.
    func job(rules: TaskRules, reply: JobReply?) throws(EnvelopeError) -> NewJob {
        guard let task = rules.tasks[name] else {
            throw EnvelopeError(.unknownTask, "there is no task \"\(name.prefix(200))\"")
        }
        var payload = try payload(of: task)
        let owner = try rules.owner(
            try identifier(rules.ownerFields, &payload), ingress,
            lookedFor: "none of \(rules.ownerFields.joined(separator: ", ")) is there")
        var route = ProgressRoute(project: try identifier(rules.projectFields, &payload), reply: reply?.forProgress)
        for field in rules.subjectFields {
            if let id = try identifier([field], &payload) { route.subject[field] = .string(id) }
        }
        let request = try identifier(rules.requestFields, &payload)
        var job = NewJob(
            id: JobIdentity.job(ingress, queue: queue, foreignID: taskID), kind: task.kind, owner: owner,
            payload: JSONValue.object(payload).text, ingress: ingress)
        job.idempotencyKey = JobIdentity.key(queue: queue, foreignID: taskID)
        job.reply = reply?.json.text
        job.progressRoute = route.isEmpty ? nil : route.json.text
        job.requestID = request
        job.maxAttempts = rules.defaultAttempts
        job.needsAdmission = rules.admittedKinds.contains(task.kind)
        if let tier = rules.tierFields.lazy.compactMap({ labels[$0]?.looseInteger }).first {
            job.tier = Tier(Int(clamping: tier))
        }
        return job
    }

    /// Keyword arguments, and positional ones by the names that the rules give them; or one object that is everything.
    private func payload(of task: TaskRules.Task) throws(EnvelopeError) -> [String: JSONValue] {
        var payload: [String: JSONValue] = [:]
        for (key, value) in keywords.inOrder where !task.dropped.contains(key) {
            let name = task.renamed[key] ?? key
            guard payload.updateValue(value, forKey: name) == nil else { throw .invalid(name, "comes twice") }
        }
        var positional: [(key: String, value: JSONValue)] = []
        if arguments.count <= task.positional.count {
            positional = zip(task.positional, arguments).map { (key: $0, value: $1) }
        } else if task.positional.isEmpty, arguments.count == 1, let members = arguments[0].objectValue {
            positional = members.inOrder
        } else {
            throw EnvelopeError(
                .unknownArguments,
                "\(arguments.count) positional arguments; \(name.prefix(200)) takes keywords, or one object")
        }
        for (key, value) in positional {
            guard payload.updateValue(value, forKey: key) == nil else { throw .invalid(key, "comes twice") }
        }
        return payload
    }

    /// The first that is there, of the labels or of the payload, which loses it.
    private func identifier(
        _ names: [String], _ payload: inout [String: JSONValue]
    ) throws(EnvelopeError) -> String? {
        var found: String?
        for name in names {
            let inPayload = payload.removeValue(forKey: name)
            guard found == nil, let value = labels[name] ?? inPayload, !value.isNull else { continue }
            found = try value.identifier(name, longest: 128)
        }
        return found
    }
}

extension [String: JSONValue] {
    /// By name: so that a message with several faults is refused for the same one every time.
    var inOrder: [(key: String, value: JSONValue)] { sorted { $0.key < $1.key } }
}

extension JSONValue {
    /// A whole number, also when it is written as a text or with a fraction.
    var looseInteger: Int64? { looseNumber.flatMap { Int64(exactly: $0.rounded(.down)) } }

    var looseNumber: Double? {
        if let value = doubleValue { return value }
        return stringValue.flatMap(Double.init).flatMap { $0.isFinite ? $0 : nil }
    }

    /// A cap in whole seconds, rounded up; `nil` for what is no time.
    var wallSeconds: Int? {
        guard let seconds = looseNumber, seconds > 0, seconds <= 10_000_000 else { return nil }
        return Int(seconds.rounded(.up))
    }
}
