import Foundation
import Model
import TestSupport
import Testing

/// A 16:9 source (320x180) on canvases of other shapes.
@Suite("A picture on a canvas of another shape")
struct AspectRatioTests {
    private static let source = Fixture.media("no_audio.mp4")
    private static let range: [(start: Rational, end: Rational?)] = [(Rational(1), Rational(11, 10))]

    private static func rendered(_ settings: String) throws -> RawVideo {
        try withTemporaryFolder { folder in
            let file = "\(folder)/out.mp4"
            try render(EditText.timeline(range, of: source, settings: settings), to: file)
            return try RawVideo(file)
        }
    }

    /// The same frames through the command's filters.
    private static func expected(_ filters: String) throws -> RawVideo {
        try RawVideo(source, filters: "select='between(n,30,32)',\(filters)")
    }

    @Test("fits whole between black bars", arguments: [("9:16", 180, 320), ("1:1", 180, 180)])
    func fit(aspect: String, width: Int, height: Int) throws {
        let picture = try Self.rendered(#"{"aspect_ratio":"\#(aspect)","background":"fit"}"#)
        #expect(picture.width == width && picture.height == height)
        let (inner, top) = (102, (height - 102) / 2 & ~1)
        let inside = try Self.expected("scale=180:102:flags=bicubic")
        let cropped = picture.cropped(x: 0, y: top, width: 180, height: inner)
        #expect(cropped.worstPSNR(against: inside) >= 40)
        for frame in picture.frames.indices {
            for row in [0, top - 2, top + inner + 1, height - 1] {
                let isBlack = (0..<width).allSatisfy { column in
                    let chroma = picture.chroma(frame, x: column, y: row)
                    return picture.luma(frame, x: column, y: row) == 16 && chroma == (128, 128)
                }
                #expect(isBlack, "row \(row) of frame \(frame)")
            }
        }
    }

    @Test("fits between bars at its sides as well")
    func pillars() throws {
        let square = Fixture.media("pal25.mp4")
        try withTemporaryFolder { folder in
            let file = "\(folder)/out.mp4"
            let json = EditText.timeline(Self.range, of: square, settings: #"{"aspect_ratio":"16:9"}"#)
            try render(json, to: file)
            let picture = try RawVideo(file)
            #expect(picture.width == 426 && picture.height == 240)
            #expect(picture.meanLuma(0, x: 0..<50, y: 0..<240) == 16)
            #expect(picture.meanLuma(0, x: 376..<426, y: 0..<240) == 16)
            let expected = try RawVideo(square, filters: "select='between(n,25,27)'")
            let inside = picture.cropped(x: 52, y: 0, width: 320, height: 240)
            #expect(inside.worstPSNR(against: expected) >= 40)
        }
    }

    @Test("fills it from the centre", arguments: [("9:16", 102, 180, 108), ("1:1", 180, 180, 70)])
    func fill(aspect: String, width: Int, height: Int, left: Int) throws {
        let picture = try Self.rendered(#"{"aspect_ratio":"\#(aspect)","background":"fill"}"#)
        #expect(picture.width == width && picture.height == height)
        let expected = try Self.expected("crop=\(width):\(height):\(left):0:exact=1")
        #expect(picture.worstPSNR(against: expected) >= 40)
    }

    @Test("lies whole over a soft copy of itself")
    func blur() throws {
        let picture = try Self.rendered(#"{"aspect_ratio":"9:16","background":"blur"}"#)
        #expect(picture.width == 180 && picture.height == 320)
        let inside = try Self.expected("scale=180:102:flags=bicubic")
        #expect(picture.cropped(x: 0, y: 108, width: 180, height: 102).worstPSNR(against: inside) >= 38)
        for frame in picture.frames.indices {
            // Not black, as bars would be, and without the source's hard edges.
            #expect(picture.meanLuma(frame, x: 0..<180, y: 0..<100) > 30)
            let steps = (0..<178).map {
                abs(picture.luma(frame, x: $0, y: 50) - picture.luma(frame, x: $0 + 2, y: 50))
            }
            #expect((steps.max() ?? 255) < 40)
        }
    }

    @Test("is on a canvas of the preset's size")
    func withPreset() throws {
        let picture = try Self.rendered(#"{"aspect_ratio":"9:16","resolution":"480p","upscale":true}"#)
        #expect(picture.width == 480 && picture.height == 854)
        let plain = try Self.rendered(#"{"aspect_ratio":"9:16","resolution":"480p"}"#)
        #expect(plain.width == 180 && plain.height == 320)
    }
}
