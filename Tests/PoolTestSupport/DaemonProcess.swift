internal import Foundation
internal import Glibc
internal import Synchronization

/// One `reelpoold`, which may be killed, stopped and started again.
package final class DaemonProcess: Sendable {
    /// As the pool knows it.
    package var name: String { environment["REELPOOL_NAME"] ?? "" }
    private let program: String
    private let arguments: [String]
    private let environment: [String: String]
    private let log: String
    // SAFETY: Process is used under the mutex only.
    private struct Running: @unchecked Sendable { var process: Process? }
    private let running = Mutex(Running())

    /// - Parameters:
    ///   - environment: all of it; nothing is inherited.
    ///   - log: a file that standard error is added to.
    package init(program: String, arguments: [String], environment: [String: String], log: String) {
        (self.program, self.arguments, self.environment, self.log) = (program, arguments, environment, log)
    }

    package var pid: Int32? {
        running.withLock { state in
            guard let process = state.process, process.isRunning else { return nil }
            return process.processIdentifier
        }
    }

    package func start() throws {
        try running.withLock { state in
            if let process = state.process, process.isRunning { return }
            let process = Process()
            process.executableURL = URL(fileURLWithPath: program)
            process.arguments = arguments
            process.environment = environment
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            if !FileManager.default.fileExists(atPath: log) {
                _ = FileManager.default.createFile(atPath: log, contents: nil)
            }
            guard let file = FileHandle(forUpdatingAtPath: log) else {
                throw NotInTime(description: "\(log) cannot be written")
            }
            _ = try file.seekToEnd()
            process.standardError = file
            try process.run()
            state.process = process
        }
    }

    package func signal(_ signal: Int32) { if let pid { kill(pid, signal) } }

    /// Waits until it has ended.
    package func ended(within seconds: Double) async -> Bool {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while pid != nil {
            guard ContinuousClock.now < deadline else { return false }
            try? await Task.sleep(for: .milliseconds(20))
        }
        return true
    }

    package func stop() async {
        signal(SIGCONT)
        signal(SIGTERM)
        if await ended(within: 10) { return }
        signal(SIGKILL)
        _ = await ended(within: 5)
    }
}
