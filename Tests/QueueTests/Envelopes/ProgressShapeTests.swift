import Envelopes
import Model
import Testing
import WorkerCore

@Suite("Progress")
struct ProgressShapeTests {
    private static func job(_ kind: JobKind, subject: String = #""export_id":"e1""#) throws -> NewJob {
        try read(
            native(
                """
                {"version":1,"idempotency_key":"k","kind":"\(kind.rawValue)","owner":"o","payload":{},
                "progress":{"project_id":"p1",\(subject)}}
                """))
    }

    @Test("goes to the job's own channel and is its snapshot")
    func ownChannel() throws {
        let job = try Self.job(.render)
        let write = ProgressTelling.write(for: .running(job, epoch: 3, sequence: 9, fraction: 0.4256))
        #expect(write.key == "reelpool:progress:\(job.id)" && write.rule == .above)
        #expect(write.epoch == 3 && write.sequence == 9)
        let message = try #require(try write.messages(on: "reelpool:job:\(job.id)").first)
        #expect(try JSONValue(parsing: write.data) == message)
        #expect(message["progress_percent"]?.doubleValue == 42.6)
        #expect(message["current_step"] == "encoding" && message["state"] == "running" && message["sequence"] == 9)
    }

    @Test(
        "of a project's job goes to the project in the words of its kind",
        arguments: [
            (JobKind.render, ["export_started", "export_progress"], "export_complete", "export_failed"),
            (.analysis, ["analysis_started", "analysis_progress"], "analysis_complete", "analysis_failed"),
            (.proxy, ["clip_processing"], "clip_ready", "clip_failed"),
            // It has come, and is not ready.
            (.download, ["clip_processing"], "clip_processing", "clip_failed"),
        ])
    func project(kind: JobKind, running: [String], complete: String, failed: String) throws {
        let job = try Self.job(kind)
        let channel = "project:p1:events"
        func types(_ update: ProgressUpdate) throws -> [String] {
            try ProgressTelling.write(for: update).messages(on: channel).compactMap { $0["type"]?.stringValue }
        }
        #expect(try types(.running(job, sequence: 1)) == running)
        #expect(try types(.ended(job, sequence: 2)) == [complete])
        for state in [ProgressUpdate.State.failed, .dead, .cancelled] {
            let failure = Failure(code: .crashed, message: "it crashed", detail: "secret")
            let update = ProgressUpdate.ended(job, sequence: 2, state: state, failure: failure)
            let write = ProgressTelling.write(for: update)
            let event = try #require(try write.messages(on: channel).last)
            #expect(event["type"]?.stringValue == failed)
            #expect(event["error"] == ["code": "crashed", "category": "crashed", "message": "it crashed"])
        }
        let write = ProgressTelling.write(for: .running(job, sequence: 1, fraction: 0.25))
        let event = try #require(try write.messages(on: channel).last)
        #expect(event["progress_percent"]?.doubleValue == 25 && event["current_step"] == "encoding")
        #expect(
            event["project_id"] == "p1" && event["export_id"] == "e1" && event["job_id"]?.stringValue == job.id.text)
        // A late subscriber finds the latest event for an hour.
        #expect(
            write.operations.contains(
                .set(key: "progress_snapshot:p1", value: event.bytes, keepSeconds: 3600)))
    }

    @Test("of what no project has words for stays on the job's channel", arguments: [JobKind.probe, .noop])
    func quietKinds(kind: JobKind) throws {
        #expect(ProgressTelling.write(for: .running(try Self.job(kind), sequence: 1)).operations.count == 1)
    }

    @Test("is 100 at success, and within 0 and 100 always", arguments: [-1, 0, 0.5, 2, .nan, .infinity])
    func percent(fraction: Double) throws {
        let job = try Self.job(.render)
        let value = ProgressTelling.json(of: .running(job, sequence: 1, fraction: fraction))["progress_percent"]
        #expect((0...100).contains(try #require(value?.doubleValue)))
        #expect(ProgressTelling.json(of: .ended(job, sequence: 2))["progress_percent"] == 100)
    }

    @Test("reaches TaskIQ's tracker in its client's serializer, and Celery's own state")
    func foreign() throws {
        let task = try read(CapturedTaskIQ.delivery(), rules: CapturedTaskIQ.rules)
        let tracked = ProgressTelling.write(for: .running(task, sequence: 1))
        let pickle = try #require(tracked.value(of: "id-2__progress"))
        #expect(pickle.prefix(2) == [0x80, 2])

        let celery = try read(CeleryMessage().delivery)
        let pending = ProgressTelling.write(for: .running(celery, sequence: 1))
        let meta = try JSONValue(parsing: try #require(pending.value(of: "celery-task-meta-c-1")))
        #expect(meta["status"] == "PROGRESS" && meta["result"]?["current_step"] == "encoding")
        // The end is told by the result alone.
        #expect(ProgressTelling.write(for: .ended(celery, sequence: 2)).value(of: "celery-task-meta-c-1") == nil)
    }
}
