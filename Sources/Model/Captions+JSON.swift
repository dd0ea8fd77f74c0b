extension LayerColor: Codable {
    /// `#rrggbb` or `#rrggbbaa`, as in CSS. Source: CSS Color Module Level 4, §5.2.
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        let digits = text.dropFirst()
        guard text.first == "#", [6, 8].contains(digits.utf8.count), digits.allSatisfy({ $0.isASCII && $0.isHexDigit }),
            let number = UInt32(digits, radix: 16)
        else {
            throw EditError.invalid(
                path: decoder.codingPath.jsonPath, reason: "\"\(text)\" is not a colour such as #ff8000 or #ff800080")
        }
        let all = digits.utf8.count == 8 ? number : number << 8 | 255
        func byte(_ shift: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: all >> shift) }
        self.init(red: byte(24), green: byte(16), blue: byte(8), alpha: byte(0))
    }

    package func encode(to encoder: any Encoder) throws {
        let bytes = alpha == 255 ? [red, green, blue] : [red, green, blue, alpha]
        var container = encoder.singleValueContainer()
        try container.encode("#" + Hexadecimal.text(bytes))
    }
}

extension Captions: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable { case cues, style }

    /// More is a mistake, not a programme.
    static let maximumCues = 20_000

    package init(from decoder: any Decoder) throws {
        let container = try decoder.strictContainer(keyedBy: CodingKeys.self)
        cues = try container.decode([Caption].self, forKey: .cues)
        style = try container.decodeIfPresent(CaptionStyle.self, forKey: .style) ?? CaptionStyle()
        guard cues.count <= Self.maximumCues else {
            throw EditError.invalid(
                path: decoder.codingPath.jsonPath + ".cues", reason: "has more than \(Self.maximumCues) entries")
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(cues, forKey: .cues)
        if style != CaptionStyle() { try container.encode(style, forKey: .style) }
    }
}

extension Caption: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case start, end, text
        case startMilliseconds = "start_ms"
        case endMilliseconds = "end_ms"
    }

    /// A text fills the picture long before.
    static let maximumLength = 1000

    package init(from decoder: any Decoder) throws {
        let container = try decoder.strictContainer(keyedBy: CodingKeys.self)
        start = try container.required(.startMilliseconds, or: .start)
        end = try container.required(.endMilliseconds, or: .end)
        text = try container.decode(String.self, forKey: .text)
        let path = decoder.codingPath.jsonPath
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw EditError.invalid(path: path + ".text", reason: "is empty")
        }
        guard text.count <= Self.maximumLength else {
            throw EditError.invalid(path: path + ".text", reason: "has more than \(Self.maximumLength) characters")
        }
        guard !text.unicodeScalars.contains(where: { $0.value < 32 && $0 != "\n" }) else {
            throw EditError.invalid(path: path + ".text", reason: "has control characters")
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(start, forKey: .startMilliseconds)
        try container.encode(end, forKey: .endMilliseconds)
        try container.encode(text, forKey: .text)
    }
}

extension CaptionStyle: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case font, size, color, position, margin, background, outline, shadow
        case isBold = "bold"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.strictContainer(keyedBy: CodingKeys.self)
        self.init()
        if let font = try container.decodeIfPresent(String.self, forKey: .font) {
            // Scripts of subtitles separate their fields by commas.
            guard !font.isEmpty, font.count <= 100, !font.contains(where: { $0 == "," || $0.isNewline }) else {
                throw EditError.invalid(path: decoder.codingPath.jsonPath + ".font", reason: "is not a font's name")
            }
            self.font = font
        }
        isBold = try container.decodeIfPresent(Bool.self, forKey: .isBold) ?? isBold
        size = try container.part(.size, in: 0.01...0.5) ?? size
        color = try container.decodeIfPresent(LayerColor.self, forKey: .color) ?? color
        position = try container.choice(Position.self, .position) ?? position
        margin = try container.part(.margin, in: 0...0.5) ?? margin
        background = try container.decodeIfPresent(LayerColor.self, forKey: .background)
        // A null is no outline.
        if container.contains(.outline) { outline = try container.decodeIfPresent(LayerColor.self, forKey: .outline) }
        shadow = try container.part(.shadow, in: 0...0.1) ?? shadow
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(font, forKey: .font)
        try container.encode(isBold, forKey: .isBold)
        try container.encode(size, forKey: .size)
        try container.encode(color, forKey: .color)
        try container.encode(position, forKey: .position)
        try container.encode(margin, forKey: .margin)
        try container.encodeIfPresent(background, forKey: .background)
        try container.encode(outline, forKey: .outline)
        try container.encode(shadow, forKey: .shadow)
    }
}

extension Overlay: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case source, start, end, x, y, width, opacity
        case startMilliseconds = "start_ms"
        case endMilliseconds = "end_ms"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.strictContainer(keyedBy: CodingKeys.self)
        source = try container.decode(String.self, forKey: .source)
        start = try container.time(.startMilliseconds, or: .start) ?? EditTime(seconds: .zero)
        end = try container.time(.endMilliseconds, or: .end)
        x = try container.part(.x, in: -1...1) ?? 0
        y = try container.part(.y, in: -1...1) ?? 0
        width = try container.part(.width, in: 0.001...2) ?? 1
        opacity = try container.part(.opacity, in: 0...1) ?? 1
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(source, forKey: .source)
        try container.encode(start, forKey: .startMilliseconds)
        try container.encodeIfPresent(end, forKey: .endMilliseconds)
        try container.encode(x, forKey: .x)
        try container.encode(y, forKey: .y)
        try container.encode(width, forKey: .width)
        try container.encode(opacity, forKey: .opacity)
    }
}

extension KeyedDecodingContainer {
    /// A part of a length.
    fileprivate func part(_ key: Key, in bounds: ClosedRange<Double>) throws -> Double? {
        guard let number = try decodeIfPresent(Double.self, forKey: key) else { return nil }
        guard bounds.contains(number) else {
            throw EditError.invalid(
                path: (codingPath + [key]).jsonPath,
                reason: "\(number) is outside \(bounds.lowerBound) to \(bounds.upperBound)")
        }
        return number
    }
}
