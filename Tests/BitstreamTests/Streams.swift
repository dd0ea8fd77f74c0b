import TestSupport
import Testing

@testable import Bitstream

/// Streams that use x264's tools in different ways.
struct Stream: Sendable, CustomTestStringConvertible {
    var name: String
    var parameters: String
    var profile = "high"
    var format = "yuv420p"
    var size = "100x76"

    var testDescription: String { name }

    func encode(_ folder: String, frames: Int = 72) throws -> CodedClip {
        try CodedClip.x264(
            folder, "source", parameters, frames: frames, size: size, format: format, profile: profile)
    }

    static let closed = Stream(
        name: "closed GOPs", parameters: "keyint=24:min-keyint=24:scenecut=0:bframes=3:b-pyramid=normal:ref=4")
    static let open = Stream(
        name: "open GOPs",
        parameters: "keyint=24:min-keyint=24:scenecut=0:open-gop=1:bframes=3:b-pyramid=normal:ref=4:b-adapt=0")
    static let openCAVLC = Stream(
        name: "open GOPs, CAVLC, four slices",
        parameters: "keyint=18:min-keyint=18:scenecut=0:open-gop=1:bframes=2:b-adapt=0:ref=3:cabac=0:slices=4")
    static let strict = Stream(
        name: "open GOPs, strict pyramid, many references",
        parameters: "keyint=24:min-keyint=24:scenecut=0:open-gop=1:bframes=7:b-pyramid=strict:b-adapt=0:ref=8:weightp=2"
    )
    static let cavlc = Stream(
        name: "CAVLC, weights, four slices", parameters: "keyint=20:cabac=0:slices=4:bframes=2:weightp=2:ref=5",
        profile: "main")
    static let baseline = Stream(name: "baseline", parameters: "keyint=15:min-keyint=15", profile: "baseline")
    static let withoutB = Stream(name: "no B pictures", parameters: "keyint=12:min-keyint=12:bframes=0:ref=2")
    static let deep = Stream(
        name: "10 bit", parameters: "keyint=24:min-keyint=24:open-gop=1:bframes=3:ref=4:b-adapt=0:scenecut=0",
        profile: "high10", format: "yuv420p10le")
    static let temporal = Stream(
        name: "temporal direct, implicit weights",
        parameters: "keyint=24:open-gop=1:bframes=5:direct=temporal:weightb=1:ref=6:b-pyramid=normal:scenecut=0")
    static let intra = Stream(name: "IDR pictures only", parameters: "keyint=1:cabac=0")
    static let refreshed = Stream(
        name: "one GOP, full macroblocks", parameters: "keyint=infinite:bframes=1:ref=1", size: "128x96")

    static let all = [
        closed, open, openCAVLC, strict, cavlc, baseline, withoutB, deep, temporal, intra, refreshed,
    ]
    /// Whether there are pieces that begin with no IDR picture.
    var hasOpenGOPs: Bool { parameters.contains("open-gop=1") }
}

extension CodedClip {
    /// Encodes a seam for this clip the way that it is to be done, of other pictures.
    func seam(_ folder: String, frames: Int, seed: Int) throws -> CodedClip {
        let profile = try H264.SeamProfile(configuration, reorderedFrames: 2)
        let path = "\(folder)/seam-\(frames)-\(seed).mp4"
        let options = profile.options.sorted { $0.key < $1.key }.flatMap { ["-\($0.key)", $0.value] }
        try Self.encode(
            to: path, frames: frames, size: "\(profile.width)x\(profile.height)", seed: seed,
            format: profile.pixelFormat, options)
        return try CodedClip(path)
    }

    /// Where pieces may begin, in decoding order.
    func entries() throws -> [Int] {
        try units().enumerated().filter { $0.element.canBeginPiece(isKeyframe: packets[$0.offset].isKeyframe) }
            .map(\.offset)
    }
}
