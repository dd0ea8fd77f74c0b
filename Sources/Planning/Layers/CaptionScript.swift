package import Model

/// Captions as subtitle renderers take them: a script with one style.
/// Source: Advanced SubStation Alpha as libass reads it, `ass_read_memory` and `ass_process_chunk`.
package struct CaptionScript: Sendable, Equatable {
    /// Everything before the events.
    package let header: String

    /// - Parameters:
    ///   - width: of the picture, in square pixels.
    package init(_ style: CaptionStyle, width: Int, height: Int) {
        let unit = Double(min(width, height))
        let size = style.size * unit
        let outline = style.outline == nil ? 0 : Self.outlineOfSize * size
        // A box is drawn as far around the text as its shadow would fall.
        let (border, shadow) = style.background == nil ? (1, style.shadow * unit) : (4, Self.paddingOfSize * size)
        let alignment =
            switch style.position {
            case .bottom: 2
            case .middle: 5
            case .top: 8
            }
        let fields: [(name: String, value: String)] = [
            ("Name", "Default"), ("Fontname", style.font), ("Fontsize", Self.text(size)),
            ("PrimaryColour", Self.text(style.color)), ("SecondaryColour", Self.text(style.color)),
            ("OutlineColour", Self.text(style.outline ?? .black)),
            ("BackColour", Self.text(style.background ?? Self.shadowColor)), ("Bold", style.isBold ? "-1" : "0"),
            ("Italic", "0"), ("Underline", "0"), ("StrikeOut", "0"), ("ScaleX", "100"), ("ScaleY", "100"),
            ("Spacing", "0"), ("Angle", "0"), ("BorderStyle", "\(border)"), ("Outline", Self.text(outline)),
            ("Shadow", Self.text(shadow)), ("Alignment", "\(alignment)"), ("MarginL", Self.pixels(style.margin, width)),
            ("MarginR", Self.pixels(style.margin, width)), ("MarginV", Self.pixels(style.margin, height)),
            ("Encoding", "1"),
        ]
        header = """
            [Script Info]
            ScriptType: v4.00+
            PlayResX: \(width)
            PlayResY: \(height)
            WrapStyle: 0
            ScaledBorderAndShadow: yes
            YCbCr Matrix: None

            [V4+ Styles]
            Format: \(fields.map(\.name).joined(separator: ", "))
            Style: \(fields.map(\.value).joined(separator: ","))

            [Events]
            Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text

            """
    }

    private static let outlineOfSize = 0.05
    private static let paddingOfSize = 0.2
    private static let shadowColor = LayerColor(red: 0, green: 0, blue: 0, alpha: 160)

    /// One event, as Matroska stores it: its number, its fields without times, and its text.
    package static func event(_ texts: [String]) -> String {
        "0,0,Default,,0,0,0,," + texts.map(escaped).joined(separator: "\\N")
    }

    /// Text in which nothing is taken for an instruction.
    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            switch character {
            case "\n": result += "\\N"
            case "{": result += "\\{"
            // What follows is then no part of an escape; the joiner has no width.
            case "\\": result += "\\\u{2060}"
            default: result.append(character)
            }
        }
    }

    /// The alpha of these colours is how much of the background is seen.
    private static func text(_ color: LayerColor) -> String {
        "&H" + Hexadecimal.text([255 - color.alpha, color.blue, color.green, color.red]).uppercased()
    }

    private static func text(_ number: Double) -> String {
        let hundredths = Int((number * 100).rounded())
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }

    private static func pixels(_ part: Double, _ of: Int) -> String { "\(Int((part * Double(of)).rounded()))" }
}
