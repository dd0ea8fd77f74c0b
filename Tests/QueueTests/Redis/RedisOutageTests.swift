import Envelopes
import Foundation
import Model
import PoolTestSupport
import ProgressRedis
import Testing
import WorkerCore

@Suite("Redis that goes away and comes back", .enabled(if: Servers.hasRedis, "REELPOOL_TEST_REDIS names no server"))
struct RedisOutageTests {
    private static func job(_ number: Int) throws -> NewJob {
        try read(
            native(
                """
                {"version":1,"idempotency_key":"\(number)","kind":"render","owner":"o","payload":{},
                "progress":{"project_id":"p\(number)"}}
                """))
    }

    @Test("holds nobody up, and then hears the latest of every job, its end, and all results")
    func outage() async throws {
        try await Servers.with("redis") { servers in
            let redis = try servers.redis()
            let progress = RedisProgress(redis)
            let jobs = try (0..<300).map { try Self.job($0) }
            for job in jobs { progress.tell(.running(job, sequence: 1, fraction: 0.1)) }
            try await eventually("the first are told") { progress.backlog.pending == 0 }

            let subscriber = RedisSubscriber(RedisSettings(address: try RedisAddress(url: servers.redisURL)))
            var events = subscriber.events(on: ProgressTelling.channel(of: jobs[0].id)).makeAsyncIterator()
            #expect(await events.next() == .subscribed)

            try await servers.halt("redis")
            // Telling never waits.
            let started = ContinuousClock.now
            for sequence in 2...50 {
                for job in jobs { progress.tell(.running(job, sequence: Int64(sequence), fraction: 0.5)) }
            }
            for job in jobs.prefix(100) { progress.tell(.ended(job, sequence: 99)) }
            #expect(ContinuousClock.now - started < .seconds(20))
            #expect((250...300).contains(progress.backlog.pending))

            let results = RedisResults(redis)
            let task = try read(CapturedTaskIQ.delivery(), rules: CapturedTaskIQ.rules)
            let body = try #require(ForeignResults.notices(ofEnded: .ended(task, result: "1")).first)
            let notice = Notice(id: 1, job: task.id, channel: body.channel, body: body.body, tries: 0)
            let refused = await results.deliver([notice])
            #expect(refused.failed == [1] && refused.lastError != nil && refused.delivered.isEmpty)
            var message = CeleryMessage()
            message.body = "[[],{},{\"chain\":[1]}]"
            let unreadable = try #require(refusal(message.delivery))
            results.tell(try #require(ForeignResults.notice(refusing: unreadable, now: 0)))

            try await servers.resume("redis")
            try await eventually("all is told") { progress.backlog.pending == 0 }
            #expect(progress.backlog.dropped == 0)
            for (index, job) in jobs.enumerated() {
                let reply = try await redis.run([.texts("HGET", ProgressTelling.snapshotKey(of: job.id), "data")])
                let data = try json(reply.first?.text)
                #expect(data["sequence"]?.integerValue == (index < 100 ? 99 : 50), "job \(index)")
                #expect(data["state"]?.stringValue == (index < 100 ? "succeeded" : "running"))
            }
            try await eventually("the result is delivered") { await results.deliver([notice]).delivered == [1] }
            try await eventually("the refusal is told") {
                try await redis.run([.texts("EXISTS", "celery-task-meta-c-1")]).first == .integer(1)
            }
            // A reader is told that it has missed something.
            var seen: [ChannelEvent] = []
            while !seen.contains(.subscribed), let event = await events.next() { seen.append(event) }
            #expect(seen.contains(.subscribed))
            subscriber.close()
            await progress.close()
            await redis.close()
        }
    }
}
