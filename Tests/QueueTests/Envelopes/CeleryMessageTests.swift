import Envelopes
import Model
import Testing
import WorkerCore

@Suite("A Celery message")
struct CeleryMessageTests {
    @Test("becomes a job")
    func plain() throws {
        var message = CeleryMessage()
        message.priority = 2
        let job = try read(message.delivery)
        #expect(job.kind == .render && job.ingress == .celery && job.tier == Tier(2))
        #expect(job.payload == #"{"edit":{"a":1}}"#)
        #expect(job.idempotencyKey == "celery\nc-1")
        #expect(job.delayMilliseconds == 0 && job.expiresAfterMilliseconds == nil && job.caps == JobCaps())
        let reply = try json(job.reply)
        #expect(reply["key"] == "celery-task-meta-c-1" && reply["task_id"] == "c-1" && reply["dialect"] == "celery")
    }

    @Test("waits until its eta, and expires")
    func times() throws {
        var message = CeleryMessage()
        message.headers["eta"] = .text("2026-01-01T00:00:10.250000+00:00")
        message.headers["expires"] = .text("2026-01-01T01:00:00+01:00")
        message.headers["timelimit"] = .array([.integer(90), .double(60)])
        // 2026-01-01T00:00:00Z.
        let now: StoreTime = 1_767_225_600_000
        let job = try read(message.delivery, now: now)
        #expect(job.delayMilliseconds == 10_250)
        // It is over already: it expires at once, and is not run.
        #expect(job.expiresAfterMilliseconds == 1)
        #expect(job.caps.wallSeconds == 90)
        message.headers["timelimit"] = .array([.void, .double(60.5)])
        message.headers["expires"] = .text("2026-01-01T00:01:00")
        let other = try read(message.delivery, now: now)
        #expect(other.caps.wallSeconds == 61)
        #expect(other.expiresAfterMilliseconds == 60_000)
        message.headers["eta"] = .text("tomorrow")
        #expect(refusal(message.delivery, now: now)?.reason == .invalidField)
    }

    @Test("that nobody waits for has no reply")
    func ignoredResult() throws {
        var message = CeleryMessage()
        message.headers["ignore_result"] = .bool(true)
        let job = try read(message.delivery)
        #expect(job.reply == nil && job.progressRoute == nil)
        message.body = "[[],{},{\"chain\":[1]}]"
        let error = try #require(refusal(message.delivery))
        #expect(ForeignResults.notice(refusing: error, now: 0) == nil)
    }

    @Test("with canvas is refused, and its client told so", arguments: ["callbacks", "errbacks", "chain", "chord"])
    func canvas(part: String) throws {
        var message = CeleryMessage()
        message.body = #"[[], {}, {"\#(part)": [{"task": "x"}]}]"#
        let error = try #require(refusal(message.delivery))
        #expect(error.reason == .canvasNotSupported && error.message.contains(part))
        let notice = try #require(ForeignResults.notice(refusing: error, now: 0))
        let write = try #require(ForeignResults.write(forBody: notice.body))
        guard case .set(let key, let value, _)? = write.operations.first else {
            Issue.record("no result: \(write)")
            return
        }
        #expect(key == "celery-task-meta-c-1")
        let meta = try JSONValue(parsing: value)
        #expect(meta["status"] == "FAILURE" && meta["result"]?["exc_type"] == "InvalidInput")
        message.body = #"[[], {}, {"\#(part)": []}]"#
        _ = try read(message.delivery)
    }

    @Test(
        "of another protocol or serializer is refused",
        arguments: [
            ("application/x-python-serialize", "gASV"), ("application/json", #"{"task":"render","id":"1","args":[]}"#),
            ("application/json", "[[],{}]"), ("application/json", "[{},[],{}]"), ("application/x-msgpack", "..."),
        ])
    func unsupported(type: String, body: String) {
        var message = CeleryMessage()
        (message.contentType, message.body) = (type, body)
        #expect(refusal(message.delivery)?.reason == .unsupportedVersion)
    }

    @Test("names its owner in a header of its caller's, never in one of Celery's own")
    func owner() throws {
        var message = CeleryMessage()
        message.headers["owner"] = .text("dora")
        #expect(try read(message.delivery).owner == "dora")
        var rules = TaskRules()
        rules.ownerFields = ["origin"]
        #expect(try read(message.delivery, rules: rules).owner == "default")
    }

    /// By Python's datetime.
    @Test(
        "says when it is in ISO 8601",
        arguments: [
            ("2024-01-02T03:04:05Z", 1_704_164_645_000), ("2024-02-29T23:59:59.999999+05:30", 1_709_231_399_999),
            ("1969-12-31T23:59:59.500+00:00", -500), ("2100-03-01T00:00:00-08:00", 4_107_571_200_000),
            ("2000-12-31T12:00:00", 978_264_000_000),
        ])
    func instants(text: String, milliseconds: Int64) throws {
        var message = CeleryMessage()
        message.headers["eta"] = .text(text)
        let ahead = try read(message.delivery, now: milliseconds - 1234)
        #expect(ahead.delayMilliseconds == 1234, "\(text)")
    }
}
