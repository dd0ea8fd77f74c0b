import Engine
import Foundation
import Model
import TestSupport
import Testing

/// What is left when a proxy cannot be made, or not as asked: everything that was there, and nothing else.
@Suite("When a proxy set fails")
struct ProxyFailureTests {
    private static let names = ["audio.mp3", "poster.jpg", "proxy.mp4", "sprite.jpg", "waveform.json"]

    @Test(
        "nothing is left in the folder",
        arguments: [
            ("bitflips.mp4", FailureCode.damagedMedia), ("truncated.mp4", .truncated),
            ("truncated_no_moov.mp4", .truncated), ("empty.mp4", .emptyFile), ("text.mp4", .notMedia),
            ("garbage.mp4", .notMedia), ("bomb.png", .tooManyPixels), ("playlist_local.mp4", .formatNotAllowed),
            ("playlist_http.m3u8", .formatNotAllowed), ("manifest.mpd", .formatNotAllowed),
            ("list.ffconcat", .formatNotAllowed), ("subs.srt", .notMedia),
        ])
    func leavesNothing(name: String, code: FailureCode) throws {
        try withTemporaryFolder { folder in
            #expect(failure { try makeProxy(of: Fixture.hostile(name), in: folder) }?.code == code)
            let left = try contents(ofFolder: folder)
            #expect(left == [])
        }
    }

    @Test("a picture without one intact frame is no success, whether it would be copied or encoded")
    func nothingIntact() throws {
        try withTemporaryFolder { folder in
            for (name, options) in [("copied", []), ("encoded", ["-aspect", "4:3"])] {
                let source = "\(folder)/\(name).mp4"
                _ = try Command.output(
                    "ffmpeg",
                    ["-v", "error", "-nostdin", "-i", Fixture.hostile("bitflips.mp4"), "-map", "0:v", "-c", "copy"]
                        + options + ["-frames:v", "1", source])
                let failed = failure { try makeProxy(of: source, in: "\(folder)/\(name)") }
                #expect(failed?.code == .damagedMedia, "\(name)")
                #expect(failure { try makeProxy(of: source, in: "\(folder)/\(name)", salvage: true) } == nil)
            }
        }
    }

    @Test("files of an earlier run are untouched", arguments: ["bitflips.mp4", "truncated.mp4", "text.mp4"])
    func keepsEarlier(name: String) throws {
        try withTemporaryFolder { folder in
            for name in Self.names { try write("earlier \(name)", to: "\(folder)/\(name)") }
            #expect(failure { try makeProxy(of: Fixture.hostile(name), in: folder) } != nil)
            #expect(try contents(ofFolder: folder) == Self.names)
            for name in Self.names {
                #expect(try bytes(ofFile: "\(folder)/\(name)") == Data("earlier \(name)".utf8))
            }
        }
    }

    @Test("a name that cannot be taken stops all of them", arguments: names)
    func blockedName(name: String) throws {
        try withTemporaryFolder { folder in
            try FileManager.default.createDirectory(
                atPath: "\(folder)/\(name)/kept", withIntermediateDirectories: true)
            let others = Self.names.filter { $0 != name }
            for other in others { try write("earlier", to: "\(folder)/\(other)") }
            let failed = failure { try makeProxy(of: Fixture.media("pal25.mp4"), in: folder) }
            #expect(failed?.code == .outputNotWritable)
            #expect(try contents(ofFolder: folder) == Self.names)
            for other in others { #expect(try bytes(ofFile: "\(folder)/\(other)") == Data("earlier".utf8), "\(other)") }
        }
    }

    @Test("a source is never overwritten by what is made of it", arguments: ["proxy.mp4", "audio.mp3"])
    func sourceInFolder(name: String) throws {
        try withTemporaryFolder { folder in
            let source = "\(folder)/\(name)"
            let original = Fixture.media(name == "proxy.mp4" ? "ntsc.mp4" : "music.mp3")
            try FileManager.default.copyItem(atPath: original, toPath: source)
            #expect(failure { try makeProxy(of: source, in: folder) }?.code == .outputIsSource)
            #expect(try bytes(ofFile: source) == bytes(ofFile: original))
            #expect(try contents(ofFolder: folder) == [name])
        }
    }

    @Test("a source may lie beside its outputs under a name of its own")
    func sourceBeside() throws {
        try withTemporaryFolder { folder in
            let source = "\(folder)/talk.mp4"
            try FileManager.default.copyItem(atPath: Fixture.media("pal25.mp4"), toPath: source)
            try makeProxy(of: source, in: folder)
            #expect(try contents(ofFolder: folder) == (Self.names + ["talk.mp4"]).sorted())
            #expect(try bytes(ofFile: source) == bytes(ofFile: Fixture.media("pal25.mp4")))
        }
    }

    @Test("a file in the folder's place is refused and kept")
    func fileInsteadOfFolder() throws {
        try withTemporaryFolder { folder in
            try write("a file", to: "\(folder)/out")
            let failed = failure { try makeProxy(of: Fixture.media("pal25.mp4"), in: "\(folder)/out") }
            #expect(failed?.code == .outputNotWritable)
            #expect(try bytes(ofFile: "\(folder)/out") == Data("a file".utf8))
        }
    }

    @Test("folders above are made, and earlier files replaced when all goes well")
    func replaces() throws {
        try withTemporaryFolder { folder in
            let deep = "\(folder)/a/b/c"
            try makeProxy(of: Fixture.media("pal25.mp4"), in: deep)
            for name in Self.names { try write("earlier", to: "\(deep)/\(name)") }
            let set = try makeProxy(of: Fixture.media("pal25.mp4"), in: deep + "/")
            #expect(set.names == Self.names)
            for name in Self.names { #expect(try bytes(ofFile: "\(deep)/\(name)") != Data("earlier".utf8)) }
        }
    }
}

/// What is intact of a damaged source, when that is asked for.
@Suite("A salvaged proxy set")
struct ProxySalvageTests {
    @Test("holds the frames that the ffmpeg command can still decode")
    func truncated() throws {
        try withTemporaryFolder { folder in
            let source = Fixture.hostile("truncated.mp4")
            let set = try makeProxy(of: source, in: folder, salvage: true)
            let (intact, proxy) = (try ReferenceVideo(source), try ReferenceVideo(set.proxy))
            #expect(proxy.times == intact.times)
            #expect(set.report.durationSeconds < 1)
            try ProxyPromises.checkVideo(set)
            try ProxyPromises.checkIndexFirst(set)
            try ProxyPromises.checkSpeech(set)
        }
    }

    @Test("counts what it passed over")
    func damaged() throws {
        try withTemporaryFolder { folder in
            let set = try makeProxy(of: Fixture.hostile("bitflips.mp4"), in: folder, salvage: true)
            #expect(set.report.damagedPackets > 0)
            try ProxyPromises.checkVideo(set)
            try ProxyPromises.checkKeyframes(set)
        }
    }

    @Test("of a sound source counts nothing")
    func sound() throws {
        try withTemporaryFolder { folder in
            let set = try makeProxy(of: Fixture.media("ntsc.mp4"), in: folder, salvage: true)
            #expect(set.report.damagedPackets == 0)
            try ProxyPromises.checkFrameTimes(set)
        }
    }
}

@Suite("A proxy only where browsers need one")
struct ProxyWhenUnplayableTests {
    @Test(
        "leaves a playable source alone and makes the rest", arguments: ["ntsc.mp4", "fullrange.mp4", "av1_opus.mp4"])
    func playable(name: String) throws {
        try withTemporaryFolder { folder in
            let set = try makeProxy(of: Fixture.media(name), in: folder, when: .unplayable)
            #expect(set.report.proxyMethod == .notNeeded)
            #expect(set.report.proxy == nil && set.report.frames == nil)
            #expect(set.names == ["audio.mp3", "poster.jpg", "sprite.jpg", "waveform.json"])
            try ProxyPromises.checkSpeech(set)
            try ProxyPromises.checkSprite(set)
            try ProxyPromises.checkWaveform(set)
            try ProxyPromises.checkPoster(set)
        }
    }

    @Test(
        "encodes a source that browsers cannot play",
        arguments: ["hdr10.mp4", "tenbit_h264.mp4", "mpeg2.ts", "vfr.mkv"])
    func unplayable(name: String) throws {
        try withTemporaryFolder { folder in
            let set = try makeProxy(of: Fixture.media(name), in: folder, when: .unplayable)
            #expect(set.report.proxyMethod == .encoded)
            try ProxyPromises.checkVideo(set)
            try ProxyPromises.checkFrameTimes(set)
        }
    }

    @Test("makes no proxy of a playable sound recording", arguments: ["music.mp3", "speech.flac", "no_video.m4a"])
    func playableSound(name: String) throws {
        try withTemporaryFolder { folder in
            let set = try makeProxy(of: Fixture.media(name), in: folder, when: .unplayable)
            #expect(set.report.proxyMethod == .notNeeded)
            #expect(set.names == ["audio.mp3", "waveform.json"])
        }
    }
}
