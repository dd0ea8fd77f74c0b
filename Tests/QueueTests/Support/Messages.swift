import Envelopes
import Model
import WorkerCore

/// A TaskIQ message exactly as taskiq 0.13 and taskiq-aio-pika 0.6 put it on the wire.
enum CapturedTaskIQ {
    static let body = """
        {"task_id": "id-2", "task_name": "media.probe", "labels": {"timeout": "30", "retry_on_error": "True", \
        "max_retries": "5", "priority": "3", "delay": "5"}, "labels_types": {"timeout": 2, "retry_on_error": 5, \
        "max_retries": 2, "priority": 2, "delay": 2}, "args": [{"w": 1, "when": "2024-01-02T03:04:05Z"}], \
        "kwargs": {"n": 2}}
        """

    static let rules = TaskRules(tasks: ["media.probe": .init(.probe)])

    static func delivery(headers: [String: HeaderValue] = [:]) -> Delivery {
        var properties = MessageProperties()
        properties.headers = headers
        properties.headers["task_id"] = .text("id-2")
        properties.headers["task_name"] = .text("media.probe")
        properties.headers["priority"] = .text("3")
        properties.deliveryMode = 2
        properties.priority = 3
        properties.messageID = "2c92fadd61a14851a7e0cf0f8124df21"
        return Delivery(queue: "taskiq", exchange: "taskiq", properties: properties, body: Array(body.utf8))
    }
}

/// A message of Celery 5.7's protocol 2.
struct CeleryMessage {
    var headers: [String: HeaderValue] = [
        "lang": .text("py"), "task": .text("render"), "id": .text("c-1"), "shadow": .void, "eta": .void,
        "expires": .void, "group": .void, "group_index": .void, "retries": .integer(0),
        "timelimit": .array([.void, .void]), "root_id": .text("c-1"), "parent_id": .void, "argsrepr": .text("()"),
        "kwargsrepr": .text("{}"), "origin": .text("gen1@host"), "ignore_result": .bool(false),
        "replaced_task_nesting": .integer(0), "stamped_headers": .void, "stamps": .table([:]),
    ]
    var body = #"[[], {"edit": {"a": 1}}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]"#
    var contentType = "application/json"
    var priority: UInt8 = 0

    var delivery: Delivery {
        var properties = MessageProperties()
        properties.headers = headers
        properties.contentType = contentType
        properties.contentEncoding = "utf-8"
        properties.priority = priority
        properties.correlationID = "c-1"
        properties.deliveryMode = 2
        return Delivery(queue: "celery", properties: properties, body: Array(body.utf8))
    }
}

func native(_ text: String, queue: String = "reelpool.tasks") -> Delivery {
    Delivery(queue: queue, body: Array(text.utf8))
}

/// Reads with rules for the queue's default dialect.
func read(
    _ delivery: Delivery, rules: TaskRules = TaskRules(), replies: ReplySettings = ReplySettings(), now: StoreTime = 0
) throws(EnvelopeError) -> NewJob {
    try EnvelopeReader(fallback: .init(rules: rules, replies: replies)).read(delivery, now: now)
}

/// The reason for which a message is refused.
func refusal(
    _ delivery: Delivery, rules: TaskRules = TaskRules(), now: StoreTime = 0
) -> EnvelopeError? {
    do throws(EnvelopeError) {
        _ = try read(delivery, rules: rules, now: now)
        return nil
    } catch {
        return error
    }
}

func json(_ text: String?) throws -> JSONValue { try JSONValue(parsing: text ?? "null") }
