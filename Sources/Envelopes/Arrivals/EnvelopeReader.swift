internal import Model
package import WorkerCore

/// The languages in which jobs are sent over a queue.
package enum Dialect: String, Sendable, CaseIterable {
    /// Reelpool's own JSON; docs/scheduling.md has the schema.
    case native
    case taskiq
    /// Protocol 2.
    case celery
}

/// Makes jobs of messages. Pure: the same message at the same time is the same job, or is refused for the same reason.
package struct EnvelopeReader: Sendable {
    /// What is expected on one queue.
    package struct Source: Sendable {
        /// `nil`: each message tells its own.
        package var dialect: Dialect?
        /// By which door messages in Reelpool's own form come in here.
        package var ingress = Ingress.native
        package var rules: TaskRules
        package var replies: ReplySettings

        package init(dialect: Dialect? = nil, rules: TaskRules = TaskRules(), replies: ReplySettings = ReplySettings())
        {
            (self.dialect, self.rules, self.replies) = (dialect, rules, replies)
        }

        /// For what somebody sends who waits for the answer.
        package init(ingress: Ingress, rules: TaskRules) {
            self.init(dialect: .native, rules: rules)
            self.ingress = ingress
        }
    }

    /// A task is a few hundred bytes; what is larger belongs into a store, with its address here.
    package static let maximumBytes = 256 * 1024
    package static let maximumDepth = 32

    private let sources: [String: Source]
    private let fallback: Source

    /// - Parameters:
    ///   - sources: by the queue's name.
    ///   - fallback: for queues that are not among them.
    package init(sources: [String: Source] = [:], fallback: Source = Source()) {
        (self.sources, self.fallback) = (sources, fallback)
    }

    /// - Parameter now: milliseconds since 1970, for messages that name points in time.
    package func read(_ delivery: Delivery, now: StoreTime) throws(EnvelopeError) -> NewJob {
        let source = sources[delivery.queue] ?? fallback
        var job = try read(delivery, source, now: now)
        job.bill(source.rules.billing)
        // Whoever sent a message has gone: he is told of a refusal as of any other end, and what he debited is given back.
        job.keepsRefusal = job.billing != .off && job.ingress.isQueue
        return job
    }

    private func read(_ delivery: Delivery, _ source: Source, now: StoreTime) throws(EnvelopeError) -> NewJob {
        guard delivery.bodySize <= Self.maximumBytes, delivery.body.count <= Self.maximumBytes else {
            throw EnvelopeError(.tooLarge, "\(delivery.bodySize) bytes; \(Self.maximumBytes) are allowed")
        }
        if source.dialect ?? Self.dialectByHeaders(delivery) == .celery {
            return try CeleryEnvelope(delivery, source: source).job(now: now)
        }
        let body = try Self.parse(delivery.body)
        switch source.dialect ?? Self.dialectByBody(body) {
        case .native: return try NativeEnvelope(body, source: source).job()
        case .taskiq: return try TaskIQEnvelope(body, delivery: delivery, source: source).job()
        case .celery, nil: throw EnvelopeError(.unknownDialect, "neither Reelpool's own JSON nor TaskIQ nor Celery")
        }
    }

    /// Celery puts the task's name and id into the headers, and a list into the body.
    private static func dialectByHeaders(_ delivery: Delivery) -> Dialect? {
        let headers = delivery.properties.headers
        return headers["task"] != nil && headers["id"] != nil && headers["task_name"] == nil ? .celery : nil
    }

    private static func dialectByBody(_ body: JSONValue) -> Dialect? {
        if body["task_name"] != nil { return .taskiq }
        return body["kind"] != nil || body["version"] != nil ? .native : nil
    }

    static func parse(_ bytes: [UInt8]) throws(EnvelopeError) -> JSONValue {
        do {
            return try JSONValue(parsing: bytes, maximumDepth: maximumDepth)
        } catch {
            throw EnvelopeError(
                error.kind == .tooDeep ? .tooDeep : .notJSON, "byte \(error.offset): \(error.reason)")
        }
    }
}
