import Envelopes
import Model
import Testing
import WorkerCore

@Suite("The answer to a client")
struct AnswerTests {
    private static func write(_ record: JobRecord) throws -> FencedWrite {
        let notices = ForeignResults.notices(ofEnded: record)
        #expect(notices.map(\.channel) == ["redis"])
        let notice = try #require(notices.first)
        return try #require(ForeignResults.write(forBody: notice.body))
    }

    private static func taskiqJob() throws -> NewJob {
        var replies = ReplySettings()
        replies.taskiqSerializer = .json
        return try read(CapturedTaskIQ.delivery(), rules: CapturedTaskIQ.rules, replies: replies)
    }

    @Test("of TaskIQ is a result with all its fields")
    func taskiqSuccess() throws {
        let job = try Self.taskiqJob()
        let write = try Self.write(.ended(job, epoch: 7, result: #"{"frames":12,"exact":1.50}"#))
        #expect(write.epoch == 7 && write.rule == .notBelow)
        let result = try JSONValue(parsing: try #require(write.value(of: "id-2")))
        #expect(
            result == [
                "is_err": false, "log": .null, "return_value": ["frames": 12, "exact": .number("1.50")],
                "execution_time": .number("2.5"), "error": .null,
                "labels": ["timeout": 30, "retry_on_error": true, "max_retries": 5, "priority": 3, "delay": 5],
            ])
    }

    @Test("of TaskIQ to a failure is an exception by the failure's category")
    func taskiqFailure() throws {
        let failure = Failure(code: .truncated, message: "the file ends early", detail: "secret")
        let write = try Self.write(.ended(try Self.taskiqJob(), state: .failed, failure: failure))
        let result = try JSONValue(parsing: try #require(write.value(of: "id-2")))
        #expect(result["is_err"] == true && result["return_value"] == .null)
        #expect(
            result["error"] == [
                "exc_type": "InvalidInput", "exc_message": ["the file ends early", "truncated"], "exc_module": .null,
                "exc_cause": .null, "exc_context": .null, "exc_suppress_context": false,
            ])
        #expect(!result.text.contains("secret"))
    }

    @Test("of Celery is stored and published, the same both times")
    func celerySuccess() throws {
        let job = try read(CeleryMessage().delivery)
        let write = try Self.write(.ended(job, result: "[1]"))
        let value = try #require(write.value(of: "celery-task-meta-c-1"))
        #expect(write.operations.last == .publish(channel: "celery-task-meta-c-1", value: value))
        #expect(
            try JSONValue(parsing: value) == [
                "status": "SUCCESS", "result": [1], "traceback": .null, "children": [], "task_id": "c-1",
                "date_done": "2026-01-01T00:00:02.500000+00:00",
            ])
    }

    @Test(
        "of Celery to what was cancelled or came too late is a revocation, and to all else a failure",
        arguments: [
            (FailureCode.cancelled, "REVOKED", "TaskRevokedError"), (.expired, "REVOKED", "TaskRevokedError"),
            (.memoryLimit, "FAILURE", "LimitExceeded"), (.crashed, "FAILURE", "WorkerCrashed"),
        ])
    func celeryFailure(code: FailureCode, status: String, type: String) throws {
        let job = try read(CeleryMessage().delivery)
        let write = try Self.write(.ended(job, state: .dead, failure: Failure(code: code, message: "why")))
        let meta = try JSONValue(parsing: try #require(write.value(of: "celery-task-meta-c-1")))
        #expect(meta["status"]?.stringValue == status && meta["result"]?["exc_type"]?.stringValue == type)
    }

    @Test("is there for every state in which a job ends, and for none other")
    func states() throws {
        let job = try Self.taskiqJob()
        for state in JobState.allCases {
            let notices = ForeignResults.notices(ofEnded: .ended(job, state: state))
            #expect(notices.isEmpty == !state.isFinal, "\(state)")
        }
        let own = try read(native(#"{"version":1,"idempotency_key":"k","kind":"noop","owner":"o","payload":{}}"#))
        #expect(ForeignResults.notices(ofEnded: .ended(own)).isEmpty)
    }

    @Test("is made of nothing else than such a notice", arguments: ["", "{}", "[]", #"{"version":2}"#, "null"])
    func strangeBody(body: String) {
        #expect(ForeignResults.write(forBody: body) == nil)
    }

    @Test("to a job that the store does not take says why")
    func refusedJob() throws {
        let job = try Self.taskiqJob()
        let failure = Failure(code: .queueFull, message: "too many jobs wait")
        let notice = try #require(ForeignResults.notice(refusing: job, because: failure, now: 5))
        let write = try #require(ForeignResults.write(forBody: notice.body))
        let result = try JSONValue(parsing: try #require(write.value(of: "id-2")))
        #expect(result["error"]?["exc_type"] == "LimitExceeded")
    }
}
