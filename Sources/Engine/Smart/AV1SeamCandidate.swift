internal import Bitstream
internal import Media
internal import Model
internal import Planning

/// A way to encode seams in AV1. Which tools a sequence header names follows from the encoder, its speed, and what it is
/// asked for.
struct AV1SeamCandidate {
    let encoder: String
    /// `cpu-used` or `preset`.
    let speed: Int
    /// libaom's.
    var usage: String?

    /// libaom gives every picture at once and takes the names of tools one by one, but has some of them only where it is
    /// too slow. SVT-AV1 always names all of them, but for restoration.
    static let all = [
        AV1SeamCandidate(encoder: "libaom-av1", speed: 8, usage: "realtime"),
        AV1SeamCandidate(encoder: "libsvtav1", speed: 10),
        AV1SeamCandidate(encoder: "libsvtav1", speed: 8),
        AV1SeamCandidate(encoder: "libaom-av1", speed: 4, usage: "good"),
    ]

    /// - Parameter base: what is the same for all encoders.
    func make(
        _ base: VideoEncoderSettings, _ tools: AV1.SequenceHeader.Tools, _ quality: SeamQuality
    ) throws -> SeamEncoder {
        var settings = base
        settings.encoder = encoder
        settings.keyframeInterval = VP9Codec.never
        guard let usage else {
            settings.options = [
                "preset": "\(speed)", "crf": "\(quality.crf(usual: 16))",
                // Low delay: in the order shown.
                "svtav1-params": "lp=1:pred-struct=1:lookahead=0",
            ]
            return try SeamEncoder(settings, holdsBack: true)
        }
        func text(_ isOn: Bool) -> String { isOn ? "1" : "0" }
        settings.options = [
            "usage": usage, "cpu-used": "\(speed)", "lag-in-frames": "0", "b": "0",
            "crf": "\(quality.crf(usual: 14))",
            "enable-filter-intra": text(tools.filterIntra), "enable-intra-edge-filter": text(tools.intraEdgeFilter),
            "enable-interintra-comp": text(tools.interIntraCompound),
            "enable-masked-comp": text(tools.maskedCompound), "enable-dual-filter": text(tools.dualFilter),
            "enable-dist-wtd-comp": text(tools.distanceWeights),
            "enable-ref-frame-mvs": text(tools.referenceVectors), "enable-cdef": text(tools.cdef),
            "enable-restoration": text(tools.restoration),
            "aom-params": [
                "enable-warped-motion=\(text(tools.warpedMotion))", "sb-size=\(tools.has128Superblocks ? 128 : 64)",
            ].joined(separator: ":"),
        ]
        return try SeamEncoder(settings)
    }
}
