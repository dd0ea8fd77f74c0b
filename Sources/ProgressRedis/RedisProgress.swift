internal import Envelopes
package import WorkerCore

/// Tells progress by Redis. While Redis is away the latest update of each job is kept, and told when it is back.
package final class RedisProgress: ProgressSink {
    /// Jobs whose updates are kept at most.
    package static let maximumPending = ProgressCourier.maximumPending

    private let courier: ProgressCourier

    package init(_ client: RedisClient) {
        courier = ProgressCourier { updates in
            do {
                let replies = try await client.run(updates.map { .fenced(ProgressTelling.write(for: $0)) })
                return zip(updates, replies).filter { $1.isPassing }.map { $0.0 }
            } catch {
                return updates
            }
        }
    }

    package func tell(_ update: ProgressUpdate) { courier.tell(update) }

    /// Updates that are still to be told, and those that were forgotten for want of room or refused by Redis.
    package var backlog: (pending: Int, dropped: Int) { courier.backlog }

    /// Tells what is pending if Redis is there within this time, and ends.
    package func close(patienceSeconds: Double = 2) async { await courier.close(patienceSeconds: patienceSeconds) }
}
