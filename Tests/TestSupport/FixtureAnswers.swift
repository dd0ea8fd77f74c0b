internal import Foundation
internal import Synchronization

/// What FFmpeg's commands have said of the fixtures, which stay as they are while tests run: loading such a command costs
/// more than most of its answers.
enum FixtureAnswers {
    /// The first who asks gets it while the others wait.
    private final class Answer: Sendable {
        let data = Mutex<Data?>(nil)
    }

    /// Whole pictures are not kept.
    private static let largestBytes = 1 << 20
    private static let known = Mutex<[[String]: Answer]>([:])

    /// Whether nothing but fixtures is named, and nothing is written to a file.
    static func isOfFixtures(_ program: String, _ arguments: [String]) -> Bool {
        guard program == "ffprobe" || program == "ffmpeg" && arguments.last == "-" else { return false }
        let folders = [Fixture.repository + "/Fixtures/", Fixture.sharedMedia.map { $0 + "/" }].compactMap(\.self)
        let files = arguments.filter { $0.contains("/") && !$0.contains("=") }
        return !files.isEmpty && files.allSatisfy { file in folders.contains { file.hasPrefix($0) } }
            && !arguments.contains { $0.contains("=/") }
    }

    static func answer(to question: [String], ask: () throws -> Data) rethrows -> Data {
        let answer = known.withLock { known in
            if let answer = known[question] { return answer }
            let answer = Answer()
            known[question] = answer
            return answer
        }
        return try answer.data.withLock { data in
            if let data { return data }
            let fresh = try ask()
            if fresh.count <= largestBytes { data = fresh }
            return fresh
        }
    }
}
