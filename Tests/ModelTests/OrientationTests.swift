import Model
import Testing

/// A display matrix moves the point (x, y) to (a·x + c·y, b·x + d·y), y down.
@Suite("An orientation")
struct OrientationTests {
    private static let one: Int32 = 0x10000

    @Test(
        "is read from each of the eight matrices",
        arguments: [
            // x and y go: right and down; left and down; ...
            ([1, 0, 0, 1], .upright), ([-1, 0, 0, 1], .mirrored), ([1, 0, 0, -1], .flipped),
            ([-1, 0, 0, -1], .rotated180),
            // Clockwise: what points right comes to point down, what points down comes to point left.
            ([0, 1, -1, 0], .rotated90), ([0, -1, 1, 0], .rotated270),
            // Mirrored, x points left; turned clockwise, left becomes up. Down becomes left.
            ([0, -1, -1, 0], .mirroredRotated90), ([0, 1, 1, 0], .mirroredRotated270),
        ] as [([Int32], Orientation)])
    func matrices(matrix: [Int32], expected: Orientation) {
        let scaled = matrix.map { $0 * Self.one }
        #expect(Orientation(a: scaled[0], b: scaled[1], c: scaled[2], d: scaled[3]) == expected)
    }

    @Test("between right angles is the nearest", arguments: [5, 40] as [Int32])
    func nearest(slant: Int32) {
        #expect(Orientation(a: 100, b: slant, c: -slant, d: 100) == .upright)
        #expect(Orientation(a: -slant, b: 100, c: -100, d: -slant) == .rotated90)
    }

    @Test("swaps the axes exactly when it turns by a quarter", arguments: Orientation.allCases)
    func axes(orientation: Orientation) {
        #expect(orientation.swapsAxes == (orientation.degrees % 180 != 0))
    }

    @Test("decides a stream's size and pixel shape as shown")
    func shownSize() {
        let turned = VideoStream(
            index: 0, codec: "h264", pixelFormat: "yuv420p", bitDepth: 8, codedWidth: 320, codedHeight: 180,
            sampleAspectRatio: Rational(4, 3), orientation: .rotated90, color: ColorTags(), timeBase: Rational(1, 90000)
        )
        #expect(turned.width == 180 && turned.height == 320)
        #expect(turned.sampleAspectRatio == Rational(3, 4))
        #expect(turned.displayAspectRatio == Rational(180 * 3, 320 * 4))
    }
}
