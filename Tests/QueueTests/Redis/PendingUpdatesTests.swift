import Model
import ProgressRedis
import Testing
import WorkerCore

@Suite("Updates that wait for Redis")
struct PendingUpdatesTests {
    private static func job(_ number: Int) throws -> NewJob {
        try read(native(#"{"version":1,"idempotency_key":"\#(number)","kind":"noop","owner":"o","payload":{}}"#))
    }

    @Test("are the latest of each job, whatever the order in which they came")
    func latest() throws {
        let (one, two) = (try Self.job(1), try Self.job(2))
        var pending = PendingUpdates(limit: 10)
        for (epoch, sequence) in [(1, 5), (1, 4), (2, 1), (1, 9)] {
            pending.put(.running(one, epoch: Int64(epoch), sequence: Int64(sequence)))
        }
        pending.put(.running(two, sequence: 1))
        #expect(pending.take(10).map { [$0.epoch, $0.sequence] } == [[2, 1], [1, 1]])
        #expect(pending.isEmpty)
    }

    @Test("are bounded: endings are kept longest")
    func bounded() throws {
        var pending = PendingUpdates(limit: 3)
        pending.put(.ended(try Self.job(0), sequence: 9))
        pending.put(.running(try Self.job(1), sequence: 1))
        pending.put(.running(try Self.job(2), sequence: 1))
        pending.put(.ended(try Self.job(3), sequence: 9))
        #expect(pending.count == 3 && pending.dropped == 1)
        pending.put(.ended(try Self.job(4), sequence: 9))
        #expect(try pending.take(9).map(\.job) == [0, 3, 4].map { try Self.job($0).id })
        for number in 0..<5 { pending.put(.ended(try Self.job(number), sequence: 9)) }
        #expect(try pending.take(9).map(\.job) == [2, 3, 4].map { try Self.job($0).id })
    }
}
