import Foundation
import Lettering
import Model
import Planning
import TestSupport
import Testing

@Suite("Setting text")
struct LettererTests {
    private static let fonts = InstalledFonts.read(InstalledFonts.usualFolder)
    private static let (width, height) = (640, 360)

    private static func set(
        _ texts: [String], fonts: FontSet = fonts, _ change: (inout CaptionStyle) -> Void = { _ in }
    ) throws -> LetteredText? {
        var style = CaptionStyle()
        change(&style)
        let letterer = try Letterer(
            header: CaptionScript(style, width: width, height: height).header, font: style.font, fonts: fonts,
            width: width, height: height, pixelAspect: 1)
        return try letterer.set(CaptionScript.event(texts))
    }

    @Test("gives a picture of it, where it is to stand")
    func place() throws {
        let text = try #require(try Self.set(["Reelpool"]))
        #expect(text.y > Self.height / 2 && text.y + text.height <= Self.height)
        let middle = text.x + text.width / 2
        // Letters need not reach as far to the left as to the right.
        #expect(abs(middle - Self.width / 2) <= 8)
        let top = try #require(try Self.set(["Reelpool"]) { $0.position = .top })
        #expect(top.y < Self.height / 4)
        // White letters with a black outline.
        let opaque = stride(from: 0, to: text.pixels.count, by: 4).filter { text.pixels[$0 + 3] == 255 }
        #expect(opaque.contains { text.pixels[$0] == 255 } && opaque.contains { text.pixels[$0] == 0 })
    }

    @Test("breaks what is too long, and keeps lines that are given")
    func lines() throws {
        let one = try #require(try Self.set(["Reelpool"]))
        let two = try #require(try Self.set(["Reel\npool"]))
        let both = try #require(try Self.set(["Reel", "pool"]))
        #expect(two.height > one.height && two.width < one.width)
        #expect(both == two)
        let long = try #require(try Self.set([String(repeating: "many words ", count: 12)]))
        #expect(long.width <= Self.width && long.height > two.height)
    }

    @Test("shows instructions as they are written")
    func literal() throws {
        let plain = try #require(try Self.set(["{b1}a"]))
        let tagged = try #require(try Self.set([#"{\b1}a"#]))
        #expect(tagged.width > plain.width)
    }

    @Test("draws a box where one is asked for")
    func box() throws {
        let text = try #require(
            try Self.set(["Reelpool"]) {
                $0.background = LayerColor(red: 0, green: 0, blue: 255, alpha: 128)
                $0.outline = nil
            })
        #expect(Array(text.pixels.prefix(4)) == [0, 0, 255, 128])
        let without = try #require(try Self.set(["Reelpool"]) { $0.outline = nil })
        #expect(text.height > without.height && text.width > without.width)
    }

    @Test("looks the same every time")
    func determinism() throws { #expect(try Self.set(["Größe, ŝanĝo"]) == (try Self.set(["Größe, ŝanĝo"]))) }

    @Test("knows what fonts there are")
    func families() throws {
        let families = Set(Self.fonts.fonts.flatMap(\.families))
        #expect(families.isSuperset(of: ["DejaVu Sans", "DejaVu Sans Mono", "DejaVu Serif"]))
        let (sans, mono) = (
            try #require(try Self.set(["iii"])), try #require(try Self.set(["iii"]) { $0.font = "dejavu sans mono" })
        )
        #expect(mono.width > sans.width)
    }

    @Test("fails by a stable code without a font, and takes nothing for one that is none")
    func noFont() {
        #expect(failure { _ = try Self.set(["x"]) { $0.font = "No Such Font" } }?.code == .noFont)
        #expect(failure { _ = try Self.set(["x"], fonts: .none) }?.code == .noFont)
        var random = SeededGenerator(seed: 7)
        for length in [0, 3, 4, 11, 12, 100, 1000] {
            for start: [UInt8] in [[], [0x74, 0x74, 0x63, 0x66], [0, 1, 0, 0, 0, 20]] {
                let bytes = start + (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
                let font = FontSet.Font(name: "spoilt.ttf", bytes: Data(bytes))
                #expect(font.families.isEmpty)
            }
        }
        for font in Self.fonts.fonts.prefix(3) {
            for cut in stride(from: 0, to: 2000, by: 97) {
                _ = FontSet.Font(name: font.name, bytes: font.bytes.prefix(cut))
            }
        }
    }
}
