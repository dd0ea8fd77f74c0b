package import FoundationEssentials

extension EditDocument {
    /// Reads an edit, refusing unknown fields and naming the place of the first fault.
    package init(json: Data) throws(EditError) {
        do {
            self = try JSONDecoder().decode(EditDocument.self, from: json)
        } catch let error as EditError {
            throw error
        } catch let error as DecodingError {
            throw EditError(error)
        } catch {
            throw .notJSON(reason: String(describing: error))
        }
    }
}

extension EditError {
    package init(_ error: DecodingError) {
        switch error {
        case .typeMismatch(let type, let context):
            self = .invalid(path: context.codingPath.jsonPath, reason: "should be \(Self.plainName(of: type))")
        case .valueNotFound(let type, let context):
            self = .invalid(path: context.codingPath.jsonPath, reason: "is null, should be \(Self.plainName(of: type))")
        case .keyNotFound(let key, let context):
            self = .invalid(path: (context.codingPath + [key]).jsonPath, reason: "is missing")
        case .dataCorrupted(let context) where context.codingPath.isEmpty:
            self = .notJSON(reason: context.underlyingError.map { "\($0)" } ?? context.debugDescription)
        case .dataCorrupted(let context):
            self = .invalid(path: context.codingPath.jsonPath, reason: context.debugDescription)
        @unknown default:
            self = .notJSON(reason: String(describing: error))
        }
    }

    private static func plainName(of type: any Any.Type) -> String {
        switch type {
        case is String.Type: "a string"
        case is Bool.Type: "true or false"
        case is Int.Type, is Int64.Type, is Double.Type: "a number"
        default: String(describing: type).contains("Array") ? "a list" : "an object"
        }
    }
}

extension EditDocument: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case sources, timeline, edits, captions, overlays, settings, output
    }

    /// Sources beyond this are a mistake, not an edit.
    static let maximumSources = 256
    static let maximumRanges = 100_000
    static let maximumOverlays = 1000

    package init(from decoder: any Decoder) throws {
        let container = try decoder.strictContainer(keyedBy: CodingKeys.self)
        let drafts = try container.decode([SourceDraft].self, forKey: .sources)
        guard !drafts.isEmpty else { throw EditError.invalid(path: "sources", reason: "is empty") }
        guard drafts.count <= Self.maximumSources else {
            throw EditError.invalid(path: "sources", reason: "has more than \(Self.maximumSources) entries")
        }
        sources = drafts.enumerated().map { EditSource(id: $1.id ?? "\($0)", uri: $1.uri) }
        var seen: Set<String> = []
        for (index, source) in sources.enumerated() where !seen.insert(source.id).inserted {
            throw EditError.invalid(path: "sources[\(index)].id", reason: "\"\(source.id)\" is used twice")
        }

        let timeline = try container.decodeIfPresent([TimelineRange].self, forKey: .timeline)
        let edits = try container.decodeIfPresent([EditOperation].self, forKey: .edits)
        switch (timeline, edits) {
        case (let ranges?, nil): programme = .timeline(ranges)
        case (nil, let operations?): programme = .edits(operations)
        case (nil, nil): throw EditError.invalid(path: "", reason: "the edit has neither a timeline nor edits")
        case (_?, _?): throw EditError.invalid(path: "", reason: "the edit has both a timeline and edits")
        }
        guard (timeline?.count ?? 0) + (edits?.count ?? 0) <= Self.maximumRanges else {
            throw EditError.invalid(
                path: timeline == nil ? "edits" : "timeline",
                reason: "has more than \(Self.maximumRanges) entries")
        }
        captions = try container.decodeIfPresent(Captions.self, forKey: .captions)
        overlays = try container.decodeIfPresent([Overlay].self, forKey: .overlays) ?? []
        guard overlays.count <= Self.maximumOverlays else {
            throw EditError.invalid(path: "overlays", reason: "has more than \(Self.maximumOverlays) entries")
        }
        settings = try container.decodeIfPresent(EditSettings.self, forKey: .settings) ?? EditSettings()
        output = try container.decodeIfPresent(OutputSettings.self, forKey: .output) ?? OutputSettings()
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(sources, forKey: .sources)
        switch programme {
        case .timeline(let ranges): try container.encode(ranges, forKey: .timeline)
        case .edits(let operations): try container.encode(operations, forKey: .edits)
        }
        try container.encodeIfPresent(captions, forKey: .captions)
        if !overlays.isEmpty { try container.encode(overlays, forKey: .overlays) }
        if settings != EditSettings() { try container.encode(settings, forKey: .settings) }
        if output != OutputSettings() { try container.encode(output, forKey: .output) }
    }
}

/// A source as written: the id may be left out in an edit list, and is then the source's index.
private struct SourceDraft: Decodable {
    var id: String?
    var uri: String

    private enum CodingKeys: String, CodingKey, CaseIterable { case id, uri }

    init(from decoder: any Decoder) throws {
        let container = try decoder.strictContainer(keyedBy: CodingKeys.self)
        id = try container.decodeIfPresent(String.self, forKey: .id)
        uri = try container.decode(String.self, forKey: .uri)
        guard !uri.isEmpty else {
            throw EditError.invalid(path: decoder.codingPath.jsonPath, reason: "the uri is empty")
        }
    }
}

extension TimelineRange: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case source, start, end
        case startMilliseconds = "start_ms"
        case endMilliseconds = "end_ms"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.strictContainer(keyedBy: CodingKeys.self)
        source = try container.decode(String.self, forKey: .source)
        start = try container.time(.startMilliseconds, or: .start) ?? EditTime(seconds: .zero)
        end = try container.time(.endMilliseconds, or: .end)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(source, forKey: .source)
        try container.encode(start, forKey: .startMilliseconds)
        try container.encodeIfPresent(end, forKey: .endMilliseconds)
    }
}

extension EditOperation: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case start, end, type, action
        case startMilliseconds = "start_ms"
        case endMilliseconds = "end_ms"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.strictContainer(keyedBy: CodingKeys.self)
        start = try container.required(.startMilliseconds, or: .start)
        end = try container.required(.endMilliseconds, or: .end)
        type = try container.decodeIfPresent(String.self, forKey: .type)
        action = try container.choice(Action.self, .action) ?? .cut
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(start, forKey: .startMilliseconds)
        try container.encode(end, forKey: .endMilliseconds)
        try container.encodeIfPresent(type, forKey: .type)
        try container.encode(action, forKey: .action)
    }
}

extension EditSettings: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case resolution, background, upscale
        case aspectRatio = "aspect_ratio"
        case audioCensorship = "audio_censorship"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.strictContainer(keyedBy: CodingKeys.self)
        self.init()
        resolution = try container.choice(Resolution.self, .resolution) ?? .source
        aspectRatio = try container.choice(AspectRatio.self, .aspectRatio) ?? .source
        background = try container.choice(Background.self, .background) ?? .fit
        upscale = try container.decodeIfPresent(Bool.self, forKey: .upscale) ?? false
        audioCensorship = try container.choice(AudioCensorship.self, .audioCensorship)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(resolution, forKey: .resolution)
        try container.encode(aspectRatio, forKey: .aspectRatio)
        try container.encode(background, forKey: .background)
        try container.encode(upscale, forKey: .upscale)
        try container.encodeIfPresent(audioCensorship, forKey: .audioCensorship)
    }
}

extension KeyedDecodingContainer {
    /// One of a closed set of names; the error lists them.
    func choice<Choice>(_ type: Choice.Type, _ key: Key) throws -> Choice?
    where Choice: RawRepresentable<String> & CaseIterable {
        guard let text = try decodeIfPresent(String.self, forKey: key) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw EditError.invalid(path: (codingPath + [key]).jsonPath, reason: "\"\(text)\" is not one of \(names)")
        }
        return choice
    }

    /// A whole number; JSONDecoder takes any other for corrupt JSON, by an error of its own that names no place.
    func wholeNumber(_ key: Key) throws -> Int64? {
        do {
            return try decodeIfPresent(Int64.self, forKey: key)
        } catch let error as DecodingError {
            throw error
        } catch {
            throw EditError.invalid(path: (codingPath + [key]).jsonPath, reason: "is not a whole number")
        }
    }

    /// A whole number within bounds.
    func integer(_ key: Key, in bounds: ClosedRange<Int>) throws -> Int? {
        guard let number = try wholeNumber(key).map({ Int($0) }) else { return nil }
        guard bounds.contains(number) else {
            throw EditError.invalid(
                path: (codingPath + [key]).jsonPath,
                reason: "\(number) is outside \(bounds.lowerBound) to \(bounds.upperBound)"
            )
        }
        return number
    }

    /// As `time`, where there has to be one.
    func required(_ key: Key, or other: Key) throws -> EditTime {
        guard let time = try time(key, or: other) else {
            throw EditError.invalid(path: (codingPath + [key]).jsonPath, reason: "is missing")
        }
        return time
    }

    func time(_ key: Key, or other: Key) throws -> EditTime? {
        let first = try decodeIfPresent(EditTime.self, forKey: key)
        let second = try decodeIfPresent(EditTime.self, forKey: other)
        if first != nil, second != nil {
            throw EditError.invalid(
                path: (codingPath + [key]).jsonPath, reason: "is given twice, as \(other.stringValue) too")
        }
        return first ?? second
    }
}
