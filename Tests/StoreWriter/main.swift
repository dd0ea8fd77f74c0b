import Foundation
import SQLStore
import StoreSQLite
import WorkerCore

// Inserts, claims and finishes jobs in the file named on the command line, and says what it has committed, until it is
// killed: the tests kill it in the middle of writing.

func run() async throws {
    let database = try SQLiteDatabase(
        path: CommandLine.arguments[1], options: .init(durability: .processDeath, busySeconds: 60))
    let policy = StorePolicy(
        ownerLimits: [.render: OwnerLimits(running: 1_000_000, queued: 1_000_000)],
        backoff: Backoff(baseSeconds: 1, capSeconds: 10),
        noticesOfEnded: { [NewNotice(channel: "writer", body: $0.id.text)] })
    let store = SQLJobStore(database, policy: policy)
    try await store.migrate()
    let instance = UUID().uuidString
    while true {
        let jobs = (0..<3).compactMap { _ in JobID(UUID().uuidString) }.map { id in
            NewJob(
                id: id, kind: .render, owner: "writer", payload: String(repeating: "x", count: 3000), ingress: .native)
        }
        _ = try await store.insert(jobs)
        for job in jobs { print("inserted \(job.id)") }
        let claimed = try await store.claim(
            ClaimRequest(
                worker: "writer", instance: instance, kinds: [.render], limit: 2, memoryBytes: 1 << 40,
                leaseSeconds: 3600))
        let endings = claimed.map {
            AttemptEnding(lease: Lease(job: $0.id, epoch: $0.epoch), outcome: .succeeded("{}"))
        }
        for (job, outcome) in zip(claimed, try await store.finish(endings, worker: "writer")) {
            if outcome == .accepted(.succeeded) { print("finished \(job.id)") }
        }
        fflush(nil)
    }
}

do { try await run() } catch {
    print("failed \(error)")
    exit(1)
}
