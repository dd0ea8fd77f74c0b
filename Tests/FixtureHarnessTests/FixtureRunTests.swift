import FixtureHarness
import Foundation
import Glibc
import Model
import Synchronization
import TestSupport
import Testing

@Suite("A run of fixtures")
struct FixtureRunTests {
    private static let own = "\(Fixture.repository)/Fixtures/render"

    /// Runs the command with a temporary place of its own, where nothing may be left.
    private static func command(
        _ arguments: [String], temporary: String, signalAfterFirst: Int32? = nil
    ) throws -> CommandResult {
        try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: true)
        return try Command.run(
            "env", ["TMPDIR=\(temporary)", Fixture.program, "fixtures", "run"] + arguments)
    }

    /// A folder with copies of a few of our own fixtures, whose sources stay where they are.
    private static func copies(_ names: [String], in root: String) throws -> String {
        let folder = "\(root)/fixtures/render"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: "\(root)/fixtures/media", withDestinationPath: "\(Fixture.repository)/Fixtures/media")
        for name in names {
            try FileManager.default.copyItem(atPath: "\(own)/\(name)", toPath: "\(folder)/\(name)")
        }
        return folder
    }

    @Test("of our own passes, whole, with status 0, and leaves nothing anywhere")
    func ownFixtures() throws {
        try withTemporaryFolder { folder in
            let result = try Self.command(
                [Self.own, "--differences", "\(folder)/differences", "--json"], temporary: "\(folder)/tmp")
            #expect(result.status == 0, "\(result.text)")
            let results = try JSONDecoder().decode([FixtureResult].self, from: result.output)
            let names = try contents(ofFolder: Self.own)
            #expect(results.map(\.name) == names)
            #expect(results.allSatisfy { $0.outcome == .passed })
            #expect(try contents(ofFolder: folder) == ["tmp"])
            #expect(try contents(ofFolder: "\(folder)/tmp") == [])
        }
    }

    @Test("with a difference ends with status 65, shows it, and leaves only its picture")
    func failing() throws {
        try withTemporaryFolder { folder in
            let fixtures = try Self.copies(["cuts-cfr", "no-audio", "error-reversed"], in: folder)
            let path = "\(fixtures)/no-audio/expected.json"
            let text = String(decoding: try bytes(ofFile: path), as: UTF8.self)
            try write(text.replacing(/"frames" ?: ?\d+/, with: #""frames" : 7"#), to: path)
            let result = try Self.command(
                [fixtures, "--differences", "\(folder)/differences"], temporary: "\(folder)/tmp")
            #expect(result.status == FailureCategory.invalidInput.exitStatus)
            #expect(result.text.contains("2 passed, 1 failed"))
            #expect(result.errors.contains("✗") && result.errors.contains("no-audio"))
            #expect(result.errors.contains("frame count") && result.errors.contains("expected  7"))
            #expect(result.errors.contains("fixture_mismatch"))
            #expect(try contents(ofFolder: "\(folder)/tmp") == [])
        }
    }

    @Test("prints its results as JSON also when some are not as expected")
    func failingJSON() throws {
        try withTemporaryFolder { folder in
            let fixtures = try Self.copies(["error-reversed"], in: folder)
            try write(#"{"error":"truncated"}"#, to: "\(fixtures)/error-reversed/expected.json")
            let result = try Self.command([fixtures, "--json"], temporary: "\(folder)/tmp")
            #expect(result.status == 65)
            let results = try JSONDecoder().decode([FixtureResult].self, from: result.output)
            #expect(results.map(\.outcome) == [.failed])
            let error = try JSONSerialization.jsonObject(with: Data(result.errors.utf8)) as? [String: [String: String]]
            #expect(error?["error"]?["code"] == "fixture_mismatch")
        }
    }

    @Test("finds fixtures however deep, and takes one by itself")
    func finds() throws {
        try withTemporaryFolder { root in
            let folder = try Self.copies(["error-reversed", "error-out-of-bounds"], in: root)
            try FileManager.default.createDirectory(
                atPath: "\(folder)/deep/er", withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                atPath: "\(folder)/error-reversed", toPath: "\(folder)/deep/er/error-reversed")
            try FileManager.default.copyItem(atPath: "\(folder)/error-reversed", toPath: "\(folder)/.hidden")
            let results = try runFixtures(folder, differences: "\(root)/differences")
            #expect(results.map(\.name) == ["deep/er/error-reversed", "error-out-of-bounds", "error-reversed"])
            let one = try runFixtures("\(folder)/error-reversed", differences: "\(root)/differences")
            #expect(one.count == 1 && one.first?.outcome == .passed)
        }
    }

    @Test("without any fixture, or of a folder that is not there, is an error")
    func nothing() throws {
        try withTemporaryFolder { folder in
            for path in [folder, "\(folder)/none"] {
                let result = try Self.command([path, "--json"], temporary: "\(folder)/tmp")
                #expect(result.status == 65)
                #expect(result.errors.contains("file_not_found"))
                #expect(result.output.isEmpty)
            }
        }
    }

    @Test("renders several at a time, each reported once")
    func parallel() throws {
        try withTemporaryFolder { folder in
            let fixtures = try Self.copies(
                ["cuts-cfr", "no-audio", "mirrored", "square-fit", "surround-kept", "cuts-vfr"], in: folder)
            let seen = Mutex((threads: Set<UInt>(), counts: [Int]()))
            let results = try runFixtures(fixtures, differences: "\(folder)/differences", parallel: 2) {
                _, done, total in
                seen.withLock {
                    $0.threads.insert(UInt(pthread_self()))
                    $0.counts.append(done)
                }
                #expect(total == 6)
            }
            #expect(results.allSatisfy { $0.outcome == .passed })
            #expect(seen.withLock { $0.threads.count } == 2)
            #expect(seen.withLock { $0.counts.sorted() } == [1, 2, 3, 4, 5, 6])
            #expect(results.map(\.name) == results.map(\.name).sorted())
        }
    }

    @Test("that is interrupted says so and leaves nothing")
    func interrupted() throws {
        try withTemporaryFolder { folder in
            let temporary = "\(folder)/tmp"
            try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: true)
            let child = try ChildProcess(
                "env",
                [
                    "TMPDIR=\(temporary)", Fixture.program, "fixtures", "run", Self.own, "--threads", "1",
                    "--differences", "\(folder)/differences",
                ], pipingErrors: true)
            try #require(try child.waitForError(containing: "[1/"))
            try #require(kill(child.identifier, SIGINT) == 0)
            let status = try child.wait().status
            #expect(status == FailureCategory.cancelled.exitStatus)
            #expect(try contents(ofFolder: temporary) == [])
        }
    }
}
