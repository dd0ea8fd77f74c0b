import Foundation
import Media
import Model
import TestSupport
import Testing

/// A file in memory that may be slow, faulty, or say nothing of its size.
private final class MemorySource: ByteSource {
    struct Fault: ClassifiedError, Equatable {
        var code: FailureCode { .readFailed }
        var message: String { "the store went away" }
    }

    let bytes: [UInt8]
    var sizeBytes: Int64? { Int64(bytes.count) }
    /// The most bytes one read gives.
    var pieceBytes = Int.max
    /// Reads from here on fail.
    var faultAt = Int64.max
    private(set) var reads = 0

    init(_ path: String) throws { bytes = Array(try TestSupport.bytes(ofFile: path)) }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        reads += 1
        guard offset < faultAt else { throw Fault() }
        let end = min(Int64(bytes.count), faultAt)
        let count = min(buffer.count, pieceBytes, Int(end - min(offset, end)))
        guard count > 0 else { return 0 }
        buffer.copyBytes(from: bytes[Int(offset)..<Int(offset) + count])
        return count
    }
}

@Suite("A demuxer")
struct DemuxerTests {
    private struct Seen: Equatable {
        var stream: Int
        var time: Int64?
        var size: Int
    }

    private static func packets(_ source: MemorySource, cancellation: Cancellation = Cancellation()) throws -> [Seen] {
        LogCapture.install()
        var demuxer = try Demuxer(source, cancellation: cancellation)
        var packet = try Packet()
        var seen: [Seen] = []
        while try demuxer.read(into: &packet) {
            seen.append(Seen(stream: packet.streamIndex, time: packet.presentationTime, size: packet.sizeBytes))
        }
        return seen
    }

    @Test(
        "finds the same packets however few bytes it gets at a time",
        arguments: ["open_gop.mp4", "vfr.mkv", "mpeg2.ts"])
    func shortReads(name: String) throws {
        let whole = try Self.packets(MemorySource(Fixture.media(name)))
        #expect(whole.count > 50)
        for piece in [1, 7, 1000] {
            let source = try MemorySource(Fixture.media(name))
            source.pieceBytes = piece
            #expect(try Self.packets(source) == whole)
        }
    }

    @Test("hands on its source's own error", arguments: ["open_gop.mp4", "vfr.mkv", "start_offset.ts"])
    func sourceError(name: String) throws {
        for share in [0.0, 0.001, 0.5, 0.9] {
            let source = try MemorySource(Fixture.media(name))
            source.faultAt = Int64(Double(source.bytes.count) * share)
            #expect(throws: MemorySource.Fault.self, "failing at \(share) of the file") { try Self.packets(source) }
        }
    }

    @Test("stops when it is told to")
    func cancellation() throws {
        let cancellation = Cancellation()
        cancellation.raise()
        let source = try MemorySource(Fixture.media("open_gop.mp4"))
        let outcome = failure { _ = try Self.packets(source, cancellation: cancellation) }
        #expect(outcome?.code == .cancelled)
        #expect(source.reads <= 1)
    }

    @Test("refuses more streams and larger pictures than it may")
    func limits() throws {
        var limits = DemuxerLimits()
        limits.maximumStreams = 1
        let many = failure {
            _ = try Demuxer(
                try MemorySource(Fixture.media("open_gop.mp4")), limits: limits, cancellation: Cancellation())
        }
        #expect(many?.code == .tooManyStreams)
        limits = DemuxerLimits()
        limits.maximumPixels = 320 * 180 - 1
        let large = failure {
            _ = try Demuxer(
                try MemorySource(Fixture.media("open_gop.mp4")), limits: limits, cancellation: Cancellation())
        }
        #expect(large?.code == .tooManyPixels)
    }

    @Test("carries the library's own last words, without addresses that change")
    func lastWords() throws {
        let source = try MemorySource(Fixture.hostile("truncated_no_moov.mp4"))
        let outcome = try #require(failure { _ = try Self.packets(source) })
        #expect(outcome.code == .damagedMedia)
        #expect(outcome.detail == "[mov,mp4,m4a,3gp,3g2,mj2] moov atom not found")
    }
}

@Suite("A media error")
struct MediaErrorTests {
    @Test("is our fault when an encoder is given an option that it does not know")
    func unknownOption() {
        LogCapture.install()
        var settings = VideoEncoderSettings(
            encoder: "libx264", width: 64, height: 64, pixelFormat: .yuv420p, timeBase: Rational(1, 25))
        settings.options = ["no-such-option": "1"]
        #expect(failure { _ = try Encoder(video: settings) }?.code == .internalFault)
    }

    @Test("says which encoder is missing")
    func missingEncoder() {
        let settings = VideoEncoderSettings(
            encoder: "libnothing", width: 64, height: 64, pixelFormat: .yuv420p, timeBase: Rational(1, 25))
        let outcome = failure { _ = try Encoder(video: settings) }
        #expect(outcome?.code == .noEncoder)
        #expect(outcome?.message.contains("libnothing") == true)
        #expect(!Encoder.exists("libnothing") && Encoder.exists("libx264"))
    }

    @Test("comes of a pixel format that an encoder does not take")
    func pixelFormat() {
        let settings = VideoEncoderSettings(
            encoder: "libsvtav1", width: 64, height: 64, pixelFormat: .yuvj420p, timeBase: Rational(1, 25))
        #expect(failure { _ = try Encoder(video: settings) }?.code == .noEncoder)
    }
}

@Suite("A black picture")
struct BlackFrameTests {
    @Test("is black in its range", arguments: [(false, UInt8(16)), (true, UInt8(0))])
    func black(fullRange: Bool, luma: UInt8) throws {
        let format: PixelFormat = fullRange ? .yuvj420p : .yuv420p
        let frame = try Frame.black(width: 34, height: 18, format: format, fullRange: fullRange)
        for (index, value) in [luma, 128, 128].enumerated() {
            let plane = frame.plane(index)
            let (base, stride) = try #require(plane)
            let (width, height) = index == 0 ? (34, 18) : (17, 9)
            for row in 0..<height { for column in 0..<width { #expect(base[row * stride + column] == value) } }
        }
    }
}
