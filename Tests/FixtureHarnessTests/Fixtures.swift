import FixtureHarness
import Foundation
import Media
import Model
import TestSupport

/// A folder with one small fixture: thirty pictures and a second of stereo sound.
struct SampleFixture {
    let root: String
    var folder: String { "\(root)/sample" }
    var expectation: String { "\(folder)/expected.json" }
    var differences: String { "\(root)/differences" }

    static let edit = #"{"sources":[{"id":"a","uri":"clip.mp4"}],"timeline":[{"source":"a","end_ms":1000}]}"#

    /// - Parameter accepted: whether what it renders to is accepted first.
    static func with(
        edit: String = Self.edit, accepted: Bool = true, _ body: (SampleFixture) throws -> Void
    ) throws {
        try withTemporaryFolder { root in
            let fixture = SampleFixture(root: root)
            try FileManager.default.createDirectory(atPath: fixture.folder, withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                atPath: Fixture.media("bframes_closed.mp4"), toPath: "\(fixture.folder)/clip.mp4")
            try write(edit, to: "\(fixture.folder)/edit.json")
            if accepted { _ = try fixture.run(update: true) }
            try body(fixture)
        }
    }

    func run(update: Bool = false, parallel: Int = 1) throws -> FixtureResult {
        let results = try runFixtures(root, update: update, differences: differences, parallel: parallel)
        guard results.count == 1, let result = results.first else {
            throw Failure(code: .internalFault, message: "\(results.count) fixtures in \(root)")
        }
        return result
    }

    /// `expected.json` as it stands.
    func expected() throws -> [String: Any] {
        try JSONSerialization.jsonObject(with: bytes(ofFile: expectation)) as? [String: Any] ?? [:]
    }

    /// Sets a value, whose place is given as `audio.channels` or `frame_times_ms[3]`; `nil` removes it.
    func expect(_ place: String, _ value: (any Sendable)?) throws {
        var object = try expected()
        Self.set(place.split(separator: ".").map(String.init)[...], value, in: &object)
        try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys])
            .write(to: URL(fileURLWithPath: expectation))
    }

    private static func set(_ path: ArraySlice<String>, _ value: Any?, in object: inout [String: Any]) {
        guard let head = path.first else { return }
        if path.count > 1 {
            var inner = object[head] as? [String: Any] ?? [:]
            set(path.dropFirst(), value, in: &inner)
            object[head] = inner
        } else if let bracket = head.firstIndex(of: "["), let index = Int(head[bracket...].dropFirst().dropLast()) {
            var list = object[String(head[..<bracket])] as? [Any] ?? []
            if let value, index < list.count { list[index] = value }
            object[String(head[..<bracket])] = list
        } else {
            object[head] = value
        }
    }
}

func runFixtures(
    _ root: String, update: Bool = false, differences: String, parallel: Int = 1,
    finished: @escaping @Sendable (FixtureResult, Int, Int) -> Void = { _, _, _ in }
) throws -> [FixtureResult] {
    LogCapture.install()
    return try FixtureRunner(
        root: root, update: update, differencesFolder: differences, cancellation: Cancellation()
    ).run(parallel: parallel, finished: finished)
}
