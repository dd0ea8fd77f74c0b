internal import Envelopes
internal import Model
internal import ProgressRedis
internal import Service
internal import WorkerCore

/// What runs on any worker, by Redis.
struct RedisTap: ProgressTap {
    let subscriber: RedisSubscriber
    let client: RedisClient

    func updates(of job: JobID) -> AsyncStream<JSONValue> {
        let events = subscriber.events(on: ProgressTelling.channel(of: job))
        let (stream, continuation) = AsyncStream.makeStream(of: JSONValue.self)
        let work = Task {
            for await event in events {
                let bytes: [UInt8]?
                switch event {
                case .message(let message): bytes = message
                // What was published before is kept under a key.
                case .subscribed: bytes = await snapshot(of: job)
                }
                if let bytes, let update = try? JSONValue(parsing: bytes) { continuation.yield(update) }
            }
            continuation.finish()
        }
        continuation.onTermination = { _ in work.cancel() }
        return stream
    }

    private func snapshot(of job: JobID) async -> [UInt8]? {
        let words = ["HGET", ProgressTelling.snapshotKey(of: job), "data"].map { Array($0.utf8) }
        guard case .bytes(let bytes) = try? await client.run([.plain(words)]).first else { return nil }
        return bytes
    }
}
