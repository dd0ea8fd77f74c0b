import Foundation
import Model
import TestSupport
import Testing

/// What a proxy's video promises, checked without any help from the code that made it.
enum ProxyPromises {
    /// H.264 as every browser decodes it, upright, with square pixels, within 720p and no larger than the source.
    static func checkVideo(_ set: ProxySet) throws {
        let (source, proxy) = (try ProbedFile(set.source), try ProbedFile(set.proxy))
        let streams = proxy.streams.filter { $0.codecType == "video" }
        let video = try #require(streams.first)
        #expect(streams.count == 1)
        #expect(video.codecName == "h264")
        #expect(["High", "Main", "Constrained Baseline"].contains(video.profile))
        #expect(video.pixFmt == "yuv420p")
        #expect([nil, "1:1"].contains(video.sampleAspectRatio))
        #expect([nil, "progressive"].contains(video.fieldOrder))
        #expect(video.colorRange != "pc")
        #expect(!["smpte2084", "arib-std-b67"].contains(video.colorTransfer))
        #expect(video.sideDataList?.contains { $0.sideDataType == "Display Matrix" } != true, "rotation is left")
        try checkSize(video, shown: shownSize(source, set.source))
    }

    private static func checkSize(_ video: ProbedFile.Stream, shown: (width: Double, height: Double)) throws {
        let (width, height) = (try #require(video.width), try #require(video.height))
        #expect(width % 2 == 0 && height % 2 == 0)
        #expect(min(width, height) <= 720 && max(width, height) <= 1280)
        let factor = min(1, 720 / min(shown.width, shown.height), 1280 / max(shown.width, shown.height))
        #expect(abs(Double(width) - shown.width * factor) <= 1, "\(width) of \(shown.width * factor)")
        #expect(abs(Double(height) - shown.height * factor) <= 1, "\(height) of \(shown.height * factor)")
    }

    /// The picture as it is to be seen: turned upright, its pixels square.
    private static func shownSize(_ source: ProbedFile, _ path: String) throws -> (width: Double, height: Double) {
        let upright = try ReferenceVideo(path)
        let video = try #require(source.video)
        let isTurned = upright.width != video.width
        let parts = video.sampleAspectRatio?.split(separator: ":").compactMap { Double($0) } ?? []
        var aspect = parts.count == 2 && parts[0] > 0 && parts[1] > 0 ? parts[0] / parts[1] : 1
        if isTurned { aspect = 1 / aspect }
        return (Double(upright.width) * aspect, Double(upright.height))
    }

    static func checkKeyframes(_ set: ProxySet) throws {
        #expect(try ProbedFile(set.proxy).longestWayFromKeyframe <= 1.001)
    }

    static func checkIndexFirst(_ set: ProxySet) throws {
        let order = try MP4Boxes(set.proxy).topLevel.map(\.type).filter { ["ftyp", "moov", "mdat"].contains($0) }
        #expect(order == ["ftyp", "moov", "mdat"])
    }

    /// The very frames of the source, each at its time.
    static func checkFrameTimes(_ set: ProxySet) throws {
        let (source, proxy) = (try ReferenceVideo(set.source), try ReferenceVideo(set.proxy))
        #expect(proxy.times.count == source.times.count)
        #expect(proxy.times == source.times)
        #expect(set.report.frames == source.times.count)
    }

    /// - Parameter floor: the least likeness of any frame, in decibels. The test pictures are harder than real ones.
    static func checkPictures(_ set: ProxySet, floor: Double = 29) throws {
        let proxy = try ReferenceVideo(set.proxy)
        let source = try ReferenceVideo(set.source)
        let fitting = fitting(source, width: proxy.width, height: proxy.height)
        let likeness = try PictureLikeness.decibels(
            set.proxy, reference: set.source,
            filters: "\(progressive(set.source)),\(fitting),format=yuv420p")
        #expect(likeness.count == source.times.count)
        let worst = likeness.indices.min { likeness[$0] < likeness[$1] }
        let least = worst.map { likeness[$0] } ?? -.infinity
        #expect(least >= floor, "frame \(worst ?? -1)")
    }

    /// The filter that makes whole pictures of fields.
    static func progressive(_ source: String) throws -> String {
        let order = try ProbedFile(source).video?.fieldOrder
        return ["tt", "bb", "tb", "bt"].contains(order) ? "bwdif=mode=send_frame" : "null"
    }

    /// The filter that brings a source's pictures to the proxy's size.
    static func fitting(_ source: ReferenceVideo, width: Int, height: Int) -> String {
        // An odd row or column too many is left out; everything else is scaled.
        let trims = source.width & ~1 == width && source.height & ~1 == height
        return trims ? "crop=\(width):\(height):0:0:exact=1" : "scale=\(width):\(height):flags=bicubic"
    }

    /// AAC at the source's place in time, to a millisecond, from the beginning to the end.
    ///
    /// - Parameter floor: the least likeness to the source's sound, in decibels; `nil` compares lengths only.
    static func checkSound(_ set: ProxySet, floor: Double? = 10) throws {
        let probed = try ProbedFile(set.proxy)
        let audio = try #require(probed.audio)
        #expect(audio.codecName == "aac" && audio.profile == "LC")
        let channels = audio.channels ?? 0
        if set.report.proxyMethod == .encoded { #expect(channels <= 2) }
        try checkAlignment(set.proxy, of: set.source, channels: channels, floor: floor)
    }

    /// Mono for transcription, as long as the source's sound.
    static func checkSpeech(_ set: ProxySet, floor: Double? = 10) throws {
        let probed = try ProbedFile(set.speech)
        let audio = try #require(probed.audio)
        #expect(audio.codecName == "mp3")
        #expect(audio.channels == 1 && audio.sampleRate == "16000" && audio.bitRate == "64000")
        try checkAlignment(set.speech, of: set.source, channels: 1, floor: floor)
    }

    /// Sampled coarsely, because every lag is tried: 8 samples are a millisecond.
    private static func checkAlignment(_ file: String, of source: String, channels: Int, floor: Double?) throws {
        let (rate, limit, stretch) = (8000, 64, 16_000)
        let options = ["-ac", "\(channels)", "-ar", "\(rate)"]
        let expected = try ReferenceAudio(source, options: options)
        let heard = try ReferenceAudio(file, options: options)
        // Codecs fill their last frame: AAC's is 1024 samples long, MP3's 36 ms at 16 kHz.
        let surplus = Double(heard.count - expected.count) / Double(rate)
        #expect(((floor == nil ? -0.04 : -0.001)...0.065).contains(surplus), "\(surplus) s too long")
        guard let floor else { return }
        // Both ends, so that drift shows.
        for start in Set([0, max(0, expected.count - stretch)]) {
            func part(_ sound: ReferenceAudio) -> [[Float]] {
                sound.channels.map { Array($0.dropFirst(start).prefix(stretch)) }
            }
            let loudness = part(expected).map(Sound.rootMeanSquare).max() ?? 0
            guard loudness > 0.001 else { continue }
            let (lag, decibels) = Sound.alignment(of: part(heard), to: part(expected), limit: limit)
            #expect(abs(lag) <= rate / 1000, "\(lag) of \(rate) a second, from sample \(start)")
            #expect(decibels > floor, "unlike the source, from sample \(start)")
        }
    }
}
