import CodecHost
import Engine
import Foundation
import Isolation
import Media
import Model
import TestSupport
import Testing

/// What a file is must not depend on where it is looked at.
@Suite("A probe in a process of its own")
struct ChildProbeTests {
    /// What probing comes to: a report, or a code.
    private enum Verdict: Equatable {
        case report(ProbeReport)
        case refused(FailureCode)
    }

    private static func here(_ path: String) -> Verdict {
        do {
            return .report(try Prober.probe(path: path))
        } catch {
            return .refused(Failure(error).code)
        }
    }

    private static func apart(_ path: String) async throws -> Verdict {
        let ending = try await sharedTemplate.fork().run(
            .roomy(try .local(.probe, [path])), files: TestFiles([path]))
        if case .finished(.probe(let report), _) = ending.outcome { return .report(report) }
        return .refused(try #require(ending.outcome.failure, "\(ending.outcome)").code)
    }

    private static func files(_ folder: String) -> [String] {
        ((try? contents(ofFolder: folder)) ?? []).map { "\(folder)/\($0)" }
    }

    static let fixtures = files(Fixture.repository + "/Fixtures/media")
    static let hostile = files(Fixture.repository + "/Fixtures/hostile")
    static let shared = Fixture.sharedMedia.map { files($0) } ?? []

    @Test("finds what a probe in this process finds", arguments: fixtures + hostile)
    func agrees(path: String) async throws {
        LogCapture.install()
        #expect(try await Self.apart(path) == Self.here(path))
    }

    @Test("agrees about real files, too", .enabled(if: Fixture.sharedMedia != nil))
    func agreesAboutSharedMedia() async throws {
        LogCapture.install()
        try #require(Self.shared.count > 40)
        for path in Self.shared { #expect(try await Self.apart(path) == Self.here(path), "\(path)") }
    }

    @Test("survives files that break off anywhere", arguments: ["pal25.mp4", "film24.mkv", "mpeg2.ts", "music.mp3"])
    func truncated(name: String) async throws {
        LogCapture.install()
        let whole = try bytes(ofFile: Fixture.media(name))
        for share in [3, 10, 40, 70, 99] {
            let folder = FileManager.default.temporaryDirectory.path
            let path = "\(folder)/reelpool-cut-\(UUID().uuidString)"
            try whole.prefix(whole.count * share / 100).write(to: URL(fileURLWithPath: path))
            defer { try? FileManager.default.removeItem(atPath: path) }
            #expect(try await Self.apart(path) == Self.here(path), "\(name) cut to \(share) %")
        }
    }
}
