import Foundation
import Synchronization
import WorkerCore

/// One `reelpoold worker`, which may be killed, stopped and started again.
final class Daemon: Sendable {
    let name: String
    private let program: String
    private let environment: [String: String]
    private let log: String
    // SAFETY: Process is used under the mutex only.
    private struct Running: @unchecked Sendable { var process: Process? }
    private let running = Mutex(Running())

    init(program: String, name: String, environment: [String: String], log: String) {
        (self.program, self.name, self.log) = (program, name, log)
        self.environment = environment.merging(["REELPOOL_NAME": name]) { $1 }
    }

    var pid: Int32? {
        running.withLock { state in
            guard let process = state.process, process.isRunning else { return nil }
            return process.processIdentifier
        }
    }

    func start() throws {
        try running.withLock { state in
            if let process = state.process, process.isRunning { return }
            let process = Process()
            process.executableURL = URL(fileURLWithPath: program)
            process.arguments = ["worker"]
            process.environment = environment
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            if !FileManager.default.fileExists(atPath: log) {
                _ = FileManager.default.createFile(atPath: log, contents: nil)
            }
            guard let file = FileHandle(forUpdatingAtPath: log) else { throw HarnessError("\(log) cannot be written") }
            _ = try file.seekToEnd()
            process.standardError = file
            try process.run()
            state.process = process
        }
    }

    func signal(_ signal: Int32) { if let pid { kill(pid, signal) } }

    /// Waits until it has ended.
    func ended(within seconds: Double) async -> Bool {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while pid != nil {
            guard ContinuousClock.now < deadline else { return false }
            try? await Task.sleep(for: .milliseconds(20))
        }
        return true
    }

    func stop() async {
        signal(SIGCONT)
        signal(SIGTERM)
        if await ended(within: 10) { return }
        signal(SIGKILL)
        _ = await ended(within: 5)
    }
}
