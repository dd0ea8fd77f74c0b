import Envelopes
import Foundation
import Model
import PoolTestSupport
import ProgressRedis
import QueueRabbitMQ
import TestSupport
import WorkerCore

/// A worker as small as can be: it reads messages, keeps jobs in a table, does what their payload says, and answers.
///
/// The payload is `{"return": …}`, or `{"fail": "<code>"}`, with `{"steps": n}` for so many updates before the end.
final class TestWorker: Sendable {
    actor Table {
        private(set) var jobs: [JobID: NewJob] = [:]
        private(set) var arrivals = 0

        /// The job, when it was not there.
        func insert(_ job: NewJob) -> NewJob? {
            arrivals += 1
            return jobs.updateValue(job, forKey: job.id) == nil ? job : nil
        }
    }

    let table = Table()
    let publisher: RabbitPublisher
    private let consumer: RabbitConsumer
    private let redis: RedisClient
    private let progress: RedisProgress
    private let results: RedisResults
    private let reader: EnvelopeReader

    init(queue: ConsumedQueue, source: EnvelopeReader.Source, quarantine: String, url: String? = nil) throws {
        let address = try RabbitMQAddress(url: url ?? Servers.shared.rabbitURL)
        publisher = RabbitPublisher(
            PublisherSettings(
                addresses: [address], name: "test worker", declarations: Topology.quarantine(queue: quarantine)))
        var settings = ConsumerSettings(addresses: [address], name: "test worker", queues: [queue])
        settings.quarantineQueue = quarantine
        consumer = RabbitConsumer(settings, publisher: publisher)
        redis = try Servers.shared.redis("test worker")
        progress = RedisProgress(redis)
        results = RedisResults(redis)
        reader = EnvelopeReader(sources: [queue.name: source])
    }

    /// Works until it is told to stop, while `body` runs.
    func run(while body: () async throws -> Void) async throws {
        let work = Task { await consumer.run { await self.take($0) } }
        try await eventually("the worker consumes") { self.consumer.status.isReady }
        do {
            try await body()
        } catch {
            await end(work)
            throw error
        }
        await end(work)
    }

    private func end(_ work: Task<Void, Never>) async {
        consumer.stop()
        await work.value
        await progress.close()
        await redis.close()
        await publisher.close()
    }

    private var now: StoreTime { StoreTime(Date().timeIntervalSince1970 * 1000) }

    private func take(_ batch: [Delivery]) async -> [DeliveryDecision] {
        var decisions: [DeliveryDecision] = []
        for delivery in batch {
            do throws(EnvelopeError) {
                let job = try reader.read(delivery, now: now)
                if let new = await table.insert(job) { Task { await self.work(on: new) } }
                decisions.append(.accepted)
            } catch {
                if let notice = ForeignResults.notice(refusing: error, now: now) { results.tell(notice) }
                decisions.append(.quarantine(error.quarantineReason))
            }
        }
        return decisions
    }

    private func work(on job: NewJob) async {
        if job.delayMilliseconds > 0 { try? await Task.sleep(for: .milliseconds(job.delayMilliseconds)) }
        let payload = (try? JSONValue(parsing: job.payload)) ?? .null
        let started = now
        let steps = payload["steps"]?.integerValue ?? 1
        for step in 1...steps {
            progress.tell(.running(job, sequence: step, fraction: Double(step) / Double(steps + 1)))
            try? await Task.sleep(for: .milliseconds(payload["steps"] == nil ? 1 : 150))
        }
        var record = JobRecord.ended(
            job, result: (payload["return"] ?? .null).text, startedAt: started, finishedAt: now)
        if let code = payload["fail"]?.stringValue.flatMap(FailureCode.init(rawValue:)) {
            (record.state, record.result) = (code == .cancelled ? .cancelled : .failed, nil)
            record.failure = Failure(code: code, message: "as the test asked", detail: "not for clients")
            progress.tell(.ended(job, sequence: steps + 1, state: .failed, failure: record.failure))
        } else {
            progress.tell(.ended(job, sequence: steps + 1, result: record.result))
        }
        let notices = ForeignResults.notices(ofEnded: record).map {
            Notice(id: 1, job: job.id, channel: $0.channel, body: $0.body, tries: 0)
        }
        while !notices.isEmpty, await !results.deliver(notices).failed.isEmpty {
            try? await Task.sleep(for: .milliseconds(100))
        }
    }
}
