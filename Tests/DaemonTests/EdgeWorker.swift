import Foundation
import Model
import PoolTestSupport
import TestSupport
import Testing

/// A worker that knows of its pool nothing but the address of the control service and a token.
struct EdgeWorker: Sendable {
    static let token = "tg61-nv08-wr35-kz92"

    let daemon: DaemonProcess
    let way: NetworkWay
    private let log: String

    private init(_ pool: RunningPool, _ way: NetworkWay, _ settings: [String: String]) {
        let environment = [
            "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "TMPDIR": pool.folder,
            "REELPOOL_NAME": "edge", "REELPOOL_EDGE_TOKEN": Self.token, "REELPOOL_HTTP_PORT": "0",
            "REELPOOL_SLOTS": "2", "REELPOOL_KINDS": "noop,probe,render", "REELPOOL_MEMORY": "4g",
            "RENDER_MEMORY": "1g", "RENDER_FFMPEG_THREADS": "1",
            "REELPOOL_ALLOW_LOCAL": "\(Fixture.repository)/Fixtures,\(pool.out)",
        ].merging(settings) { $1 }
        let program = (Fixture.program as NSString).deletingLastPathComponent + "/reelpoold"
        log = "\(pool.folder)/\(environment["REELPOOL_NAME"] ?? "edge").jsonl"
        daemon = DaemonProcess(program: program, arguments: ["worker"], environment: environment, log: log)
        self.way = way
    }

    /// One more, by the same way; whoever makes it stops it.
    func another(_ pool: RunningPool, _ settings: [String: String]) -> EdgeWorker {
        let control = ["REELPOOL_CONTROL": "http://127.0.0.1:\(way.port)"]
        return EdgeWorker(pool, way, control.merging(settings) { $1 })
    }

    func logged() throws -> String { try String(contentsOfFile: log, encoding: .utf8) }

    /// A service without jobs of its own, and a worker that comes by it.
    ///
    /// - Parameter control: what the worker calls the service whose way is given; that way itself by default.
    static func with(
        service: [String: String] = [:], _ settings: [String: String] = [:],
        control: (NetworkWay) throws -> String = { "http://127.0.0.1:\($0.port)" },
        _ body: (RunningPool, EdgeWorker) async throws -> Void
    ) async throws {
        let ownSettings = ["REELPOOL_EDGE_TOKEN": token].merging(service) { $1 }
        try await RunningPool.with(ownSettings, command: ["serve"]) { pool in
            let way = try NetworkWay(to: try pool.port())
            let worker = EdgeWorker(pool, way, settings.merging(["REELPOOL_CONTROL": try control(way)]) { $1 })
            do {
                try worker.daemon.start()
                try await body(pool, worker)
            } catch {
                await worker.daemon.stop()
                way.close()
                let lines = (try? worker.logged()) ?? ""
                throw DaemonTestError(description: "\(error)\n\(lines.suffix(4000))")
            }
            await worker.daemon.stop()
            way.close()
        }
    }

    /// The processes that jobs run in; not the template.
    func children() -> [Int32] {
        guard let parent = daemon.pid else { return [] }
        return Array(ProcessEntry.all.filter { $0.parent == parent && !$0.isDead }.map(\.identifier).dropFirst())
    }

    /// The process that does the work, after those that only look at sources.
    func lastingChild() async throws -> Int32 {
        var (last, looks) = (Int32?.none, 0)
        try await eventually("a job's process stays") {
            let now = children().first
            looks = now != nil && now == last ? looks + 1 : 0
            last = now
            return looks == 20
        }
        return try #require(last)
    }

    static func longRender(_ pool: RunningPool, minutes: Int, _ name: String) async throws -> String {
        try await pool.submit(
            "render", ["edit": RunningPool.longEdit(minutes: minutes), "output": .string("\(pool.out)/\(name)")])
    }
}
