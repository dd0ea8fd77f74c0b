package import Model

/// What happens to a source's colours on the way to the output.
package enum ColorTreatment: Codable, Sendable, Hashable {
    /// Samples are carried as they are, tags with them.
    case keep
    /// Another matrix or range, same light: between BT.601 and BT.709, full and limited.
    case convert(from: ColorTags, to: ColorTags)
    /// HDR to BT.709 SDR by tone mapping.
    case toneMap(from: ColorTags)
}

extension ColorTags {
    /// What the web expects of video that says nothing else.
    package static let sdr = ColorTags(
        range: "tv", matrix: "bt709", primaries: "bt709", transfer: "bt709", chromaLocation: "left")

    /// With what players assume where the stream is silent: BT.601 below 720 lines, BT.709 from there on.
    package func assumed(height: Int) -> ColorTags {
        var tags = self
        tags.range = range ?? "tv"
        tags.matrix = matrix ?? (height >= 720 ? "bt709" : "smpte170m")
        return tags
    }
}
