import Foundation
import Model
import SQLStore
import StoreSQLite
import TestSupport
import Testing
import WorkerCore

@Suite("A SQLite file")
struct SQLiteFileTests {
    /// Starts a process that writes to the file, reads what it says it has committed, and kills it after so many lines.
    private func written(_ path: String, killedAfter lines: Int) throws -> [String] {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(
            fileURLWithPath: (Fixture.program as NSString).deletingLastPathComponent + "/store-writer")
        process.arguments = [path]
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        var text = Data()
        while text.count(where: { $0 == UInt8(ascii: "\n") }) < lines {
            let chunk = output.fileHandleForReading.availableData
            guard !chunk.isEmpty else { break }
            text += chunk
        }
        #expect(process.isRunning, "it writes until it is killed")
        kill(process.processIdentifier, SIGKILL)
        text += try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        // The last line may be cut.
        return String(decoding: text, as: UTF8.self).components(separatedBy: "\n").dropLast()
    }

    @Test("has all that was committed when its writer is killed, and is whole")
    func killed() async throws {
        let folder = NSTemporaryDirectory() + "reelpool-store-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/jobs.sqlite"
        let seed = UInt64.random(in: 0..<1_000_000)
        var random = SeededGenerator(seed: seed)
        var (inserted, finished) = (Set<String>(), Set<String>())
        for round in 0..<6 {
            for line in try written(path, killedAfter: Int.random(in: 1..<400, using: &random)) {
                let words = line.split(separator: " ").map(String.init)
                if words.first == "inserted" { inserted.insert(words[1]) } else { finished.insert(words[1]) }
            }
            try await StoreUnderTest.withFile(path) { under in
                var whole = try #require(try await under.query("PRAGMA integrity_check").first)
                #expect(try whole.text() == "ok")
                for text in inserted {
                    let id = try #require(JobID(text))
                    let state = try await under.store.state(id)
                    #expect(state != nil, "seed \(seed), round \(round)")
                    if finished.contains(text) { #expect(state == .succeeded, "seed \(seed), round \(round)") }
                }
                try await Invariants.check(under, runningLimit: 1_000_000, "seed \(seed), round \(round)")
            }
        }
        #expect(inserted.count > 10 && !finished.isEmpty)
        try await StoreUnderTest.withFile(path) { under in
            // What its writers held when they were killed is handed back to the next.
            _ = try await under.store.releaseLeases(ofEarlier: .worker("writer", instance: "next"))
            while case let jobs = try await under.store.claim(100), !jobs.isEmpty {
                _ = try await under.store.finish(
                    jobs.map { AttemptEnding(lease: $0.lease, outcome: .succeeded("{}")) }, worker: "w1")
            }
            let open = try await under.number("SELECT count(*) FROM jobs WHERE state NOT IN ('succeeded', 'dead')")
            #expect(open == 0, "seed \(seed)")
        }
    }

    @Test("is shared by processes that write at the same time")
    func shared() async throws {
        let folder = NSTemporaryDirectory() + "reelpool-store-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/jobs.sqlite"
        let lines = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<3 {
                group.addTask { try await onThread { try written(path, killedAfter: 200) } }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let finished = lines.filter { $0.hasPrefix("finished") }
        #expect(finished.count > 100 && Set(finished).count == finished.count, "each job was done by one")
        try await StoreUnderTest.withFile(path) { under in
            try await Invariants.check(under, runningLimit: 1_000_000, "\(finished.count) jobs")
        }
    }

    @Test("that cannot be opened, or is something else, is an error of the store")
    func refused() async throws {
        #expect(throws: StoreError.self) { _ = try SQLiteDatabase(path: "/nonexistent/folder/jobs.sqlite") }
        let path = NSTemporaryDirectory() + "reelpool-store-\(UUID().uuidString)"
        try write(String(repeating: "this is no database\n", count: 1000), to: path)
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(throws: StoreError.self) { _ = try SQLiteDatabase(path: path) }
    }
}

/// Runs what blocks on a thread of its own, so that other tests' tasks go on.
private func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread { continuation.resume(with: Result { try body() }) }.start()
    }
}
