import Foundation
import Model
import TestSupport
import Testing

/// One property of a proxy taken away from a source that has them all.
struct SpoiltProxy: Sendable, CustomTestStringConvertible {
    var name: String
    /// Options of the `ffmpeg` command between its input and its output.
    var options: [String]
    var inputOptions: [String] = []
    /// A word of the reason that the report gives.
    var reason: String
    var container = "mp4"

    var testDescription: String { name }

    private static let fast = ["-c:a", "copy", "-c:v", "libx264", "-preset", "ultrafast"]
    private static func encoded(_ options: [String]) -> [String] {
        fast + ["-g", "30", "-keyint_min", "30", "-sc_threshold", "0"] + options
    }

    static let all = [
        SpoiltProxy(name: "ten bits", options: encoded(["-pix_fmt", "yuv420p10le"]), reason: "yuv420p10le"),
        SpoiltProxy(name: "4:2:2", options: encoded(["-pix_fmt", "yuv422p"]), reason: "yuv422p"),
        SpoiltProxy(
            name: "full range", options: encoded(["-pix_fmt", "yuvj420p", "-color_range", "pc"]), reason: "yuvj420p"),
        SpoiltProxy(
            name: "PQ", options: encoded(["-color_trc", "smpte2084", "-color_primaries", "bt2020"]), reason: "HDR"),
        SpoiltProxy(
            name: "keyframes two seconds apart",
            options: fast + ["-g", "60", "-keyint_min", "60", "-sc_threshold", "0"], reason: "keyframes"),
        SpoiltProxy(
            name: "one keyframe late",
            options: fast + ["-g", "300", "-force_key_frames", "1,2.0334,3", "-sc_threshold", "0"],
            reason: "keyframes"),
        SpoiltProxy(name: "a turn", options: ["-c", "copy", "-metadata:s:v", "rotate=90"], reason: "rotated"),
        SpoiltProxy(name: "wide pixels", options: ["-c", "copy", "-aspect", "4:3"], reason: "square"),
        SpoiltProxy(
            name: "1080p", options: encoded(["-vf", "scale=1920:1080", "-t", "1"]), reason: "larger than 720p"),
        SpoiltProxy(
            name: "a wide strip", options: encoded(["-vf", "scale=1440:360,setsar=1", "-t", "1"]),
            reason: "larger than 720p"),
        SpoiltProxy(
            name: "interlaced", options: encoded(["-flags:v", "+ilme+ildct", "-x264opts", "tff=1"]),
            reason: "interlaced"),
        SpoiltProxy(name: "MP3 sound", options: ["-c:v", "copy", "-c:a", "libmp3lame"], reason: "mp3"),
        SpoiltProxy(name: "Opus sound", options: ["-c:v", "copy", "-c:a", "libopus"], reason: "opus"),
        SpoiltProxy(name: "VP9", options: ["-c:a", "copy", "-c:v", "libvpx-vp9", "-t", "1"], reason: "vp9"),
        SpoiltProxy(name: "two soundtracks", options: ["-c", "copy", "-map", "0", "-map", "0:a"], reason: "several"),
        SpoiltProxy(name: "Matroska", options: ["-c", "copy"], reason: "MP4", container: "mkv"),
        SpoiltProxy(
            name: "a pause before the picture", options: ["-c", "copy", "-map", "0:v", "-map", "1:a"],
            inputOptions: ["-itsoffset", "0.4"], reason: "edit list"),
        SpoiltProxy(
            name: "a cut inside a group of pictures", options: ["-c", "copy"], inputOptions: ["-ss", "0.5"],
            reason: "edit list"),
    ]

    func make(in folder: String) throws -> String {
        let (source, output) = (Fixture.media("proxy_ready.mp4"), "\(folder)/spoilt.\(container)")
        let second = options.contains("1:a") ? ["-i", source] : []
        _ = try Command.output(
            "ffmpeg", ["-v", "error", "-nostdin"] + inputOptions + ["-i", source] + second + options + [output])
        return output
    }
}

@Suite("A source that lacks one property of a proxy")
struct ProxySpoiltTests {
    @Test("is encoded, and told why", arguments: SpoiltProxy.all)
    func encoded(spoilt: SpoiltProxy) throws {
        try withTemporaryFolder { folder in
            let set = try makeProxy(of: spoilt.make(in: folder), in: "\(folder)/set")
            #expect(set.report.proxyMethod == .encoded)
            #expect(set.report.proxyReason.contains(spoilt.reason), "\(set.report.proxyReason)")
            try ProxyPromises.checkVideo(set)
            try ProxyPromises.checkKeyframes(set)
            try ProxyPromises.checkFrameTimes(set)
            // Matroska rounds each packet of sound to a millisecond.
            try ProxyPromises.checkSound(set, floor: spoilt.container == "mkv" ? 6 : 10)
        }
    }

    @Test("is copied all the same when nothing but its file was written anew")
    func control() throws {
        try withTemporaryFolder { folder in
            let spoilt = SpoiltProxy(name: "nothing", options: ["-c", "copy"], reason: "")
            let set = try makeProxy(of: spoilt.make(in: folder), in: "\(folder)/set")
            #expect(set.report.proxyMethod == .remuxed)
        }
    }

    /// Without a sync sample table every sample counts as one to begin at; their bytes tell better.
    @Test("is judged by its packets when its container calls every picture a keyframe", arguments: [30, 60])
    func noSyncSampleTable(distance: Int) throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/all_keys.mp4"
            let boxes = try MP4Boxes(Self.grouped(distance, in: folder))
            try #require(boxes.find("stss").count == 1)
            try boxes.removing("stss").write(to: URL(fileURLWithPath: path))

            let set = try makeProxy(of: path, in: "\(folder)/set")
            #expect(set.report.proxyMethod == (distance == 30 ? .remuxed : .encoded))
            try ProxyPromises.checkKeyframes(set)
            try ProxyPromises.checkFrameTimes(set)
            let proxy = try ProbedFile(set.proxy)
            #expect(proxy.packets(of: proxy.video).filter { $0.isKey }.count == 4)
        }
    }

    @Test("is encoded when pictures that its container calls keyframes are none")
    func falseKeyframes() throws {
        try withTemporaryFolder { folder in
            // Half a second, then a second and a half: with the sixteenth picture told to be the thirty-first, the
            // table promises a keyframe each second.
            let path = "\(folder)/false_key.mp4"
            let honest = try Self.encoded(["-g", "300", "-force_key_frames", "0.5,2,3"], in: folder)
            try Self.patch(honest, box: "stss", at: 20, from: [0, 0, 0, 16], to: [0, 0, 0, 31], into: path)

            let set = try makeProxy(of: path, in: "\(folder)/set")
            #expect(set.report.proxyMethod == .encoded)
            #expect(set.report.proxyReason.contains("keyframes"))
            try ProxyPromises.checkKeyframes(set)
            try ProxyPromises.checkFrameTimes(set)
        }
    }

    @Test("is encoded when its edit list ends before its pictures do")
    func cutShort() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/cut_short.mp4"
            // The first edit list is the picture's: 4000 thousandths become 3000.
            try Self.patch(
                Fixture.media("proxy_ready.mp4"), box: "elst", at: 16, from: [0, 0, 0x0f, 0xa0],
                to: [0, 0, 0x0b, 0xb8], into: path)
            try #require(try ReferenceVideo(path).times.count == 90)

            let set = try makeProxy(of: path, in: "\(folder)/set")
            #expect(set.report.proxyMethod == .encoded)
            #expect(set.report.proxyReason.contains("edit list"))
            try ProxyPromises.checkFrameTimes(set)
        }
    }

    /// Overwrites bytes of the first box of a type, counted from the box's own beginning.
    private static func patch(
        _ source: String, box: String, at offset: Int, from old: [UInt8], to new: [UInt8], into path: String
    ) throws {
        let place = try #require(try MP4Boxes(source).find(box).first).range.lowerBound + offset
        var data = try bytes(ofFile: source)
        try #require(data[place..<place + old.count].elementsEqual(old))
        data.replaceSubrange(place..<place + old.count, with: new)
        try data.write(to: URL(fileURLWithPath: path))
    }

    /// A proxy with closed groups of so many pictures.
    private static func grouped(_ distance: Int, in folder: String) throws -> String {
        try encoded(["-g", "\(distance)", "-keyint_min", "\(distance)"], in: folder)
    }

    private static func encoded(_ options: [String], in folder: String) throws -> String {
        let path = "\(folder)/encoded.mp4"
        _ = try Command.output(
            "ffmpeg",
            [
                "-v", "error", "-nostdin", "-i", Fixture.media("proxy_ready.mp4"), "-c:a", "copy", "-c:v", "libx264",
                "-preset", "ultrafast", "-sc_threshold", "0",
            ] + options + [path])
        return path
    }
}
