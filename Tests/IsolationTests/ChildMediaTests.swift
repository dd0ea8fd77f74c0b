import CodecHost
import Engine
import Foundation
import Isolation
import Media
import Model
import TestSupport
import Testing

/// Whole jobs, by the command and in a process of their own: the same bytes must come out, though what the process writes
/// is out of its reach at once.
///
/// x264's assembly reads memory that nobody wrote, and decides by it (MALLOC_PERTURB_ shows it with the ffmpeg command
/// line, too): both sides are given memory that is zero.
@Suite("A job in a process of its own")
struct ChildMediaTests {
    private static let zeroes = "MALLOC_PERTURB_=255"

    private static let template: CodecTemplate = {
        var settings = CodecTemplate.Settings(program: Programs.codec)
        settings.environment = [zeroes]
        return CodecTemplate(settings)
    }()

    private struct Job {
        var edit: EditDocument
        var paths: [String]
        var output: String
        var threads: Int
        var mode = RenderMode.full
    }

    private static func command(_ arguments: [String]) throws -> CommandResult {
        try Command.run(zeroes, [Fixture.program] + arguments + ["--json"])
    }

    /// Renders by the command.
    private static func renderHere(_ job: Job) throws -> (report: RenderReport, bytes: Data) {
        try withTemporaryFolder { folder in
            var edit = job.edit
            for index in edit.sources.indices { edit.sources[index].uri = job.paths[index] }
            let (input, output) = ("\(folder)/edit.json", "\(folder)/\(job.output)")
            try JSONEncoder().encode(edit).write(to: URL(fileURLWithPath: input))
            let words = [
                "render", input, "--output", output, "--threads", "\(job.threads)", "--mode", job.mode.rawValue,
            ]
            let result = try command(words)
            guard result.status == 0 else {
                struct Envelope: Decodable { var error: Failure }
                throw try JSONDecoder().decode(Envelope.self, from: Data(result.errors.utf8)).error
            }
            return (try result.decoded(), try bytes(ofFile: output))
        }
    }

    private static func renderApart(
        _ job: Job
    ) async throws -> (report: RenderReport, bytes: Data, gone: Int, ending: ChildEnding) {
        var task = try CodecTask.local(.render, job.paths, outputs: [job.output], threads: job.threads)
        task.edit = job.edit
        task.mode = job.mode
        let files = TestFiles(job.paths, streams: true)
        let ending = try await Self.template.fork().run(.roomy(task), files: files)
        guard case .finished(.render(let report), let outputs) = ending.outcome else {
            throw ending.outcome.failure ?? Failure(code: .internalFault, message: "\(ending.outcome)")
        }
        #expect(outputs == [job.output])
        return (report, Data(try #require(files.output(job.output))), files.goneBytes(job.output), ending)
    }

    private static func fixture(_ name: String, threads: Int = 1) throws -> Job {
        let folder = "\(Fixture.repository)/Fixtures/render/\(name)"
        let edit = try EditDocument(json: try bytes(ofFile: "\(folder)/edit.json"))
        return Job(
            edit: edit, paths: edit.sources.map { "\(folder)/\($0.uri)" },
            output: "film.\(edit.output.container?.rawValue ?? "mp4")", threads: threads)
    }

    static let fixtures = [
        "anamorphic-kept", "av1-opus-mkv", "captions-and-mark", "cut-mute-bleep", "cuts-open-gop", "hdr10-to-hevc",
        "no-audio", "no-video", "portrait-blur", "resampled-24", "several-sources", "start-offset-ts",
        "surround-kept", "webm-vp9-opus",
    ]

    @Test(
        "copies the same pictures",
        arguments: [
            "captions-and-mark", "cut-mute-bleep", "cuts-open-gop", "several-sources", "start-offset-ts", "no-audio",
        ])
    func copy(name: String) async throws {
        var job = try Self.fixture(name)
        job.mode = .smart
        let (here, apart) = (try Self.renderHere(job), try await Self.renderApart(job))
        #expect(here.bytes == apart.bytes)
        #expect(Self.timeless(here.report) == Self.timeless(apart.report))
        #expect((apart.report.smart?.copiedPictures ?? 0) > 0 || apart.report.smart?.declined != nil)
    }

    @Test("renders the same bytes", arguments: fixtures)
    func render(name: String) async throws {
        let job = try Self.fixture(name)
        let (here, apart) = (try Self.renderHere(job), try await Self.renderApart(job))
        #expect(here.bytes == apart.bytes)
        #expect(Self.timeless(here.report) == Self.timeless(apart.report))
        // Once, but for a few fields of the header, and without the room that an index leaves.
        let written = apart.ending.metrics.writtenBytes
        #expect(written <= Int64(apart.bytes.count) + 4096 && written >= Int64(apart.bytes.count / 2))
    }

    @Test(
        "sends an output while it is made",
        arguments: [
            ("mp4", "h264"), ("mp4", "hevc"), ("mov", "h264"), ("mkv", "h264"), ("webm", "vp9"), ("mkv", "av1"),
        ])
    func streamed(container: String, codec: String) async throws {
        let output =
            #"{"container":"\#(container)","video":{"codec":"\#(codec)","preset":"ultrafast","crf":6},"#
            + #""audio":{"bitrate_kbps":256}}"#
        let text = EditText.timeline([(.zero, Rational(6))], of: Fixture.media("talk.mp4"), output: output)
        let edit = try EditDocument(json: Data(text.utf8))
        let job = Job(edit: edit, paths: edit.sources.map(\.uri), output: "film.\(container)", threads: 1)
        let (here, apart) = (try Self.renderHere(job), try await Self.renderApart(job))
        #expect(here.bytes == apart.bytes)
        #expect(apart.gone > 100_000, "\(apart.bytes.count) bytes")
    }

    /// What a report says but for when and where.
    private static func timeless(_ report: RenderReport) -> RenderReport {
        var report = report
        (report.output, report.elapsedSeconds, report.speed) = ("", 0, 0)
        report.smart?.seconds = 0
        return report
    }

    @Test("encodes with several threads", arguments: ["h264", "hevc", "vp9", "av1"])
    func threads(codec: String) async throws {
        let output = #"{"video":{"codec":"\#(codec)","preset":"ultrafast","crf":35}}"#
        let text = EditText.timeline([(.zero, Rational(3, 2))], of: Fixture.media("pal25.mp4"), output: output)
        let edit = try EditDocument(json: Data(text.utf8))
        let job = Job(edit: edit, paths: edit.sources.map(\.uri), output: "film.mp4", threads: 3)
        let (here, apart) = (try Self.renderHere(job), try await Self.renderApart(job))
        #expect(here.bytes == apart.bytes)
        #expect(apart.report.video?.frames == 38)
    }

    @Test(
        "makes the same proxy set",
        arguments: [
            "talk.mp4", "pal25.mp4", "proxy_ready.mp4", "no_audio.mp4", "fragmented.mp4", "tone.wav", "speech.flac",
        ])
    func proxy(name: String) async throws {
        let path = Fixture.media(name)
        let files = TestFiles([path], streams: true)
        let task = try CodecTask.local(.proxy, [path], outputs: CodecTask.proxyOutputs)
        let ending = try await Self.template.fork().run(.roomy(task), files: files)
        guard case .finished(.proxy(let apart), let outputs) = ending.outcome else {
            Issue.record("it came to \(ending.outcome)")
            return
        }
        try withTemporaryFolder { folder in
            let here: ProxyReport = try Self.command(["proxy", path, "--output", folder, "--threads", "1"]).decoded()
            #expect(here.proxyMethod == apart.proxyMethod)
            #expect(here.durationSeconds == apart.durationSeconds && here.frames == apart.frames)
            #expect(try contents(ofFolder: folder) == outputs.sorted())
            for name in outputs {
                #expect(try bytes(ofFile: "\(folder)/\(name)") == files.output(name).map { Data($0) }, "\(name)")
            }
        }
        if name == "talk.mp4" { #expect(files.goneBytes("proxy.mp4") > 0 && files.goneBytes("audio.mp3") > 0) }
        #expect(apart.sprite.map(\.path) == (outputs.contains("sprite.jpg") ? "sprite.jpg" : nil))
    }

    @Test("listens and looks alike")
    func analysis() async throws {
        LogCapture.install()
        let path = Fixture.media("talk.mp4")
        var options = AnalysisOptions()
        options.threads = ThreadBudget(total: 1)
        options.pacing = 80
        var here = try Analyzer(
            path: path, options: options, meter: ProgressMeter(), cancellation: Cancellation()
        ).run()
        var task = try CodecTask.local(.analysis, [path])
        task.pacing = 80
        let ending = try await Self.template.fork().run(.roomy(task), files: TestFiles([path]))
        guard case .finished(.analysis(var apart), _) = ending.outcome else {
            Issue.record("it came to \(ending.outcome)")
            return
        }
        (here.elapsedSeconds, apart.elapsedSeconds, here.speed, apart.speed) = (0, 0, 0, 0)
        #expect(here == apart)
    }

    @Test(
        "says why an edit cannot be rendered",
        arguments: ["error-keeps-nothing", "error-out-of-bounds", "error-truncated"])
    func failures(name: String) async throws {
        let job = try Self.fixture(name)
        let here = failure { _ = try Self.renderHere(job) }
        do {
            _ = try await Self.renderApart(job)
            Issue.record("\(name) was rendered")
        } catch {
            #expect(Failure(error).code == here?.code)
        }
    }

    @Test("reports progress that never goes back")
    func progress() async throws {
        var task = try CodecTask.local(.analysis, [Fixture.media("talk.mp4")])
        task.threads = 2
        let events = Recorded<ProgressEvent>()
        let ending = try await Self.template.fork().run(
            .roomy(task), files: TestFiles([Fixture.media("talk.mp4")])
        ) { events.add($0) }
        #expect(ending.outcome.failure == nil)
        let fractions = events.all.map(\.fraction)
        #expect(fractions == fractions.sorted())
        #expect(events.all.last?.phase == .completed && fractions.last == 1)
        #expect(Double(fractions.count) <= 10 * ending.metrics.wallSeconds + 5)
    }
}
