import Envelopes
import Model
import Testing
import WorkerCore

@Suite("A TaskIQ message")
struct TaskIQMessageTests {
    @Test("as captured from a client becomes a job, its labels what they mean")
    func captured() throws {
        let job = try read(CapturedTaskIQ.delivery(), rules: CapturedTaskIQ.rules)
        // By Python's uuid.uuid5 of the door, the queue and the task's id.
        #expect(job.id.text == "0b099565-a560-5657-bdf4-1e127e4968ca")
        #expect(job.idempotencyKey == "taskiq\nid-2")
        #expect(job.kind == .probe)
        #expect(job.owner == "default")
        #expect(job.tier == Tier(3))
        #expect(job.caps == JobCaps(wallSeconds: 30))
        #expect(job.maxAttempts == 5)
        #expect(job.ingress == .taskiq)
        #expect(job.payload == #"{"n":2,"w":1,"when":"2024-01-02T03:04:05Z"}"#)
        let reply = try json(job.reply)
        #expect(reply["key"] == "id-2" && reply["serializer"] == "pickle" && reply["keep_seconds"] == 86_400)
        #expect(
            reply["labels"]
                == ["timeout": 30, "retry_on_error": true, "max_retries": 5, "priority": 3, "delay": 5])
    }

    @Test("waits as long as its delay says, unless a delay queue has held it back already")
    func delay() throws {
        #expect(try read(CapturedTaskIQ.delivery(), rules: CapturedTaskIQ.rules).delayMilliseconds == 5000)
        let death = HeaderValue.array([
            .table(["count": .integer(1), "reason": .text("expired"), "queue": .text("tq.delay")])
        ])
        let held = CapturedTaskIQ.delivery(headers: ["x-death": death])
        #expect(try read(held, rules: CapturedTaskIQ.rules).delayMilliseconds == 0)
    }

    private static func message(
        args: String = "[]", kwargs: String = "{}", labels: String = "{}", types: String = "null",
        name: String = "render"
    ) -> Delivery {
        Delivery(
            queue: "taskiq",
            body: Array(
                """
                {"task_id":"t1","task_name":"\(name)","labels":\(labels),"labels_types":\(types),"args":\(args),\
                "kwargs":\(kwargs)}
                """.utf8))
    }

    @Test("has its payload in keywords, or in one object, or in arguments that the rules name")
    func arguments() throws {
        #expect(try read(Self.message(kwargs: #"{"a":1}"#)).payload == #"{"a":1}"#)
        #expect(try read(Self.message(args: #"[{"a":1}]"#, kwargs: #"{"b":2}"#)).payload == #"{"a":1,"b":2}"#)
        #expect(try read(Self.message()).payload == "{}")
        #expect(refusal(Self.message(args: "[1]"))?.reason == .unknownArguments)
        #expect(refusal(Self.message(args: "[{},{}]"))?.reason == .unknownArguments)
        #expect(refusal(Self.message(args: #"[{"a":1}]"#, kwargs: #"{"a":2}"#))?.reason == .invalidField)

        let rules = TaskRules(tasks: [
            "render": .init(.render, positional: ["edit", "output"], renamed: ["out": "output"], dropped: ["debug"])
        ])
        #expect(
            try read(Self.message(args: #"[{"e":1},"x"]"#, kwargs: #"{"debug":true}"#), rules: rules).payload
                == #"{"edit":{"e":1},"output":"x"}"#)
        #expect(
            try read(Self.message(args: #"[{"e":1}]"#, kwargs: #"{"out":"x"}"#), rules: rules).payload
                == #"{"edit":{"e":1},"output":"x"}"#)
        #expect(refusal(Self.message(args: "[1,2,3]"), rules: rules)?.reason == .unknownArguments)
    }

    @Test("names its owner and project in a label or in an argument, which then is no part of the payload")
    func ownerAndProject() throws {
        let byArguments = try read(
            Self.message(kwargs: #"{"user_id":42,"project_id":"p-1","export_id":"e-1","a":1}"#))
        #expect(byArguments.owner == "42")
        #expect(byArguments.payload == #"{"a":1}"#)
        let route = try json(byArguments.progressRoute)
        #expect(route["project"] == "p-1" && route["subject"] == ["export_id": "e-1"])

        let byLabels = try read(
            Self.message(kwargs: #"{"user_id":42}"#, labels: #"{"owner":"carol","project_uuid":"p-2","tier":"2"}"#))
        #expect(byLabels.owner == "carol")
        #expect(byLabels.payload == "{}")
        #expect(try json(byLabels.progressRoute)["project"] == "p-2")
        #expect(byLabels.tier == Tier(2))
        #expect(refusal(Self.message(kwargs: #"{"owner":["a"]}"#))?.reason == .invalidField)
    }

    @Test("is tried once when its client retries nothing, and never more often than allowed")
    func attempts() throws {
        let off = Self.message(labels: #"{"retry_on_error":"False"}"#, types: #"{"retry_on_error":5}"#)
        #expect(try read(off).maxAttempts == 1)
        #expect(try read(Self.message(labels: #"{"max_retries":1000}"#)).maxAttempts == 10)
        #expect(try read(Self.message(labels: #"{"max_retries":0}"#)).maxAttempts == 1)
        #expect(try read(Self.message()).maxAttempts == 3)
    }

    @Test("has labels of all types that TaskIQ has")
    func labelTypes() throws {
        let job = try read(
            Self.message(
                labels: #"{"a":"[1, 'x']","i":"-7","s":"7","f":"1.5","b":"true","y":"AAE=","n":3,"z":null}"#,
                types: #"{"a":1,"i":2,"s":3,"f":4,"b":5,"y":6,"n":2,"z":null}"#))
        #expect(
            try json(job.reply)["labels"]
                == [
                    "a": "[1, 'x']", "i": -7, "s": "7", "f": .number("1.5"), "b": true, "y": "AAE=", "n": 3, "z": .null,
                ])
        #expect(refusal(Self.message(labels: #"{"i":"x"}"#, types: #"{"i":2}"#))?.reason == .invalidField)
        #expect(refusal(Self.message(labels: #"{"i":"1"}"#, types: #"{"i":9}"#))?.reason == .invalidField)
    }

    @Test("is refused with the reason, and its client can be told")
    func refused() throws {
        let unknown = try #require(refusal(Self.message(name: "email")))
        #expect(unknown.reason == .unknownTask && unknown.code == .unknownTask)
        let notice = try #require(ForeignResults.notice(refusing: unknown, now: 1000))
        let write = try #require(ForeignResults.write(forBody: notice.body))
        #expect(write.operations.count == 1)

        let nameless = Delivery(queue: "taskiq", body: Array(#"{"task_name":"render","task_id":7}"#.utf8))
        #expect(refusal(nameless)?.reason == .invalidField)
        let stealing = Delivery(
            queue: "taskiq",
            body: Array(Self.message().text.replacing("\"t1\"", with: "\"reelpool:result:x\"").utf8))
        #expect(refusal(stealing)?.reason == .invalidField && refusal(stealing)?.reply == nil)
        let pickled = Delivery(queue: "taskiq", body: [0x80, 0x04, 0x95])
        #expect(refusal(pickled)?.reason == .notJSON)
        #expect(refusal(pickled)?.reply == nil)
    }

    @Test("is another job on another queue, and the same on the same")
    func identity() throws {
        var (here, there) = (Self.message(), Self.message())
        there.queue = "other"
        #expect(try read(here).id != read(there).id)
        here.isRedelivered = true
        #expect(try read(here).id == read(Self.message()).id)
    }

    @Test("is answered as its client's result backend is set up")
    func replies() throws {
        var replies = ReplySettings()
        replies.taskiqSerializer = .json
        replies.taskiqPrefix = "app"
        replies.keepSeconds = nil
        let reply = try json(try read(Self.message(), replies: replies).reply)
        #expect(reply["key"] == "app:t1" && reply["serializer"] == "json" && reply["keep_seconds"] == .null)
    }
}
