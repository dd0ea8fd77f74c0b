/// An edit as its author wrote it: which parts of which sources make up the output, and in what form.
///
/// Two forms exist. A *timeline* lists the ranges to keep, in output order. An *edit list* names what to cut,
/// mute or bleep in the sources played in order as one programme.
package struct EditDocument: Sendable, Equatable {
    package var sources: [EditSource]
    package var programme: EditProgramme
    package var captions: Captions?
    /// Those named later lie above those named earlier; captions lie above all.
    package var overlays: [Overlay]
    package var settings: EditSettings
    package var output: OutputSettings

    package init(
        sources: [EditSource],
        programme: EditProgramme,
        captions: Captions? = nil,
        overlays: [Overlay] = [],
        settings: EditSettings = EditSettings(),
        output: OutputSettings = OutputSettings()
    ) {
        (self.sources, self.programme, self.captions, self.overlays) = (sources, programme, captions, overlays)
        (self.settings, self.output) = (settings, output)
    }

    /// Into `sources`: what the programme is made of, in order. Images that are laid over it are not among them, unless
    /// a timeline plays them, too.
    package var programmeSources: [Int] {
        var images = Set(overlays.map(\.source))
        if case .timeline(let ranges) = programme, !images.isEmpty { images.subtract(ranges.map(\.source)) }
        return sources.indices.filter { !images.contains(sources[$0].id) }
    }
}

package struct EditSource: Sendable, Equatable, Codable {
    package var id: String
    package var uri: String

    package init(id: String, uri: String) { (self.id, self.uri) = (id, uri) }
}

package enum EditProgramme: Sendable, Equatable {
    case timeline([TimelineRange])
    case edits([EditOperation])
}

/// A half-open range `[start, end)` of one source, in seconds from that source's container start time.
package struct TimelineRange: Sendable, Equatable {
    package var source: String
    package var start: EditTime
    /// `nil` plays to the source's end.
    package var end: EditTime?

    package init(source: String, start: EditTime, end: EditTime?) {
        (self.source, self.start, self.end) = (source, start, end)
    }
}

/// What happens to a half-open range of the programme.
package struct EditOperation: Sendable, Equatable {
    package enum Action: String, Sendable, Codable, CaseIterable { case cut, mute, bleep }

    package var start: EditTime
    package var end: EditTime
    /// Why: free text for people and statistics, such as `SILENCE` or `PROFANITY`.
    package var type: String?
    package var action: Action

    package init(start: EditTime, end: EditTime, type: String?, action: Action) {
        (self.start, self.end, self.type, self.action) = (start, end, type, action)
    }
}

package struct EditSettings: Sendable, Equatable {
    package enum Resolution: String, Sendable, Codable, CaseIterable {
        case source
        case p480 = "480p"
        case p720 = "720p"
        case p1080 = "1080p"
        case p1440 = "1440p"
        case p2160 = "2160p"

        /// The shorter side in pixels; `nil` keeps the source's.
        package var shortSide: Int? {
            switch self {
            case .source: nil
            case .p480: 480
            case .p720: 720
            case .p1080: 1080
            case .p1440: 1440
            case .p2160: 2160
            }
        }
    }

    package enum AspectRatio: String, Sendable, Codable, CaseIterable {
        case source
        case landscape = "16:9"
        case portrait = "9:16"
        case square = "1:1"

        package var value: Rational? {
            switch self {
            case .source: nil
            case .landscape: Rational(16, 9)
            case .portrait: Rational(9, 16)
            case .square: .one
            }
        }
    }

    /// How a picture of another shape fills the canvas.
    package enum Background: String, Sendable, Codable, CaseIterable {
        /// Whole picture, black bars.
        case fit
        /// No bars, picture cropped about its centre.
        case fill
        /// Whole picture over a blurred, cropped copy of itself.
        case blur
    }

    package enum AudioCensorship: String, Sendable, Codable, CaseIterable { case mute, bleep }

    package var resolution: Resolution = .source
    package var aspectRatio: AspectRatio = .source
    package var background: Background = .fit
    /// Lets `resolution` enlarge a smaller source.
    package var upscale: Bool = false
    /// Replaces what every `mute` and `bleep` operation does; `nil` leaves each its own action.
    package var audioCensorship: AudioCensorship?

    package init() {}
}
