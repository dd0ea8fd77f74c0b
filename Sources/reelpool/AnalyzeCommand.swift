internal import ArgumentParser
internal import Engine
internal import Model

struct AnalyzeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "analyze",
        abstract: "Find pauses, loudness, scene changes and black, and propose an edit.",
        discussion: """
            One decode of the source gives: silent and spoken ranges (judged against the recording's own level), \
            loudness after EBU R 128, scene changes and black ranges. The proposed edit cuts the pauses; render it as \
            it is:

              reelpool analyze talk.mp4 --edit pauses.json
              reelpool render pauses.json --output tight.mp4
            """
    )

    @Argument(help: "The source.", completion: .file())
    var file: String

    @Option(help: "How brisk the result shall be: 0 cuts pauses from 3 s on, 100 from 0.3 s on.")
    var pacing = 50

    @Option(help: "Write the proposed edit to this file, for render.", completion: .file(extensions: ["json"]))
    var edit: String?

    @Flag(help: "Use what is intact of a damaged or truncated source.")
    var salvage = false

    @OptionGroup var run: RunOptions

    func validate() throws {
        guard (0...100).contains(pacing) else { throw ValidationError("--pacing takes 0 to 100.") }
    }

    func run() async throws {
        try await self.run.perform(subject: file) { job in
            var options = AnalysisOptions()
            options.pacing = pacing
            options.salvage = salvage
            options.threads = job.threads
            let report = try Analyzer(path: file, options: options, meter: job.meter, cancellation: job.cancellation)
                .run()
            if let edit { try WholeFile.write(JSONOutput.text(report.edit) + "\n", to: edit) }
            return self.run.json ? try JSONOutput.text(report) : summary(report)
        }
    }

    private func summary(_ report: AnalysisReport) -> String {
        var lines = [
            "\(report.source): \(ProbeSummary.rounded(report.durationSeconds, 3)) s in "
                + "\(ProbeSummary.rounded(report.elapsedSeconds, 1)) s (\(ProbeSummary.rounded(report.speed, 1))x)"
        ]
        if let speech = report.speech {
            let cut = speech.silence.reduce(0) { $0 + $1.endMs - $1.startMs }
            lines.append(
                "  \(speech.silence.count) pauses of \(speech.minimumSilenceMs) ms or more, "
                    + "\(ProbeSummary.rounded(Double(cut) / 1000, 1)) s in all; silence is below \(speech.thresholdDb) dBFS"
            )
        }
        if let lufs = report.loudness?.integratedLufs {
            lines.append("  loudness \(lufs) LUFS, true peak \(report.loudness?.truePeakDbtp ?? 0) dBTP")
        }
        if let scenes = report.scenes {
            lines.append("  \(scenes.count) scene changes, \(report.black?.count ?? 0) black ranges")
        }
        if let edit { lines.append("  \(edit)  ready to render") }
        return (lines + report.notes.map { "  note: \($0)" }).joined(separator: "\n")
    }
}
