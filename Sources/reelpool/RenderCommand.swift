internal import ArgumentParser
internal import Engine
internal import FoundationEssentials
internal import Lettering
internal import Media
internal import Model
internal import Planning

struct RenderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "render",
        abstract: "Render an edit into one file.",
        discussion: """
            The edit lists ranges to keep, or what to cut, mute and bleep (docs/edit.md):

              {"sources": [{"id": "a", "uri": "clip.mp4"}],
               "timeline": [{"source": "a", "start_ms": 1000, "end_ms": 2500}]}

            Ranges are half-open: exactly the frames with start <= t < end are kept. Source paths are relative to the \
            edit's own folder. The output appears under its name only when it is complete.
            """
    )

    @Argument(help: "The edit, a JSON file; - reads standard input.", completion: .file(extensions: ["json"]))
    var edit: String

    @Option(name: .shortAndLong, help: "The file to write: .mp4, .mov, .mkv or .webm.", completion: .file())
    var output: String

    @Flag(help: "Print the plan instead of rendering.")
    var plan = false

    @Option(
        help: """
            auto copies pictures that the edit leaves as they are, where that is worth it; smart copies wherever it can; \
            full encodes everything.
            """)
    var mode = RenderMode.auto

    @Flag(help: "Render what is intact of damaged or truncated sources, and say how much was lost.")
    var salvage = false

    @Option(
        help: """
            Encode in chunks that are kept in this folder until the output is complete: called again, a render that was \
            killed goes on from there. Where pictures are copied instead, nothing is kept.
            """,
        completion: .directory)
    var chunks: String?

    @Option(help: "How long chunks are, in seconds; each is at least a group of pictures. Default: 30.")
    var chunkSeconds: Int?

    @OptionGroup var run: RunOptions

    func validate() throws {
        guard let chunkSeconds else { return }
        guard chunks != nil else { throw ValidationError("--chunk-seconds goes with --chunks.") }
        guard (1...3600).contains(chunkSeconds) else { throw ValidationError("--chunk-seconds takes 1 to 3600.") }
    }

    func run() async throws {
        try await self.run.perform(subject: edit) { job in
            let (document, paths) = try EditFile.read(edit)
            var options = RenderOptions()
            options.threads = job.threads
            options.salvage = salvage
            options.mode = mode
            if document.captions != nil { options.fonts = InstalledFonts.read() }
            if let chunks {
                var settings = ChunkSettings(
                    store: LocalChunks(folder: chunks), sourceVersions: try paths.map(LocalChunks.version(ofSource:)))
                settings.secondsPerChunk = chunkSeconds ?? settings.secondsPerChunk
                options.chunks = settings
            }
            if plan {
                let plan = try Renderer.plan(
                    document, paths: paths, output: output, options: options, cancellation: job.cancellation)
                return self.run.json ? try JSONOutput.text(plan) : PlanSummary.text(plan)
            }
            let report = try Renderer(
                document, paths: paths, output: output, options: options, meter: job.meter,
                cancellation: job.cancellation
            ).run()
            return self.run.json ? try JSONOutput.text(report) : RenderSummary.text(report)
        }
    }
}

extension RenderMode: ExpressibleByArgument {}

/// An edit and where its sources lie.
enum EditFile {
    static func read(_ path: String) throws -> (EditDocument, paths: [String]) {
        let data = try path == "-" ? readStandardInput() : readFile(path)
        let document = try EditDocument(json: data)
        let folder =
            path == "-"
            ? "" : path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let paths = try document.sources.map { source in
            guard !source.uri.contains("://") else {
                throw EngineError(.fileNotFound, "\(source.uri) is not a local file")
            }
            return source.uri.hasPrefix("/") || folder.isEmpty && !path.hasPrefix("/")
                ? source.uri : "\(folder)/\(source.uri)"
        }
        return (document, paths)
    }

    /// Far above 100,000 ranges; a larger file is no edit.
    private static let limitBytes = 64 << 20

    private static func readFile(_ path: String) throws -> Data {
        let file = try EditBytes.read(path: path, limitBytes: limitBytes)
        return Data(file)
    }

    private static func readStandardInput() throws -> Data {
        Data(try EditBytes.readStandardInput(limitBytes: limitBytes))
    }
}

enum RenderSummary {
    static func text(_ report: RenderReport) -> String {
        var parts = ["\(ProbeSummary.rounded(report.durationSeconds, 3)) s"]
        if let video = report.video {
            parts.append("\(video.frames) frames \(video.width)x\(video.height) \(video.codec)")
        }
        if let audio = report.audio { parts.append("\(audio.codec) \(audio.channels) ch") }
        parts.append("\(report.sizeBytes / 1000) kB")
        parts.append("\(ProbeSummary.rounded(report.speed, 1))x in \(ProbeSummary.rounded(report.elapsedSeconds, 1)) s")
        var lines = ["\(report.output): " + parts.joined(separator: ", ")]
        if let smart = report.smart { lines.append("  " + text(smart)) }
        if let chunks = report.chunks { lines.append("  " + text(chunks)) }
        lines += report.notes.map { "  note: \($0)" }
        if report.lostSeconds > 0 { lines.append("  lost: \(ProbeSummary.rounded(report.lostSeconds, 3)) s") }
        if report.damagedPackets > 0 { lines.append("  damaged: \(report.damagedPackets) packets passed over") }
        return lines.joined(separator: "\n")
    }

    private static func text(_ chunks: RenderReport.Chunks) -> String {
        if let reason = chunks.declined { return "encoded in one go: \(reason)" }
        var text = "\(chunks.count) chunks"
        if chunks.reused > 0 { text += ", \(chunks.reused) of them from before (\(chunks.reusedFrames) frames)" }
        if chunks.mended > 0 { text += ", \(chunks.mended) of them damaged and made anew" }
        return text
    }

    private static func text(_ smart: RenderReport.Smart) -> String {
        if let reason = smart.declined { return "encoded: \(reason)" }
        var text = "copied: \(smart.copiedPictures) frames; encoded \(smart.encodedPictures) at \(smart.seams) seams"
        if let psnr = smart.worstSeamDecibels { text += ", at least \(ProbeSummary.rounded(psnr, 1)) dB" }
        if let predicted = smart.predictedSeconds {
            text += "; predicted \(ProbeSummary.rounded(predicted, 1)) s"
        }
        return text
    }
}
