import Model
import Planning
import Testing

@Suite("The script of captions")
struct CaptionScriptTests {
    private static func field(
        _ name: String, _ style: CaptionStyle, width: Int = 1280, height: Int = 720
    ) throws -> String {
        let lines = CaptionScript(style, width: width, height: height).header.split(separator: "\n")
        let names = try #require(lines.first { $0.hasPrefix("Format: Name") }).dropFirst(8).split(separator: ", ")
        let values = try #require(lines.first { $0.hasPrefix("Style: ") }).dropFirst(7).split(separator: ",")
        #expect(names.count == values.count)
        let index = try #require(names.firstIndex { $0 == name })
        return String(values[index])
    }

    @Test("measures by the shorter side, so that a style fits every shape")
    func size() throws {
        var style = CaptionStyle()
        style.size = 0.1
        #expect(try Self.field("Fontsize", style) == "72.00")
        #expect(try Self.field("Fontsize", style, width: 720, height: 1280) == "72.00")
        #expect(try Self.field("MarginV", style, height: 1000) == "60")
    }

    @Test("writes colours the other way round, with how much is seen through")
    func colours() throws {
        var style = CaptionStyle()
        style.color = LayerColor(red: 0x11, green: 0x22, blue: 0x33, alpha: 0xff)
        style.background = LayerColor(red: 0xaa, green: 0xbb, blue: 0xcc, alpha: 0x40)
        #expect(try Self.field("PrimaryColour", style) == "&H00332211")
        #expect(try Self.field("BackColour", style) == "&HBFCCBBAA")
        #expect(try Self.field("BorderStyle", style) == "4")
        style.background = nil
        #expect(try Self.field("BorderStyle", style) == "1")
    }

    @Test("stands where it is to", arguments: [(CaptionStyle.Position.top, "8"), (.middle, "5"), (.bottom, "2")])
    func position(position: CaptionStyle.Position, alignment: String) throws {
        var style = CaptionStyle()
        style.position = position
        #expect(try Self.field("Alignment", style) == alignment)
    }

    @Test("takes nothing in a text for an instruction")
    func escapes() {
        #expect(CaptionScript.event([#"{\b1}a\N"#]).hasSuffix(",,\\{\\\u{2060}b1}a\\\u{2060}N"))
        #expect(CaptionScript.event(["a\nb", "c"]).hasSuffix(#",,a\Nb\Nc"#))
    }
}
