import Foundation
import PoolConfig
import Testing
import WorkerCore

@Suite("A settings file")
struct SettingsFileTests {
    private static let machine = MachineLimits(memoryBytes: 32 << 30, hostName: "box")

    private static func load(_ json: String, _ environment: [String: String] = [:]) throws -> PoolSettings {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("settings-\(UUID().uuidString).json")
        try Data(json.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try PoolSettings.load(environment: environment, file: file.path, machine: machine)
    }

    @Test("holds what the environment may override")
    func values() throws {
        let json = #"{"reelpool": {"slots": 3, "kinds": ["render", "probe"]}, "render": {"memory": "5g"}}"#
        #expect(try Self.load(json).slots == 3)
        #expect(try Self.load(json).kinds == [.render, .probe])
        #expect(try Self.load(json).caps[.render]?.memoryBytes == 5 << 30)
        #expect(try Self.load(json, ["REELPOOL_SLOTS": "2"]).slots == 2)
    }

    @Test(
        "with a name that is no setting is refused",
        arguments: [
            #"{"reelpool": {"slot": 3}}"#, #"{"slots": 3}"#, #"{"reelpool": {"slots": {"render": 3}}}"#, "[]",
            "not JSON",
        ])
    func unknown(json: String) {
        #expect(throws: ConfigurationProblems.self) { try Self.load(json) }
    }
}
