import Envelopes
import Foundation
import Model
import PoolTestSupport
import ProgressRedis
import Testing
import WorkerCore

@Suite("What is told by Redis", .enabled(if: Servers.hasRedis, "REELPOOL_TEST_REDIS names no server"))
struct FenceTests {
    private static func job(kind: JobKind = .render, project: String = "p") throws -> NewJob {
        try read(
            native(
                """
                {"version":1,"idempotency_key":"\(UUID().uuidString)","kind":"\(kind.rawValue)","owner":"o","payload":{},
                "progress":{"project_id":"\(project)"}}
                """))
    }

    private static func get(_ redis: RedisClient, _ words: String...) async throws -> RedisReply {
        try #require(try await redis.run([.plain(words.map { Array($0.utf8) })]).first)
    }

    @Test("goes forwards only: what is not above the last epoch and sequence is refused")
    func monotonic() async throws {
        let redis = try Servers.shared.redis()
        let job = try Self.job()
        func offer(_ epoch: Int64, _ sequence: Int64) async throws -> RedisReply? {
            try await redis.run([
                .fenced(ProgressTelling.write(for: .running(job, epoch: epoch, sequence: sequence)))
            ]).first
        }
        for (epoch, sequence, answer) in [
            (1, 1, 1), (1, 1, 0), (1, 3, 1), (1, 2, 0), (2, 1, 1), (1, 99, 0), (2, 2, 1),
        ] as [(Int64, Int64, Int64)] {
            #expect(try await offer(epoch, sequence) == .integer(answer), "\(epoch).\(sequence)")
        }
        let snapshot = try await Self.get(redis, "HGET", ProgressTelling.snapshotKey(of: job.id), "data")
        let data = try json(snapshot.text)
        #expect(data["epoch"] == 2 && data["sequence"] == 2)
        guard case .integer(let seconds) = try await Self.get(redis, "TTL", ProgressTelling.snapshotKey(of: job.id))
        else { return }
        #expect((1...Int64(ProgressTelling.keepSeconds)).contains(seconds))
        await redis.close()
    }

    @Test("comes to every reader in order, however many write at once")
    func concurrent() async throws {
        let job = try Self.job()
        let subscriber = RedisSubscriber(
            RedisSettings(address: try RedisAddress(url: Servers.shared.redisURL)))
        var events = subscriber.events(on: ProgressTelling.channel(of: job.id)).makeAsyncIterator()
        #expect(await events.next() == .subscribed)
        let clients = try (0..<4).map { try Servers.shared.redis("writer\($0)") }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, client) in clients.enumerated() {
                group.addTask {
                    for number in 0..<50 {
                        let update = ProgressUpdate.running(job, sequence: Int64(number * 4 + index))
                        _ = try await client.run([.fenced(ProgressTelling.write(for: update))])
                    }
                }
            }
            try await group.waitForAll()
        }
        let last = ProgressUpdate.ended(job, sequence: 1000)
        _ = try await clients[0].run([.fenced(ProgressTelling.write(for: last))])
        var sequences: [Int64] = []
        while case .message(let bytes)? = await events.next() {
            let sequence = try #require(try JSONValue(parsing: bytes)["sequence"]?.integerValue)
            sequences.append(sequence)
            if sequence == 1000 { break }
        }
        #expect(sequences.count > 50)
        #expect(sequences == sequences.sorted() && Set(sequences).count == sequences.count)
        subscriber.close()
        for client in clients { await client.close() }
    }

    @Test("begins once for a project, and its latest event stays for an hour")
    func project() async throws {
        let redis = try Servers.shared.redis()
        let project = UUID().uuidString.lowercased()
        let job = try Self.job(project: project)
        let subscriber = RedisSubscriber(RedisSettings(address: try RedisAddress(url: Servers.shared.redisURL)))
        var events = subscriber.events(on: "project:\(project):events").makeAsyncIterator()
        #expect(await events.next() == .subscribed)
        let progress = RedisProgress(redis)
        for update in [
            ProgressUpdate.running(job, sequence: 1, fraction: 0.1), .running(job, sequence: 2, fraction: 0.2),
            .ended(job, sequence: 3, result: #"{"key":"out.mp4"}"#),
        ] {
            progress.tell(update)
            try await eventually("it is told") { progress.backlog.pending == 0 }
        }
        var types: [String] = []
        while types.last != "export_complete", case .message(let bytes)? = await events.next() {
            types.append(try JSONValue(parsing: bytes)["type"]?.stringValue ?? "")
        }
        #expect(types.first == "export_started" && types.count { $0 == "export_started" } == 1)
        #expect(types.last == "export_complete" && types.contains("export_progress"))
        let snapshot = try await Self.get(redis, "GET", "progress_snapshot:\(project)")
        #expect(try json(snapshot.text)["result"] == ["key": "out.mp4"])
        guard case .integer(let seconds) = try await Self.get(redis, "TTL", "progress_snapshot:\(project)") else {
            return
        }
        #expect((3000...3600).contains(seconds))
        subscriber.close()
        await progress.close()
        await redis.close()
    }

    @Test("never writes progress over a Celery task's result")
    func celeryRace() async throws {
        let redis = try Servers.shared.redis()
        var message = CeleryMessage()
        let taskID = UUID().uuidString
        message.headers["id"] = .text(taskID)
        let job = try read(message.delivery)
        let results = RedisResults(redis)
        func status() async throws -> String? {
            try json(try await Self.get(redis, "GET", "celery-task-meta-\(taskID)").text)["status"]?.stringValue
        }
        func tell(_ update: ProgressUpdate) async throws {
            _ = try await redis.run([.fenced(ProgressTelling.write(for: update))])
        }
        try await tell(.running(job, sequence: 1))
        #expect(try await status() == "PROGRESS")
        let notice = try #require(ForeignResults.notices(ofEnded: .ended(job, result: "1")).first)
        let delivery = await results.deliver([
            Notice(id: 5, job: job.id, channel: notice.channel, body: notice.body, tries: 0)
        ])
        #expect(delivery == NoticeDelivery(delivered: [5]))
        try await tell(.running(job, sequence: 2))
        #expect(try await status() == "SUCCESS")
        await redis.close()
    }

    @Test("is not an older result over a newer one, and may be told twice")
    func olderResult() async throws {
        let redis = try Servers.shared.redis()
        var message = CeleryMessage()
        let taskID = UUID().uuidString
        message.headers["id"] = .text(taskID)
        let job = try read(message.delivery)
        let results = RedisResults(redis)
        func deliver(_ record: JobRecord) async throws {
            let notice = try #require(ForeignResults.notices(ofEnded: record).first)
            for _ in 0..<2 {
                let outcome = await results.deliver([
                    Notice(id: 1, job: job.id, channel: notice.channel, body: notice.body, tries: 0)
                ])
                #expect(outcome.delivered == [1])
            }
        }
        let failure = Failure(code: .crashed, message: "x")
        try await deliver(.ended(job, epoch: 2, result: "2"))
        try await deliver(.ended(job, state: .dead, epoch: 1, failure: failure))
        let meta = try json(try await Self.get(redis, "GET", "celery-task-meta-\(taskID)").text)
        #expect(meta["result"] == 2)
        let strange = await results.deliver([
            Notice(id: 1, job: job.id, channel: "webhook", body: "{}", tries: 0),
            Notice(id: 2, job: job.id, channel: "redis", body: "{}", tries: 0),
        ])
        #expect(Set(strange.unusable) == [1, 2] && strange.delivered.isEmpty)
        await redis.close()
    }

    @Test("goes on when Redis forgets its scripts")
    func scriptFlush() async throws {
        let redis = try Servers.shared.redis()
        let job = try Self.job()
        func offer(_ sequence: Int64) async throws -> RedisReply? {
            try await redis.run([
                .texts("SCRIPT", "FLUSH"),
                .fenced(ProgressTelling.write(for: .running(job, sequence: sequence))),
            ]).last
        }
        #expect(try await offer(1) == .integer(1))
        #expect(try await offer(2) == .integer(1))
        await redis.close()
    }
}

@Suite("Redis' address")
struct RedisAddressTests {
    @Test("has all its parts, decoded")
    func parts() throws {
        let address = try RedisAddress(url: "redis://us:p%40w@h:7000/5")
        #expect(address.place == .tcp(host: "h", port: 7000) && address.database == 5)
        #expect(address.user == "us" && address.password == "p@w" && !"\(address)".contains("p@w"))
        #expect(try RedisAddress(url: "redis://h").place == .tcp(host: "h", port: 6379))
        #expect(try RedisAddress(url: "redis://:pw@h").user == nil)
        #expect(try RedisAddress(url: "unix:///run/redis.sock?db=2").database == 2)
    }

    @Test(
        "is refused when it is none, or asks for what this hiredis cannot",
        arguments: ["", "rediss://h", "h:1", "redis://h:0"])
    func invalid(url: String) {
        let error = #expect(throws: RedisError.self) { try RedisAddress(url: url) }
        #expect(error?.kind == .invalidAddress)
    }

    @Test("with a wrong password is refused", .enabled(if: Servers.hasRedis, "REELPOOL_TEST_REDIS names no server"))
    func wrongPassword() async throws {
        var address = try RedisAddress(url: Servers.shared.redisURL)
        address.password = "wrong-secret"
        let client = RedisClient(RedisSettings(address: address))
        let error = await #expect(throws: RedisError.self) { try await client.run([.texts("PING")]) }
        #expect(error?.kind == .loginRefused && error?.message.contains("wrong-secret") == false)
        await client.close()
    }
}
