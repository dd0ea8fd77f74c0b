internal import EdgeWire
package import WorkerCore

/// Tells progress by way of the control service, which passes it on as a worker's own.
package final class EdgeProgress: ProgressSink {
    private let courier: ProgressCourier

    package init(_ client: EdgeClient, worker: String) {
        courier = ProgressCourier { updates in
            do {
                let _: EdgeWire.Nothing = try await client.ask(
                    "progress", EdgeWire.Progress(worker: worker, updates: updates))
                return []
            } catch EdgeClient.Obstacle.refused {
                // It would be refused for ever; more will come.
                return []
            } catch {
                return updates
            }
        }
    }

    package func tell(_ update: ProgressUpdate) { courier.tell(update) }

    /// Tells what is pending if the service is there within this time, and ends.
    package func close(patienceSeconds: Double = 2) async { await courier.close(patienceSeconds: patienceSeconds) }
}
