internal import Engine
internal import FoundationEssentials
internal import Lettering
internal import Media
internal import Model

/// Does every kind of job once, on a picture and a sound made here, so that forks find tables filled, symbols bound and
/// Swift's own caches warm.
///
/// All of it on the calling thread. A step that this build of FFmpeg cannot do is left out: it is not needed then.
enum WarmUp {
    private static let edit = #"""
        {"sources":[{"id":"p","uri":"warm.bmp"},{"id":"s","uri":"warm.wav"}],
         "timeline":[{"source":"p"},{"source":"s"}]}
        """#
    private static let captioned = #"""
        {"sources":[{"id":"p","uri":"warm.bmp"}], "timeline":[{"source":"p"}],
         "captions":{"cues":[{"start_ms":0,"end_ms":1000,"text":"Reelpool"}]}}
        """#

    /// What jobs set captions in: they can open no file.
    static let fonts = InstalledFonts.read()

    static func run() {
        let files = MemoryFiles(["warm.bmp": picture(), "warm.wav": sound()])
        // WHY: each step is optional, and its failure shows in the job that needs it.
        _ = try? render(edit, ["warm.bmp", "warm.wav"], files)
        _ = try? render(captioned, ["warm.bmp"], files)
        _ = try? Prober.probe(
            files.open("warm.mp4"), name: "warm.mp4", limits: DemuxerLimits(), cancellation: Cancellation())
        _ = try? Analyzer(
            "warm.mp4", in: files, options: analysisOptions(), meter: ProgressMeter(), cancellation: Cancellation()
        ).run()
        _ = try? proxy(files)
    }

    private static func render(_ edit: String, _ names: [String], _ files: MemoryFiles) throws {
        var options = RenderOptions()
        options.threads = ThreadBudget(total: 1)
        options.fonts = fonts
        let report = try Renderer(
            EditDocument(json: Data(edit.utf8)),
            files: RenderFiles(sources: files, names: names, outputs: files, output: "warm.mp4"),
            options: options, meter: ProgressMeter(), cancellation: Cancellation()
        ).run()
        let json = try JSONEncoder().encode(report)
        _ = try JSONDecoder().decode(RenderReport.self, from: json)
    }

    private static func proxy(_ files: MemoryFiles) throws {
        var options = ProxyOptions()
        options.threads = ThreadBudget(total: 1)
        _ = try ProxyBuilder(
            "warm.mp4", in: files, outputs: files, options: options, meter: ProgressMeter(),
            cancellation: Cancellation()
        ).run()
    }

    private static func analysisOptions() -> AnalysisOptions {
        var options = AnalysisOptions()
        options.threads = ThreadBudget(total: 1)
        return options
    }

    // MARK: Media

    private static func little(_ value: Int, _ bytes: Int) -> [UInt8] {
        (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    /// A bitmap of 64 × 64 pixels in 24 bits.
    private static func picture() -> [UInt8] {
        let (side, header) = (64, 54)
        let pixels = side * side * 3
        let file = Array("BM".utf8) + little(header + pixels, 4) + little(0, 4) + little(header, 4)
        let info = little(40, 4) + little(side, 4) + little(side, 4) + little(1, 2) + little(24, 2)
        return file + info + little(0, 4) + little(pixels, 4) + little(2835, 4) + little(2835, 4) + little(0, 8)
            + (0..<pixels).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    }

    /// A saw-tooth of a quarter of a second, in 16 bits and stereo.
    private static func sound() -> [UInt8] {
        let rate = 48_000
        let samples = (0..<rate / 4).flatMap { little($0 * 97 % 16384, 2) + little($0 * 61 % 16384, 2) }
        let format = little(1, 2) + little(2, 2) + little(rate, 4) + little(rate * 4, 4) + little(4, 2) + little(16, 2)
        return Array("RIFF".utf8) + little(36 + samples.count, 4) + Array("WAVEfmt ".utf8) + little(16, 4) + format
            + Array("data".utf8) + little(samples.count, 4) + samples
    }
}

/// Files in memory.
private final class MemoryFiles: SourceProvider, OutputProvider {
    private final class File: StagedOutput {
        let destination: String
        var bytes: [UInt8]

        init(_ name: String, _ bytes: [UInt8] = []) { (destination, self.bytes) = (name, bytes) }

        var sizeBytes: Int64? { Int64(bytes.count) }

        func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
            guard offset >= 0, offset < Int64(bytes.count) else { return 0 }
            let part = bytes[Int(offset)...].prefix(buffer.count)
            buffer.copyBytes(from: part)
            return part.count
        }

        func write(_ new: UnsafeRawBufferPointer, at offset: Int64) throws {
            let end = Int(offset) + new.count
            if end > bytes.count { bytes += [UInt8](repeating: 0, count: end - bytes.count) }
            bytes.replaceSubrange(Int(offset)..<end, with: new)
        }
    }

    private var files: [String: File]

    init(_ contents: [String: [UInt8]]) {
        files = Dictionary(uniqueKeysWithValues: contents.map { ($0, File($0, $1)) })
    }

    func open(_ name: String) throws -> any ByteSource {
        guard let file = files[name] else { throw EngineError(.fileNotFound, "there is no file \(name)") }
        return file
    }

    func lastingName(of name: String) -> String { name }
    func prepare() {}
    func isSource(_ source: String, output name: String) -> Bool { false }
    func create(_ name: String, headBytes: Int64) -> any StagedOutput { File(name) }

    func commit(_ outputs: [any StagedOutput]) {
        for case let file as File in outputs { files[file.destination] = file }
    }
}
