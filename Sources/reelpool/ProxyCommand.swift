internal import ArgumentParser
internal import Engine
internal import Model

extension ProxyOptions.When: ExpressibleByArgument {}

struct ProxyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "proxy",
        abstract: "Make what an editor in a browser needs of a source.",
        discussion: """
            From one decode of the source, into a folder:

              proxy.mp4      H.264 and AAC, at most 720p, square pixels, a keyframe every second
              audio.mp3      mono, 16 kHz, 64 kb/s, for transcription
              sprite.jpg     small pictures at even distances, for scrubbing
              waveform.json  peaks, in audiowaveform's form
              poster.jpg     one picture that stands for the recording

            A source that is a good proxy already is copied, not encoded again. The files appear together, when all \
            are complete.
            """
    )

    @Argument(help: "The source.", completion: .file())
    var file: String

    @Option(name: .shortAndLong, help: "The folder to write into; made when absent.", completion: .directory)
    var output: String

    @Option(help: "Make proxy.mp4 always, or only of sources that browsers cannot play (unplayable).")
    var when: ProxyOptions.When = .always

    @Flag(help: "Use what is intact of a damaged or truncated source.")
    var salvage = false

    @OptionGroup var run: RunOptions

    func run() async throws {
        try await self.run.perform(subject: file) { job in
            var options = ProxyOptions()
            options.when = when
            options.salvage = salvage
            options.threads = job.threads
            let report = try ProxyBuilder(
                path: file, folder: output, options: options, meter: job.meter, cancellation: job.cancellation
            ).run()
            return self.run.json ? try JSONOutput.text(report) : Self.summary(report)
        }
    }

    private static func summary(_ report: ProxyReport) -> String {
        var lines = [
            "\(report.source): \(ProbeSummary.rounded(report.durationSeconds, 3)) s in "
                + "\(ProbeSummary.rounded(report.elapsedSeconds, 1)) s (\(ProbeSummary.rounded(report.speed, 1))x)"
        ]
        switch report.proxyMethod {
        case .encoded: lines.append("  \(report.proxy ?? "")  encoded, because \(report.proxyReason)")
        case .remuxed: lines.append("  \(report.proxy ?? "")  copied: \(report.proxyReason)")
        case .notNeeded: lines.append("  no proxy needed: browsers play \(report.proxyReason)")
        }
        if let audio = report.audio { lines.append("  \(audio)") }
        if let sprite = report.sprite {
            lines.append("  \(sprite.path)  \(sprite.tiles) tiles, one every \(sprite.secondsPerTile) s")
        }
        if let waveform = report.waveform { lines.append("  \(waveform)") }
        if let poster = report.poster {
            lines.append("  \(poster.path)  at \(ProbeSummary.rounded(poster.seconds, 2)) s")
        }
        lines += report.notes.map { "  note: \($0)" }
        return lines.joined(separator: "\n")
    }
}
