internal import Dispatch
package import Foundation
internal import Glibc

/// A program run to its end.
package struct CommandResult: Sendable {
    package let status: Int32
    package let output: Data
    package let errors: String

    package var text: String { String(decoding: output, as: UTF8.self) }

    /// The JSON on standard output, whose keys are in snake_case.
    package func decoded<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: output)
    }
}

package struct CommandFailure: Error, CustomStringConvertible {
    package let description: String
    package init(description: String) { self.description = description }
}

package enum Command {
    /// Runs a program, found on the path when its name has no slash, with nothing on its standard input.
    package static func run(_ program: String, _ arguments: [String]) throws -> CommandResult {
        try ChildProcess(program, arguments).wait()
    }

    /// What a program prints; throws when it fails. What is asked of a fixture is asked once.
    package static func output(_ program: String, _ arguments: [String]) throws -> Data {
        guard FixtureAnswers.isOfFixtures(program, arguments) else { return try fresh(program, arguments) }
        return try FixtureAnswers.answer(to: [program] + arguments) { try fresh(program, arguments) }
    }

    private static func fresh(_ program: String, _ arguments: [String]) throws -> Data {
        let result = try run(program, arguments)
        guard result.status == 0 else {
            throw CommandFailure(
                description:
                    "\(program) \(arguments.joined(separator: " ")) exited with \(result.status): \(result.errors)")
        }
        return result.output
    }

    package static func reelpool(_ arguments: String...) throws -> CommandResult {
        try run(Fixture.program, arguments)
    }
}

/// A program being run. Its standard output is read while waiting; its standard error goes to a file, or to `errors`.
package final class ChildProcess {
    /// A program that runs longer than this hangs, and is killed: a failed test says more than a test that never ends.
    private static let patience = DispatchTimeInterval.seconds(240)
    private static let watch = DispatchQueue(label: "reelpool.test.watchdog")

    private let process = Process()
    private let watchdog: DispatchWorkItem
    private let output = Pipe()
    private let errorFile: URL
    /// The reading end of standard error, when that was asked for.
    package let errors: FileHandle?

    package init(_ program: String, _ arguments: [String], pipingErrors: Bool = false, folder: String? = nil) throws {
        errorFile = FileManager.default.temporaryDirectory.appendingPathComponent(
            "reelpool-test-\(UUID().uuidString).txt")
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
        if pipingErrors {
            let pipe = Pipe()
            process.standardError = pipe
            errors = pipe.fileHandleForReading
        } else {
            _ = FileManager.default.createFile(atPath: errorFile.path, contents: nil)
            process.standardError = try FileHandle(forWritingTo: errorFile)
            errors = nil
        }
        // Weak: a cancelled item stays in its queue till its time, and a process has files open. Thousands of them would
        // reach numbers that Foundation's select() cannot take.
        watchdog = DispatchWorkItem { [weak process] in
            if let process, process.isRunning { kill(process.processIdentifier, SIGKILL) }
        }
        try process.run()
        Self.watch.asyncAfter(deadline: .now() + Self.patience, execute: watchdog)
    }

    package var identifier: Int32 { process.processIdentifier }

    package func wait() throws -> CommandResult {
        // A program whose errors nobody reads would wait for room in the pipe.
        if let errors { Self.drain(errors) }
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        watchdog.cancel()
        let text = errors == nil ? String(decoding: (try? Data(contentsOf: errorFile)) ?? Data(), as: UTF8.self) : ""
        try? FileManager.default.removeItem(at: errorFile)
        let status = process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
        return CommandResult(status: status, output: data, errors: text)
    }

    /// The next line of standard output; `nil` at its end.
    package func readLine() -> String? {
        var line: [UInt8] = []
        while let byte = try? output.fileHandleForReading.read(upToCount: 1)?.first, byte != UInt8(ascii: "\n") {
            line.append(byte)
        }
        return line.isEmpty ? nil : String(decoding: line, as: UTF8.self)
    }

    private static func drain(_ handle: FileHandle) {
        DispatchQueue(label: "reelpool.test.drain").async {
            while let chunk = try? handle.read(upToCount: 4096), !chunk.isEmpty {}
        }
    }

    /// Reads standard error up to the first line that holds `text`.
    ///
    /// - Returns: `false` when the program ended without such a line.
    package func waitForError(containing text: String) throws -> Bool {
        var seen = ""
        // Not `read(upToCount:)`, which waits until there is that much.
        while let chunk = errors?.availableData, !chunk.isEmpty {
            seen += String(decoding: chunk, as: UTF8.self)
            if seen.contains(text) { return true }
        }
        return false
    }
}
