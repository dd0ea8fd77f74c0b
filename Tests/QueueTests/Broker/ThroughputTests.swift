import Foundation
import PoolTestSupport
import QueueRabbitMQ
import Testing
import WorkerCore

/// With `REELPOOL_BENCH=1` it prints what this machine does; without, it only shows that many at once all arrive.
@Suite("Throughput", .serialized, .enabled(if: Servers.hasRabbitMQ, "REELPOOL_TEST_RABBITMQ names no server"))
struct ThroughputTests {
    @Test("of publishing with confirms, and of consuming with acknowledgements, on a quorum queue")
    func quorum() async throws {
        let broker = try Broker("throughput")
        let body = [UInt8](repeating: 0x20, count: 300)
        for prefetch in [10, 100, 500] {
            let publishing = try await ContinuousClock().measure {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<64 {
                        group.addTask { for _ in 0..<Self.count / 64 { try await broker.send(body) } }
                    }
                    try await group.waitForAll()
                }
            }
            let consumer = broker.consumer(broker.settings(prefetch: prefetch))
            let consuming = try await ContinuousClock().measure {
                let work = Task { await consumer.run { $0.map { _ in .accepted } } }
                try await eventually("they are acknowledged") { consumer.status.acknowledged >= Self.count }
                consumer.stop()
                await work.value
            }
            #expect(consumer.status.acknowledged == Self.count)
            guard Self.isBench else { continue }
            print(
                "publish and confirm, 64 at once: \(perSecond(publishing)) a second;",
                "consume and acknowledge, prefetch \(prefetch): \(perSecond(consuming)) a second")
        }
        await broker.publisher.close()
    }

    private static let isBench = ProcessInfo.processInfo.environment["REELPOOL_BENCH"] != nil
    private static let count = isBench ? 12_800 : 1280

    private func perSecond(_ duration: Duration) -> Int { Int(Double(Self.count) / seconds(duration)) }

    private func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }
}
