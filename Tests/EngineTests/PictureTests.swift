import Foundation
import Model
import TestSupport
import Testing

/// Pictures that must change on the way, against the `ffmpeg` command's own filters.
@Suite("A rendered picture")
struct PictureTests {
    private static let middle: [(start: Rational, end: Rational?)] = [(Rational(1, 2), Rational(9, 10))]

    /// Frames of the source that the range keeps, through the command's filters.
    private static func expected(_ path: String, _ filters: String? = nil) throws -> RawVideo {
        let source = try ReferenceVideo(path)
        let kept = source.frames.indices.filter {
            source.frames[$0].time >= Rational(1, 2) && source.frames[$0].time < Rational(9, 10)
        }
        let first = try #require(kept.first)
        let last = try #require(kept.last)
        let select = "select='between(n,\(first),\(last))'"
        return try RawVideo(path, filters: filters.map { "\(select),\($0)" } ?? select)
    }

    private static func rendered(
        _ path: String, settings: String? = nil, output: String = EditText.lossless
    ) throws -> RawVideo {
        try withTemporaryFolder { folder in
            let file = "\(folder)/out.mp4"
            try render(EditText.timeline(middle, of: path, output: output, settings: settings), to: file)
            return try RawVideo(file)
        }
    }

    @Test(
        "is shown the right way round, pixel for pixel",
        arguments: ["rotated90.mp4", "rotated180.mp4", "rotated270.mp4", "mirrored.mp4"])
    func rotation(name: String) throws {
        let path = Fixture.media(name)
        let (picture, expected) = (try Self.rendered(path), try Self.expected(path))
        #expect(picture.width == expected.width && picture.height == expected.height)
        #expect(picture.frames == expected.frames)
        // Upright: a red corner top left, green top right, blue bottom right (see Fixtures/README.md).
        let right = picture.width - 3
        #expect(picture.chroma(0, x: 2, y: 2).red > 180)
        #expect(picture.chroma(0, x: right, y: 2).red < 100 && picture.chroma(0, x: right, y: 2).blue < 100)
        #expect(picture.chroma(0, x: right, y: picture.height - 3).blue > 180)
    }

    @Test("follows all eight display matrices", arguments: Orientation.allCases)
    func matrices(orientation: Orientation) throws {
        // (x, y) is shown at (a·x + c·y, b·x + d·y).
        let matrix: (a: Int32, b: Int32, c: Int32, d: Int32)
        let filter: String
        switch orientation {
        case .upright: (matrix, filter) = ((1, 0, 0, 1), "null")
        case .mirrored: (matrix, filter) = ((-1, 0, 0, 1), "hflip")
        case .flipped: (matrix, filter) = ((1, 0, 0, -1), "vflip")
        case .rotated180: (matrix, filter) = ((-1, 0, 0, -1), "hflip,vflip")
        case .rotated90: (matrix, filter) = ((0, 1, -1, 0), "transpose=clock")
        case .rotated270: (matrix, filter) = ((0, -1, 1, 0), "transpose=cclock")
        case .mirroredRotated90: (matrix, filter) = ((0, -1, -1, 0), "hflip,transpose=clock")
        case .mirroredRotated270: (matrix, filter) = ((0, 1, 1, 0), "hflip,transpose=cclock")
        }
        let original = Fixture.media("no_audio.mp4")
        try withTemporaryFolder { folder in
            let path = "\(folder)/turned.mp4"
            try Self.copy(original, to: path, matrix: [matrix.a, matrix.b, 0, matrix.c, matrix.d, 0])
            let picture = try Self.rendered(path)
            #expect(picture.frames == (try Self.expected(original, filter)).frames)
        }
    }

    /// Copies an MP4 with another display matrix in its first track header. Source: ISO/IEC 14496-12 §8.3.2.
    private static func copy(_ path: String, to copy: String, matrix: [Int32]) throws {
        var data = try bytes(ofFile: path)
        let header = try #require(data.range(of: Data("tkhd".utf8)))
        for (index, value) in matrix.enumerated() {
            let place = header.upperBound + 40 + 4 * index
            let bits = UInt32(bitPattern: value &* 0x10000)
            data.replaceSubrange(place..<place + 4, with: withUnsafeBytes(of: bits.bigEndian) { Data($0) })
        }
        try data.write(to: URL(fileURLWithPath: copy))
    }

    @Test(
        "of another pixel format is like the command's conversion",
        arguments: ["yuv444.mp4", "tenbit_h264.mp4", "prores.mov"])
    func pixelFormats(name: String) throws {
        let path = Fixture.media(name)
        let likeness = try Self.rendered(path).worstPSNR(against: Self.expected(path))
        #expect(likeness >= 40)
    }

    @Test("of odd size loses one row and one column, and nothing else")
    func oddSize() throws {
        let path = Fixture.media("odd_size.webm")
        let (picture, expected) = (try Self.rendered(path), try Self.expected(path, "crop=318:178:0:0:exact=1"))
        #expect(picture.width == 318 && picture.height == 178)
        #expect(picture.frames == expected.frames)
    }

    @Test("keeps pixels that are not square when nothing else is asked")
    func anamorphic() throws {
        let path = Fixture.media("anamorphic.mp4")
        try withTemporaryFolder { folder in
            let file = "\(folder)/out.mp4"
            try render(EditText.timeline(Self.middle, of: path), to: file)
            #expect(try Inspection(file).video["sample_aspect_ratio"] == "4:3")
            #expect(try RawVideo(file).frames == Self.expected(path).frames)
        }
    }

    @Test("has square pixels once it is resized")
    func squarePixels() throws {
        let path = Fixture.media("anamorphic.mp4")
        let picture = try Self.rendered(path, settings: #"{"resolution":"480p"}"#)
        #expect(picture.width == 320 && picture.height == 180)
        #expect(try picture.worstPSNR(against: Self.expected(path, "scale=320:180:flags=bicubic")) >= 40)
    }

    @Test("is not enlarged by a preset unless that is asked")
    func upscaling() throws {
        let path = Fixture.media("no_audio.mp4")
        #expect(try Self.rendered(path, settings: #"{"resolution":"720p"}"#).frames == Self.expected(path).frames)
        let large = try Self.rendered(path, settings: #"{"resolution":"480p","upscale":true}"#)
        #expect(large.width == 854 && large.height == 480)
        #expect(try large.worstPSNR(against: Self.expected(path, "scale=854:480:flags=bicubic")) >= 40)
    }

    @Test("is made smaller as the command makes it", arguments: [("480p", 854, 480), ("720p", 1280, 720)])
    func presets(preset: String, width: Int, height: Int) throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/large.mp4"
            let source = "testsrc2=s=1920x1080:r=10:d=1"
            _ = try Command.output(
                "ffmpeg", ["-v", "error", "-f", "lavfi", "-i", source, "-c:v", "libx264", "-preset", "ultrafast", path])
            let picture = try Self.rendered(path, settings: #"{"resolution":"\#(preset)"}"#)
            #expect(picture.width == width && picture.height == height)
            let expected = try Self.expected(path, "scale=\(width):\(height):flags=bicubic")
            #expect(picture.worstPSNR(against: expected) >= 40)
        }
    }
}
