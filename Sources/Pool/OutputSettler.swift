internal import WorkerCore

/// Settles what killed workers left of jobs that have ended by now.
struct OutputSettler: Sendable {
    let objects: any MediaObjects
    let queue: any WorkQueue

    func run() async {
        let interruption = Interruption()
        let objects = objects.heeding(interruption, for: nil)
        await withTaskCancellationHandler {
            await settle(objects)
        } onCancel: {
            // A store that is away must not hold up the end of the process.
            interruption.raise()
        }
    }

    private func settle(_ objects: any MediaObjects) async {
        while !Task.isCancelled {
            for lease in await OwnThread.run(named: "reelpool.files", { objects.unsettled() }) {
                let job: JobRecord?
                do { job = try await queue.job(lease.job) } catch { continue }
                // What is left of a job that goes on is for its next attempt.
                guard job?.state.isFinal ?? true else { continue }
                await OwnThread.run(named: "reelpool.files") {
                    guard let job else { return objects.settleForgotten(lease) }
                    // What earlier attempts left is no success, and is told from it by its epoch.
                    objects.settle(Lease(job: job.id, epoch: job.epoch), succeeded: job.state == .succeeded)
                }
            }
            try? await Task.sleep(for: .seconds(5))
        }
    }
}
