import Engine
import Foundation
import LocalFiles
import Media
import Model
import Planning
import TestSupport
import Testing

/// Where the index of an MP4 goes, and what becomes of the space that was set aside for it.
@Suite("An MP4's index")
struct IndexPlacementTests {
    /// H.264 with B-frames at an uneven pace, and AAC.
    private static let source = Fixture.media("vfr.mp4")

    /// Copies the source's packets with so much set aside.
    ///
    /// - Returns: whether the index had no room there.
    private static func copy(to path: String, reserved: Int64) throws -> Bool {
        LogCapture.install()
        let file = try StagedFile(destination: path)
        var demuxer = try Demuxer(LocalFile(path: source), cancellation: Cancellation())
        var muxer = try Muxer(format: "mp4", sink: file, cancellation: Cancellation())
        var bases: [Rational] = []
        for index in 0..<demuxer.streamCount {
            _ = try muxer.addStream(copying: index, of: demuxer)
            bases.append(demuxer.timeBase(ofStream: index))
        }
        try muxer.begin(options: ["movie_timescale": "720000"], index: .first(reserved: reserved))
        var packet = try Packet()
        while try demuxer.read(into: &packet) {
            let index = packet.streamIndex
            try muxer.write(&packet, stream: index, timeBase: bases[index])
        }
        try muxer.finish()
        #expect(muxer.sizeBytes == file.sizeBytes)
        try file.commit()
        return muxer.indexOverflowed
    }

    /// Types and sizes at top level; an error when they do not cover the file.
    private static func outline(_ path: String) throws -> [MP4Boxes.Box] {
        let boxes = try MP4Boxes(path).topLevel
        #expect(boxes.last?.range.upperBound == (try bytes(ofFile: path)).count)
        return boxes
    }

    @Test("goes first where it has room, and last where it has not, to the byte")
    func sweep() throws {
        try withTemporaryFolder { folder in
            let roomy = "\(folder)/roomy.mp4"
            #expect(try Self.copy(to: roomy, reserved: 100_000) == false)
            let index = try #require(try Self.outline(roomy).first { $0.type == "moov" }).range
            let exact = Int64(index.count)
            let wanted = try ProbedFile(roomy, hashes: true)
            #expect(wanted.packets.count == 149 + 189)
            let probe = try Prober.probe(path: roomy)
            let (all, moov) = (try bytes(ofFile: roomy), index)

            let sizes = [0, 1, 7, 8, 9, 100, exact / 2] + Array(exact - 9...exact + 9) + [2 * exact]
            for size in sizes {
                let path = "\(folder)/\(size).mp4"
                let overflowed = try Self.copy(to: path, reserved: size)
                // What is left over must make a box, and the smallest box has 8 bytes.
                #expect(overflowed == (size < exact || (1..<8).contains(size - exact)), "\(size - exact)")
                let boxes = try Self.outline(path)
                let middle = overflowed ? ["free"] : size == exact ? ["moov"] : ["moov", "free"]
                #expect(boxes.map(\.type) == ["ftyp"] + middle + ["free", "mdat"] + (overflowed ? ["moov"] : []))
                // Chunk offsets apart, it is the same index of the same packets.
                #expect(boxes.first { $0.type == "moov" }?.range.count == moov.count)
                #expect(try bytes(ofFile: path).count >= all.count - 100_000 + Int(size))

                var found = try Prober.probe(path: path)
                #expect(found.container.indexFirst == !overflowed)
                (found.file, found.container.sizeBytes) = (probe.file, probe.container.sizeBytes)
                (found.container.bitRate, found.container.indexFirst) = (probe.container.bitRate, true)
                #expect(found == probe, "\(size - exact)")
                let packets = try ProbedFile(path, hashes: true).packets
                #expect(packets.map(\.dataHash) == wanted.packets.map(\.dataHash), "\(size - exact)")
                #expect(packets.map(\.ptsTime) == wanted.packets.map(\.ptsTime), "\(size - exact)")
            }
        }
    }

    @Test("that outgrows the space set aside does not lose the render", arguments: ["mp4", "mov"])
    func overflow(container: String) throws {
        LogCapture.install()
        let json = EditText.timeline([(.zero, nil)], of: Self.source, output: "{}")
        let edit = try EditDocument(json: Data(json.utf8))
        try withTemporaryFolder { folder in
            func run(_ name: String, reserved: Int64?) throws -> (report: RenderReport, path: String) {
                let path = "\(folder)/\(name).\(container)"
                var options = RenderOptions()
                options.threads = ThreadBudget(total: 1)
                options.indexReservation = reserved
                let report = try Renderer(
                    edit, paths: [Self.source], output: path, options: options, meter: ProgressMeter(),
                    cancellation: Cancellation()
                ).run()
                return (report, path)
            }
            let (usual, small) = (try run("usual", reserved: nil), try run("small", reserved: 1000))
            #expect(usual.report.indexFirst == true && usual.report.notes.isEmpty)
            #expect(small.report.indexFirst == false)
            #expect(small.report.notes.contains { $0.contains("index stands last") })
            #expect(try Self.outline(small.path).map(\.type).last == "moov")
            #expect(try ReferenceVideo(usual.path).times == ReferenceVideo(small.path).times)
            #expect(try ReferenceAudio(usual.path).count == ReferenceAudio(small.path).count)
            #expect(try Prober.probe(path: small.path).container.truncated == false)
            for made in [usual, small] {
                try OutputCheck.check(made.report, of: LocalFile(path: made.path), cancellation: Cancellation())
            }
        }
    }

    /// Into memory that cannot be read back but for its head and its end.
    private final class StreamedOutputs: OutputProvider {
        final class Output: StagedOutput {
            let destination: String
            let sink: StreamedSink

            init(_ name: String, headBytes: Int64) {
                // Not even the index at the end can be read back.
                (destination, sink) = (name, StreamedSink(headBytes: headBytes, keptBytes: 256))
            }

            var sizeBytes: Int64? { sink.sizeBytes }
            func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws { try sink.write(bytes, at: offset) }
            func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
                try sink.read(into: buffer, at: offset)
            }
        }

        private(set) var made: Output?

        func prepare() {}
        func create(_ name: String, headBytes: Int64) -> any StagedOutput { Output(name, headBytes: headBytes) }
        func commit(_ outputs: [any StagedOutput]) { made = outputs.first as? Output }
        func isSource(_ source: String, output name: String) -> Bool { false }
    }

    @Test("that outgrows the space set aside is sent with what comes last", arguments: [0, 1000])
    func overflowStreamed(reserved: Int64) throws {
        LogCapture.install()
        let edit = try EditDocument(
            json: Data(EditText.timeline([(.zero, nil)], of: Self.source, output: "{}").utf8))
        var options = RenderOptions()
        options.threads = ThreadBudget(total: 1)
        options.indexReservation = reserved
        let outputs = StreamedOutputs()
        let report = try Renderer(
            edit,
            files: RenderFiles(sources: LocalSources(), names: [Self.source], outputs: outputs, output: "out.mp4"),
            options: options, meter: ProgressMeter(), cancellation: Cancellation()
        ).run()
        let sink = try #require(outputs.made?.sink)
        #expect(report.indexFirst == false && sink.goneBytes > 10_000)
        try OutputCheck.check(report, of: sink, cancellation: Cancellation())
        try withTemporaryFolder { folder in
            let path = "\(folder)/out.mp4"
            try Data(sink.bytes).write(to: URL(fileURLWithPath: path))
            #expect(try Self.outline(path).map(\.type).last == "moov")
            #expect(try ReferenceVideo(path).times == ReferenceVideo(Self.source).times)
        }
    }

    /// The index's size, and what was set aside.
    private static func space(_ path: String) throws -> (index: Int, reserved: Int) {
        let boxes = try outline(path)
        let types = boxes.map(\.type)
        #expect(types.starts(with: ["ftyp", "moov", "free"]) && types.last == "mdat", "\(types)")
        return (boxes[1].range.count, boxes[2].range.upperBound - boxes[1].range.lowerBound)
    }

    @Test(
        "is foreseen for any codec and pace",
        arguments: [
            ("open_gop.mp4", "mp4", "h264", "aac"), ("vfr.mp4", "mp4", "h264", "opus"),
            ("vfr.mkv", "mov", "hevc", "aac"), ("hfr60.mp4", "mp4", "vp9", "mp3"), ("film24.mkv", "mp4", "av1", "aac"),
            ("surround51.mp4", "mp4", "h264", "aac"), ("hdr10.mp4", "mp4", "hevc", "aac"),
            ("speech.flac", "mp4", "h264", "mp3"),
        ])
    func renders(name: String, container: String, video: String, audio: String) throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/out.\(container)"
            let output = #"{"video":{"codec":"\#(video)","preset":"superfast"},"audio":{"codec":"\#(audio)"}}"#
            let report = try render(
                EditText.timeline([(.zero, nil)], of: Fixture.media(name), output: output), to: path)
            #expect(report.indexFirst == true)
            let (index, reserved) = try Self.space(path)
            #expect(reserved < 4 * index + 8192, "\(index) of \(reserved)")
        }
    }

    @Test("is foreseen closely in a long file, encoded or copied")
    func long() throws {
        try withTemporaryFolder { folder in
            let source = "\(folder)/source.mp4"
            _ = try Command.output(
                "ffmpeg",
                [
                    "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=64x64:r=30:d=300", "-f", "lavfi", "-i",
                    "sine=r=48000:d=300", "-c:v", "libx264", "-preset", "veryfast", "-g", "30", "-pix_fmt", "yuv420p",
                    "-c:a", "aac", source,
                ])
            let copied = try makeProxy(of: source, in: "\(folder)/copied")
            #expect(copied.report.proxyMethod == .remuxed && copied.report.indexFirst == true)
            let path = "\(folder)/render.mp4"
            #expect(
                try render(EditText.timeline([(.zero, nil)], of: source, output: "{}"), to: path).indexFirst == true)
            for file in [copied.proxy, path] {
                let (index, reserved) = try Self.space(file)
                // Twice the estimate: the estimate is between 0.9 and 1.4 times what comes of it.
                #expect((18...28).contains(reserved * 10 / index), "\(index) of \(reserved)")
                #expect(Double(index) / 300 < 700)
            }
        }
    }
}
