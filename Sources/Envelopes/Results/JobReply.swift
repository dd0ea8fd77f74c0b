package import Model

/// How a job's sender wants its answer: what stands in `NewJob.reply`, so that any worker can give it.
package enum JobReply: Sendable, Equatable {
    package struct TaskIQ: Sendable, Equatable {
        package var key: String
        package var serializer: ReplySettings.Serializer
        package var keepSeconds: Int?
        /// Sent back with the result.
        package var labels: [String: JSONValue]
    }

    package struct Celery: Sendable, Equatable {
        package var key: String
        package var taskID: String
        package var keepSeconds: Int?
    }

    case taskiq(TaskIQ)
    case celery(Celery)

    /// What progress needs of it: the labels go with the result only.
    var forProgress: JobReply {
        guard case .taskiq(var reply) = self else { return self }
        reply.labels = [:]
        return .taskiq(reply)
    }

    package var json: JSONValue {
        switch self {
        case .taskiq(let reply):
            [
                "dialect": "taskiq", "key": .string(reply.key), "serializer": .string(reply.serializer.rawValue),
                "keep_seconds": reply.keepSeconds.map { .integer($0) } ?? .null, "labels": .object(reply.labels),
            ]
        case .celery(let reply):
            [
                "dialect": "celery", "key": .string(reply.key), "task_id": .string(reply.taskID),
                "keep_seconds": reply.keepSeconds.map { .integer($0) } ?? .null,
            ]
        }
    }

    /// `nil` for what `json` does not write.
    package init?(_ json: JSONValue) {
        guard let key = json["key"]?.stringValue else { return nil }
        let keepSeconds = json["keep_seconds"]?.integerValue.map { Int($0) }
        switch json["dialect"]?.stringValue {
        case "taskiq":
            guard let serializer = json["serializer"]?.stringValue.flatMap(ReplySettings.Serializer.init(rawValue:))
            else { return nil }
            self = .taskiq(
                TaskIQ(
                    key: key, serializer: serializer, keepSeconds: keepSeconds,
                    labels: json["labels"]?.objectValue ?? [:]))
        case "celery":
            guard let taskID = json["task_id"]?.stringValue else { return nil }
            self = .celery(Celery(key: key, taskID: taskID, keepSeconds: keepSeconds))
        default:
            return nil
        }
    }

    /// `nil` when there is none, or another ingress wrote it.
    package init?(text: String?) {
        guard let text, let json = try? JSONValue(parsing: text) else { return nil }
        self.init(json)
    }
}
