internal import Foundation
internal import HTTPTransfer
internal import Logging
package import Service
package import StoreEdge
package import WorkerCore

/// A control service over a store, for workers that reach nothing else.
package final class ControlService: Sendable {
    package static let token = "edge-3f81-aa02-77c4"

    package let port: Int
    private let work: Task<Void, any Error>

    /// - Parameter change: what its workers find besides jobs.
    package init(over store: any JobStore, _ change: (inout EdgeParts) -> Void = { _ in }) async throws {
        var edge = EdgeParts(token: Self.token, progress: ProgressHub())
        change(&edge)
        let parts = {
            var parts = ServiceParts(
                store: store, taps: [], attempts: AttemptCounts(), newID: { UUID().uuidString },
                now: { StoreTime(Date().timeIntervalSince1970 * 1000) }, obstacles: { [] })
            parts.edge = edge
            return parts
        }()
        let (started, start) = AsyncStream.makeStream(of: Int.self)
        work = Task {
            defer { start.finish() }
            try await SchedulerService.run(
                parts, host: "127.0.0.1", port: 0, token: nil,
                log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                onStart: { start.yield($0) })
        }
        var ports = started.makeAsyncIterator()
        guard let port = await ports.next() else { throw StoreError("the service does not start") }
        self.port = port
    }

    package func client() throws -> EdgeClient {
        let service = try WebAddress("http://127.0.0.1:\(port)/")
        return EdgeClient(.init(service: service, token: Self.token, version: "test"))
    }

    package func stop() async {
        work.cancel()
        _ = await work.result
    }
}
