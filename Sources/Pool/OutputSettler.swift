internal import LocalObjects
internal import WorkerCore

/// Settles what killed workers left of jobs that have ended by now.
struct OutputSettler: Sendable {
    let objects: LocalObjects
    let queue: any WorkQueue

    func run() async {
        while !Task.isCancelled {
            for lease in await OwnThread.run(named: "reelpool.files", { [objects] in objects.unsettled() }) {
                guard let job = try? await queue.job(lease.job), job.state.isFinal else { continue }
                let succeeded = job.state == .succeeded && job.epoch == lease.epoch
                await OwnThread.run(named: "reelpool.files") { [objects] in
                    objects.settle(Lease(job: job.id, epoch: job.epoch), succeeded: succeeded)
                }
            }
            try? await Task.sleep(for: .seconds(5))
        }
    }
}
