/// Text laid over the picture: what is shown when, and how it looks.
package struct Captions: Sendable, Equatable {
    package var cues: [Caption]
    package var style: CaptionStyle

    package init(cues: [Caption], style: CaptionStyle = CaptionStyle()) { (self.cues, self.style) = (cues, style) }
}

/// One text, shown for a half-open range of the edit's clock: of the output for a timeline, of the programme before
/// anything is cut for an edit list.
package struct Caption: Sendable, Equatable {
    package var start: EditTime
    package var end: EditTime
    /// Lines are separated by `\n`; longer ones are broken.
    package var text: String

    package init(start: EditTime, end: EditTime, text: String) {
        (self.start, self.end, self.text) = (start, end, text)
    }
}

/// How captions look. Lengths are parts of the output's shorter side, so that one style fits every shape.
package struct CaptionStyle: Sendable, Equatable {
    package enum Position: String, Sendable, Codable, CaseIterable { case top, middle, bottom }

    /// A family's name.
    package var font = "DejaVu Sans"
    package var isBold = true
    /// Of a line, from its highest to its lowest point.
    package var size = 0.06
    package var color = LayerColor.white
    package var position = Position.bottom
    /// From the picture's edge; of no account in the middle.
    package var margin = 0.06
    /// A box behind the text.
    package var background: LayerColor?
    package var outline: LayerColor? = .black
    /// How far the text's shadow falls.
    package var shadow = 0.0

    package init() {}
}

/// sRGB, with opacity.
package struct LayerColor: Sendable, Hashable {
    package var red: UInt8
    package var green: UInt8
    package var blue: UInt8
    /// 255 hides what is behind.
    package var alpha: UInt8

    package init(red: UInt8, green: UInt8, blue: UInt8, alpha: UInt8 = 255) {
        (self.red, self.green, self.blue, self.alpha) = (red, green, blue, alpha)
    }

    package static let white = LayerColor(red: 255, green: 255, blue: 255)
    package static let black = LayerColor(red: 0, green: 0, blue: 0)
}

/// A picture laid over the programme's for a half-open range of the edit's clock, as captions are.
///
/// Places and lengths are parts of the output's width and height. Its height follows from its own shape.
package struct Overlay: Sendable, Equatable {
    /// An image among the edit's sources, which is not part of the programme.
    package var source: String
    package var start: EditTime
    /// `nil` shows it to the end.
    package var end: EditTime?
    /// Of its left edge.
    package var x: Double
    /// Of its upper edge.
    package var y: Double
    package var width: Double
    /// From 0 (not seen) to 1.
    package var opacity: Double

    package init(
        source: String, start: EditTime, end: EditTime?, x: Double, y: Double, width: Double, opacity: Double = 1
    ) {
        (self.source, self.start, self.end) = (source, start, end)
        (self.x, self.y, self.width, self.opacity) = (x, y, width, opacity)
    }
}
