import Foundation
import Glibc
import Model
import TestSupport
import Testing

/// A real daemon with a store in a folder of its own, and the commands that speak to it.
final class PoolUnderTest {
    static let token = "a-token-for-tests-4f1c"
    /// How long anything may take on a machine that does much else.
    static let patience = 90.0

    let folder: String
    private(set) var port = 0
    private var daemon: Process?
    private var starts = 0

    init(_ folder: String) throws {
        self.folder = folder
        try start()
    }

    deinit { kill() }

    /// With the port that it had before, if it had one.
    func start() throws {
        let daemon = Process()
        starts += 1
        let log = "\(folder)/daemon-\(starts).log"
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        let program = (Fixture.program as NSString).deletingLastPathComponent + "/reelpoold"
        daemon.executableURL = URL(fileURLWithPath: program)
        daemon.arguments = [
            "worker", "--kinds", "noop,probe", "--port", "\(port)", "--name", "worker-1", "--database",
            "sqlite:\(folder)/jobs.db", "--allow-local", "\(folder)/media",
        ]
        // Nothing of the environment that tests of other parts need.
        daemon.environment = [
            "PATH": "/usr/bin:/bin", "REELPOOL_API_TOKEN": Self.token,
            "REELPOOL_WEBHOOK_SECRET": "a-secret-for-tests-90b2",
            "REELPOOL_WEBHOOK_HOSTS": "127.0.0.1",
        ]
        daemon.standardInput = FileHandle.nullDevice
        daemon.standardOutput = FileHandle.nullDevice
        daemon.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
        try daemon.run()
        self.daemon = daemon
        try eventually("the daemon listens") {
            guard daemon.isRunning else { throw CommandFailure(description: try self.log(log)) }
            return try self.listeningPort(log) != nil
        }
        port = try #require(try listeningPort(log))
    }

    private func log(_ path: String) throws -> String { String(decoding: try bytes(ofFile: path), as: UTF8.self) }

    private func listeningPort(_ path: String) throws -> Int? {
        let line = try log(path).split(separator: "\n").first { $0.contains(#""message":"listening""#) }
        return try line.flatMap { try JSONValue(parsing: String($0))["port"]?.stringValue }.flatMap { Int($0) }
    }

    func kill() {
        guard let daemon, daemon.isRunning else { return }
        Glibc.kill(daemon.processIdentifier, SIGKILL)
        daemon.waitUntilExit()
    }

    /// Words of `env`, so that a command finds the pool by its environment.
    func words(_ arguments: [String], environment: [String] = []) -> [String] {
        ["REELPOOL_URL=http://127.0.0.1:\(port)", "REELPOOL_API_TOKEN=\(Self.token)", "USER=alice"] + environment
            + [Fixture.program] + arguments
    }

    func run(_ arguments: String..., environment: [String] = []) throws -> CommandResult {
        try Command.run("env", words(arguments, environment: environment))
    }

    /// The id of a job that was taken.
    func submit(_ arguments: String...) throws -> String {
        let result = try Command.run("env", words(["submit"] + arguments))
        try #require(result.status == 0, "\(result.errors)")
        return result.text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func job(_ id: String) throws -> JSONValue {
        let result = try run("status", id, "--json")
        try #require(result.status == 0, "\(result.errors)")
        return try JSONValue(parsing: result.text.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// A folder that jobs may name files of, with a short clip in it.
    static func with(_ body: (PoolUnderTest) throws -> Void) throws {
        try withTemporaryFolder { folder in
            try FileManager.default.createDirectory(atPath: "\(folder)/media", withIntermediateDirectories: false)
            try FileManager.default.copyItem(atPath: Fixture.media("no_audio.mp4"), toPath: "\(folder)/media/clip.mp4")
            let pool = try PoolUnderTest(folder)
            defer { pool.kill() }
            try body(pool)
        }
    }
}

/// Looks again and again until something holds.
func eventually(_ what: String, _ condition: () throws -> Bool) throws {
    let end = Date(timeIntervalSinceNow: PoolUnderTest.patience)
    while try !condition() {
        guard Date() < end else { throw CommandFailure(description: "not in time: \(what)") }
        Thread.sleep(forTimeInterval: 0.02)
    }
}
