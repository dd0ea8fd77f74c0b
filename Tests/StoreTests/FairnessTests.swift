import SQLStore
import Testing
import WorkerCore

@Suite("Fairness")
struct FairnessTests {
    /// One owner sends 400 jobs; 20 others come one after the other with one job each, while they are worked off.
    @Test("keeps others' waits short while one owner floods the queue", arguments: StoreKind.databases, [4, 1_000_000])
    func flood(kind: StoreKind, runningLimit: Int) async throws {
        try await StoreUnderTest.with(kind, .limited(running: runningLimit)) { under in
            let flood = (0..<400).map { _ in NewJob.new(owner: "flood") { $0.costSeconds = 10 } }
            _ = try await under.store.insert(flood)
            // Each job takes one step on the only slot; arrivals by the step at which they come.
            var (came, waits, queuedAhead) = ([JobID: Int](), [Int](), [Int]())
            var step = 0
            while let job = try await under.store.claim().first {
                if let arrival = came[job.id] { waits.append(step - arrival) }
                step += 1
                if step % 15 == 0, came.count < 20 {
                    let job = NewJob.new(owner: "small\(came.count)") { $0.costSeconds = 10 }
                    came[job.id] = step
                    // First come, first served: after all that came before it and is not done.
                    queuedAhead.append(400 + came.count - 1 - step)
                    try await under.store.add(job)
                }
                _ = try await under.store.finish(job, .succeeded("{}"))
            }
            #expect(waits.count == 20 && step == 420)
            let (fair, plain) = (waits.max() ?? 0, queuedAhead.max() ?? 0)
            print(
                """
                Fairness on \(kind.rawValue), \(runningLimit) at a time per owner: waits of others in jobs, longest \
                \(fair) and mean \(waits.reduce(0, +) / 20); first come, first served: \(plain) and \
                \(queuedAhead.reduce(0, +) / 20)
                """)
            #expect(fair <= 2, "a newcomer is among the next two")
            #expect(plain > 350)
        }
    }
}
