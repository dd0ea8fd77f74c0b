import Engine
import Foundation
import HTTPTransfer
import Media
import Model
import ObjectsS3
import PoolTestSupport
import S3
import TestSupport
import Testing

/// What reading a film in a store costs, in bytes that come from it.
@Suite("A film in a store", .enabled(if: ObjectStore.areThere, "\(ObjectStore.absence)"))
struct FetchBudgetTests {
    /// Uploads a file in parts.
    private static func upload(_ path: String, to place: S3Place, in store: ObjectStore) throws {
        let client = try store.client()
        let name = try client.beginUpload(place, contentType: "video/mp4", stop: TransferStop())
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        var parts: [S3Part] = []
        while let bytes = try file.read(upToCount: 16 << 20), !bytes.isEmpty {
            let number = parts.count + 1
            parts.append(
                try bytes.withUnsafeBytes { buffer in
                    try client.uploadPart(place, name, number: number, bytes: buffer, stop: TransferStop())
                })
        }
        _ = try client.completeUpload(place, name, parts: parts, stop: TransferStop())
    }

    private static func boxes(_ path: String) throws -> [(type: String, offset: Int64, size: Int64)] {
        let source = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        let end = Int64(try source.seekToEnd())
        var (boxes, offset): ([(type: String, offset: Int64, size: Int64)], Int64) = ([], 0)
        while offset < end {
            try source.seek(toOffset: UInt64(offset))
            let head = Array(try source.read(upToCount: 16) ?? Data())
            guard head.count >= 8 else { break }
            func number(_ bytes: ArraySlice<UInt8>) -> Int64 { bytes.reduce(0) { $0 << 8 | Int64($1) } }
            let short = number(head[0..<4])
            let size = short == 1 ? number(head[8..<16]) : short
            boxes.append((String(decoding: head[4..<8], as: UTF8.self), offset, size))
            offset += size
        }
        return boxes
    }

    @Test("is probed with its index and little more, also where the index is last", arguments: ObjectStore.allCases)
    func probe(store: ObjectStore) async throws {
        try await blocking {
            try withTemporaryFolder { folder in
                // 80 minutes of a recording.
                let path = "\(folder)/long.mp4"
                _ = try Command.output(
                    "ffmpeg",
                    [
                        "-v", "error", "-stream_loop", "199", "-i", Fixture.media("talk.mp4"), "-c", "copy", path,
                    ])
                let boxes = try Self.boxes(path)
                let index = try #require(boxes.first { $0.type == "moov" })
                #expect(boxes.last?.type == "moov" && index.size > 1 << 20, "\(boxes)")
                let place = try store.place("long.mp4")
                try Self.upload(path, to: place, in: store)
                let proxy = try FaultProxy(store)
                let source = try RangedSource(S3Ranges(try store.client(url: proxy.url), place))
                let report = try Prober.probe(
                    source, name: place.uri, limits: DemuxerLimits(), cancellation: Cancellation())
                #expect(report.container.durationSeconds.map { $0 > 4700 } == true)
                let fetched = try Self.fetched(proxy)
                let over = fetched - index.size
                print("probing fetched the index of \(index.size >> 10) KiB and \(over >> 10) KiB more")
                #expect(over <= 256 << 10, "of \(fetched)")
                // Opened again, as every job does, nothing is fetched again.
                _ = try Prober.probe(source, name: place.uri, limits: DemuxerLimits(), cancellation: Cancellation())
                let again = try Self.fetched(proxy) - fetched
                #expect(again < 256 << 10)
            }
        }
    }

    /// What has come through, in bytes.
    private static func fetched(_ proxy: FaultProxy) throws -> Int64 {
        try proxy.seen.reduce(0) { $0 + ($1.method == "GET" ? Int64($1.sent) : 0) }
    }

    /// Opens the same source for each reader.
    private final class Sources: SourceProvider {
        let source: any ByteSource
        init(_ source: any ByteSource) { self.source = source }
        func open(_ name: String) throws -> any ByteSource { source }
        func lastingName(of name: String) -> String { name }
    }

    @Test("is read for a minute out of its middle with a fifth more than that minute at most")
    func excerpt() async throws {
        try await blocking {
            try withTemporaryFolder { folder in
                let (piece, path) = ("\(folder)/piece.mp4", "\(folder)/film.mp4")
                _ = try Command.output(
                    "ffmpeg",
                    [
                        "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=20,noise=alls=60:allf=t", "-f",
                        "lavfi", "-i", "sine=d=20", "-c:v", "libx264", "-preset", "ultrafast", "-b:v", "4M", "-g", "50",
                        "-pix_fmt", "yuv420p", "-c:a", "aac", piece,
                    ])
                // With 150 it has 2 GB.
                let loops = ProcessInfo.processInfo.environment["REELPOOL_FILM_LOOPS"] ?? "9"
                _ = try Command.output(
                    "ffmpeg", ["-v", "error", "-stream_loop", loops, "-i", piece, "-c", "copy", path])
                let (needed, frames) = try Self.span(path, from: 100, to: 160)
                let place = try ObjectStore.seaweedfs.place("film.mp4")
                try Self.upload(path, to: place, in: .seaweedfs)
                let index = try #require(try Self.boxes(path).first { $0.type == "moov" })
                let proxy = try FaultProxy(.seaweedfs)
                let source = try RangedSource(S3Ranges(try ObjectStore.seaweedfs.client(url: proxy.url), place))
                let quick = #"{"video":{"preset":"ultrafast"}}"#
                let text = EditText.timeline([(Rational(100, 1), Rational(160, 1))], of: place.uri, output: quick)
                let edit = try EditDocument(json: Data(text.utf8))
                var options = RenderOptions()
                options.threads = ThreadBudget(total: 2)
                let files = RenderFiles(
                    sources: Sources(source), names: [place.uri], outputs: LocalOutputs(), output: "\(folder)/out.mp4")
                let report = try Renderer(
                    edit, files: files, options: options, meter: ProgressMeter(), cancellation: Cancellation()
                ).run()
                // A piece's sound is a little longer than its picture, so that there is a gap between two.
                let count = report.video?.frames ?? 0
                #expect(abs(Int(count) - frames) <= 1 && frames > 1490, "\(count) of \(frames)")
                let wanted = Double(needed + index.size)
                let fetched = try Self.fetched(proxy)
                let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int64 ?? 0
                print(
                    "a minute out of \(size >> 20) MiB needed \(Int(wanted) >> 10) KiB and fetched \(fetched >> 10) KiB"
                )
                #expect(Double(fetched) <= 1.2 * wanted, "of \(wanted)")
            }
        }
    }

    /// A source that somebody replaces after some reads.
    private final class Replaced: ByteSource {
        private let source: RangedSource
        private let replace: () throws -> Void
        private var left: Int

        init(_ source: RangedSource, after reads: Int, _ replace: @escaping () throws -> Void) {
            (self.source, left, self.replace) = (source, reads, replace)
        }

        var sizeBytes: Int64? { source.sizeBytes }

        func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
            left -= 1
            if left == 0 { try replace() }
            return try source.read(into: buffer, at: offset)
        }
    }

    @Test("that is replaced while it is rendered ends the job, and is no mixture", arguments: ObjectStore.allCases)
    func replaced(store: ObjectStore) async throws {
        try await blocking {
            try withTemporaryFolder { folder in
                let (client, place) = (try store.client(), try store.place("film.mp4"))
                let path = "\(folder)/long.mp4"
                _ = try Command.output(
                    "ffmpeg",
                    ["-v", "error", "-stream_loop", "19", "-i", Fixture.media("talk.mp4"), "-c", "copy", path])
                let bytes = Array(try bytes(ofFile: path))
                _ = try client.put(place, bytes, stop: TransferStop())
                let source = Replaced(try RangedSource(S3Ranges(client, place)), after: 12) {
                    // Of the same size, and as playable.
                    var other = bytes
                    other[other.count / 2] ^= 1
                    _ = try client.put(place, other, stop: TransferStop())
                }
                let quick = #"{"video":{"preset":"ultrafast"}}"#
                let text = EditText.timeline([(Rational(0, 1), Rational(400, 1))], of: place.uri, output: quick)
                let output = "\(folder)/out.mp4"
                let files = RenderFiles(
                    sources: Sources(source), names: [place.uri], outputs: LocalOutputs(), output: output)
                let failed = failure {
                    _ = try Renderer(
                        try EditDocument(json: Data(text.utf8)), files: files, options: RenderOptions(),
                        meter: ProgressMeter(), cancellation: Cancellation()
                    ).run()
                }
                #expect(failed?.code == .sourceChanged)
                #expect(!FileManager.default.fileExists(atPath: output))
            }
        }
    }

    /// Bytes of the file between the first packet that these seconds need and the last, and the frames within them.
    private static func span(
        _ path: String, from start: Double, to end: Double
    ) throws -> (bytes: Int64, frames: Int) {
        let words = ["-v", "error", "-select_streams", "v", "-show_entries", "packet=pts_time,pos,size,flags"]
        let text = String(
            decoding: try Command.output("ffprobe", words + ["-of", "csv=p=0", path]), as: UTF8.self)
        var (first, last, frames): (Int64, Int64, Int) = (0, 0, 0)
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ",")
            guard fields.count >= 4, let time = Double(fields[0]), let size = Int64(fields[1]),
                let position = Int64(fields[2])
            else { continue }
            if time <= start, fields[3].hasPrefix("K") { first = position }
            if time < end { last = max(last, position + size) }
            if time >= start, time < end { frames += 1 }
        }
        return (last - first, frames)
    }
}
