internal import ArgumentParser
internal import Engine
internal import FixtureHarness
internal import Model

struct FixturesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fixtures",
        abstract: "Test renders against what they should give.",
        subcommands: [RunFixtures.self]
    )
}

struct RunFixtures: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Render every fixture in a folder and compare.",
        discussion: """
            A fixture is a folder with edit.json, the sources it names, and expected.json: frame count and times, \
            picture hash or PSNR and SSIM floors, durations, loudness, size, or the code of an expected failure. \
            Fixtures run side by side, one thread each.

            The first picture that differs is saved as a PNG: expected, actual, and their difference amplified. \
            --update writes what came out as what is expected: look at it first.
            """
    )

    @Argument(help: "A fixture, or a folder of fixtures.", completion: .directory)
    var folder: String

    @Flag(help: "Rewrite expected.json and the reference renders from what comes out now.")
    var update = false

    @Option(help: "Where to save pictures of differences.", completion: .directory)
    var differences = "fixture-differences"

    @OptionGroup var run: RunOptions

    func run() async throws {
        try await self.run.perform(subject: folder) { job in
            let trimmed = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
            let runner = FixtureRunner(
                root: trimmed, update: update, differencesFolder: differences, cancellation: job.cancellation)
            let showsLines = !self.run.json
            let results = try runner.run(parallel: job.threads.total) { result, done, total in
                if showsLines { StandardError.write(Self.line(result, done, total)) }
            }
            let failed = results.filter { $0.outcome == .failed }.count
            let text =
                try self.run.json
                ? JSONOutput.text(results) : "\(results.count - failed) passed, \(failed) failed"
            guard failed == 0 else {
                print(text)
                throw Failure(
                    code: .fixtureMismatch, message: "\(failed) of \(results.count) fixtures are not as expected")
            }
            return text
        }
    }

    private static func line(_ result: FixtureResult, _ done: Int, _ total: Int) -> String {
        let mark = result.outcome == .failed ? "✗" : "✓"
        var text = "\(mark) [\(done)/\(total)] \(result.name) (\(ProbeSummary.rounded(result.seconds, 1)) s)"
        if result.outcome == .updated { text += " updated" }
        for difference in result.differences {
            text +=
                "\n    \(difference.what)\n      expected  \(difference.expected)\n      actual    \(difference.actual)"
            if let picture = difference.picture { text += "\n      picture   \(picture)" }
        }
        return text + "\n"
    }
}
