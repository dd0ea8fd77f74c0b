import Model
import TestSupport
import Testing

/// Everything that `reelpool proxy` promises of what it makes.
@Suite("A proxy set", .proxyShelf)
enum ProxyTests {
    /// Well-formed sources with a picture whose colours are kept.
    static let pictures = [
        "anamorphic.mp4", "av1_opus.mp4", "bframes_closed.mp4", "bt601.mp4", "edit_list.mp4", "film24.mkv",
        "fragmented.mp4", "fullrange.mp4", "gapped_audio.mkv", "hfr60.mp4", "intra_refresh.mp4", "late_audio.mp4",
        "late_video.mkv", "long_gop.mp4", "mirrored.mp4", "moov_last.mp4", "mpeg2.ts", "mpeg4.avi", "no_audio.mp4",
        "ntsc.mp4", "odd_size.webm", "open_gop.mp4", "open_gop_hevc.mp4", "pal25.mp4", "proxy_ready.mp4", "prores.mov",
        "rotated180.mp4", "rotated270.mp4", "rotated90.mp4", "start_10s.mp4", "start_offset.ts", "surround51.mkv",
        "surround51.mp4", "talk.mp4", "tenbit_h264.mp4", "two_audio.mkv", "vfr.mkv", "vfr.mp4", "vp9_opus.webm",
        "yuv444.mp4",
    ]
    static let highDynamicRange = ["hdr10.mp4", "hlg.mp4"]
    static let soundOnly = ["no_video.m4a", "speech.flac", "voice.ogg", "tone.wav", "music.mp3"]
    static var withSound: [String] { pictures.filter { $0 != "no_audio.mp4" } + highDynamicRange + soundOnly }

    static func set(_ name: String) throws -> ProxySet { try ProxyShelf.set(of: Fixture.media(name)) }

    @Suite("has a proxy.mp4 that")
    struct Video {
        @Test("is small upright H.264 for every browser", arguments: pictures + highDynamicRange)
        func form(name: String) throws { try ProxyPromises.checkVideo(ProxyTests.set(name)) }

        @Test("can be scrubbed: no picture is more than a second from its keyframe", arguments: pictures)
        func keyframes(name: String) throws { try ProxyPromises.checkKeyframes(ProxyTests.set(name)) }

        @Test("begins with its index", arguments: pictures + soundOnly)
        func indexFirst(name: String) throws { try ProxyPromises.checkIndexFirst(ProxyTests.set(name)) }

        @Test("has the source's frames at the source's times", arguments: pictures + highDynamicRange)
        func frameTimes(name: String) throws { try ProxyPromises.checkFrameTimes(ProxyTests.set(name)) }

        @Test("shows what the source shows, the right way up", arguments: pictures)
        func likeness(name: String) throws { try ProxyPromises.checkPictures(ProxyTests.set(name)) }

        @Test("has sound within a millisecond of the source's", arguments: withSound)
        func sound(name: String) throws { try ProxyPromises.checkSound(ProxyTests.set(name)) }

        @Test("numbers its frames as the source does", arguments: ["vfr.mp4", "edit_list.mp4", "start_offset.ts"])
        func frameNumbers(name: String) throws {
            let set = try ProxyTests.set(name)
            #expect(try RawVideo(set.proxy).frameNumbers() == RawVideo(set.source).frameNumbers())
        }
    }

    @Suite("has beside it")
    struct Companions {
        @Test("audio.mp3: mono for transcription, as long and as early as the source's sound", arguments: withSound)
        func speech(name: String) throws { try ProxyPromises.checkSpeech(ProxyTests.set(name)) }

        @Test("sprite.jpg: tile n shows the picture at n times its distance", arguments: pictures)
        func sprite(name: String) throws { try ProxyPromises.checkSprite(ProxyTests.set(name)) }

        @Test("waveform.json: the extremes of the decoded sound", arguments: withSound)
        func waveform(name: String) throws { try ProxyPromises.checkWaveform(ProxyTests.set(name)) }

        @Test("poster.jpg: a picture of the source that is not black", arguments: pictures)
        func poster(name: String) throws { try ProxyPromises.checkPoster(ProxyTests.set(name)) }
    }

    @Suite("has exactly")
    struct Names {
        @Test("five files of a source with picture and sound")
        func five() throws {
            #expect(
                try ProxyTests.set("talk.mp4").names
                    == ["audio.mp3", "poster.jpg", "proxy.mp4", "sprite.jpg", "waveform.json"])
        }

        @Test("no sound files of a silent source, and says so")
        func silent() throws {
            let set = try ProxyTests.set("no_audio.mp4")
            #expect(set.names == ["poster.jpg", "proxy.mp4", "sprite.jpg"])
            #expect(set.report.notes.contains { $0.contains("audio.mp3") })
            #expect(set.report.audio == nil && set.report.waveform == nil)
        }

        @Test("no picture files of a sound recording, and says so", arguments: soundOnly)
        func noPicture(name: String) throws {
            let set = try ProxyTests.set(name)
            #expect(set.names == ["audio.mp3", "proxy.mp4", "waveform.json"])
            #expect(set.report.notes.contains { $0.contains("sprite.jpg") })
            #expect(set.report.sprite == nil && set.report.poster == nil)
        }
    }
}
