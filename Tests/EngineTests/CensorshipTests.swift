import Model
import TestSupport
import Testing

/// Mutes and bleeps in a rendered file, against the source's sound as the `ffmpeg` command decodes it.
@Suite("Censored sound in a render")
struct CensorshipTests {
    private static let clear = #"{"video":{"crf":40,"preset":"ultrafast"},"audio":{"bitrate_kbps":384}}"#

    private struct Heard {
        let heard: ReferenceAudio
        let source: ReferenceAudio

        func level(_ from: Double, _ to: Double) -> Double {
            heard.channels.map { Sound.rootMeanSquare($0[place(from)..<place(to)]) }.max() ?? 0
        }

        func amplitude(_ hertz: Double, _ from: Double, _ to: Double, channel: Int = 0) -> Double {
            Sound.amplitude(of: hertz, in: heard.channels[channel][place(from)..<place(to)], rate: heard.sampleRate)
        }

        /// How like the source the output is from `from` on, where it shows the source from `shown` on.
        func likeness(_ from: Double, _ to: Double, shown: Double? = nil) -> Double {
            let shift = place(shown ?? from) - place(from)
            let have = heard.channels.map { Array($0[place(from)..<place(to)]) }
            let want = source.channels.map { Array($0[place(from) + shift..<place(to) + shift]) }
            return Sound.alignment(of: have, to: want, limit: 2).decibels
        }

        private func place(_ seconds: Double) -> Int { Int(seconds * Double(heard.sampleRate)) }
    }

    private static func censored(
        _ operations: String, name: String = "bframes_closed.mp4", settings: String? = nil
    )
        throws -> Heard
    {
        let path = Fixture.media(name)
        return try withTemporaryFolder { folder in
            let output = "\(folder)/out.mp4"
            try render(EditText.edits(operations, of: [path], output: clear, settings: settings), to: output)
            return Heard(heard: try ReferenceAudio(output), source: try ReferenceAudio(path))
        }
    }

    @Test("is silent where it is muted and the source's elsewhere")
    func mute() throws {
        let sound = try Self.censored(#"{"start_ms":500,"end_ms":900,"action":"mute"}"#)
        #expect(sound.level(0.53, 0.87) < 0.001)
        #expect(sound.level(0.40, 0.47) > 0.05)
        for (from, to) in [(0.1, 0.2), (0.4, 0.47), (0.93, 0.99), (2.0, 2.1), (2.85, 2.95)] {
            #expect(sound.likeness(from, to) > 12, "\(from) to \(to) s")
        }
    }

    @Test("is a tone of 1 kHz where it is bleeped and the source's elsewhere")
    func bleep() throws {
        let sound = try Self.censored(#"{"start_ms":1200,"end_ms":1600,"type":"PROFANITY","action":"bleep"}"#)
        for channel in 0..<2 {
            #expect(abs(sound.amplitude(1000, 1.25, 1.55, channel: channel) - 0.1) < 0.01)
        }
        #expect(sound.amplitude(440, 1.25, 1.55) < 0.002, "the source's own tone is gone")
        for (from, to) in [(0.3, 0.4), (1.08, 1.17), (1.63, 1.73), (2.4, 2.5)] {
            #expect(sound.likeness(from, to) > 12, "\(from) to \(to) s")
        }
    }

    @Test("follows the settings when they replace what each range asks for", arguments: ["mute", "bleep"])
    func replaced(choice: String) throws {
        let sound = try Self.censored(
            #"{"start_ms":500,"end_ms":800,"action":"mute"},{"start_ms":1500,"end_ms":1800,"action":"bleep"}"#,
            settings: #"{"audio_censorship":"\#(choice)"}"#)
        for (from, to) in [(0.55, 0.75), (1.55, 1.75)] {
            #expect(abs(sound.amplitude(1000, from, to) - (choice == "bleep" ? 0.1 : 0)) < 0.01)
            #expect(sound.amplitude(440, from, to) < 0.002)
        }
    }

    @Test("moves with what is cut before it")
    func afterCut() throws {
        // One second is gone: what was bleeped at 2.0 s is heard at 1.0 s.
        let sound = try Self.censored(
            #"{"start_ms":500,"end_ms":1500,"action":"cut"},{"start_ms":2000,"end_ms":2400,"action":"bleep"}"#)
        #expect(abs(sound.amplitude(1000, 1.05, 1.35) - 0.1) < 0.01)
        #expect(sound.amplitude(1000, 0.6, 0.9) < 0.005)
        #expect(sound.likeness(0.6, 0.9, shown: 1.6) > 12)
        #expect(sound.likeness(1.5, 1.7, shown: 2.5) > 12)
    }

    @Test("spans the joint of two sources")
    func overTwoSources() throws {
        let paths = [Fixture.media("bframes_closed.mp4"), Fixture.media("open_gop.mp4")]
        try withTemporaryFolder { folder in
            let output = "\(folder)/out.mp4"
            let operations = #"{"start_ms":2500,"end_ms":3500,"action":"mute"}"#
            try render(EditText.edits(operations, of: paths, output: Self.clear), to: output)
            let heard = try ReferenceAudio(output)
            let muted = heard.samples(channel: 0, from: Rational(253, 100), to: Rational(347, 100))
            #expect(Sound.rootMeanSquare(muted) < 0.001)
            #expect(Sound.rootMeanSquare(heard.samples(channel: 0, from: Rational(2), to: Rational(247, 100))) > 0.05)
            #expect(Sound.rootMeanSquare(heard.samples(channel: 0, from: Rational(353, 100), to: Rational(4))) > 0.05)
        }
    }

    @Test("leaves the subwoofer out of a bleep")
    func surround() throws {
        let sound = try Self.censored(
            #"{"start_ms":1000,"end_ms":2000,"action":"bleep"}"#, name: "surround51.mp4")
        for channel in [0, 1, 2, 4, 5] {
            #expect(abs(sound.amplitude(1000, 1.1, 1.9, channel: channel) - 0.1) < 0.01, "channel \(channel)")
        }
        #expect(sound.amplitude(1000, 1.1, 1.9, channel: 3) < 0.002)
        #expect(sound.amplitude(60, 1.1, 1.9, channel: 3) < 0.005, "whose own sound is gone as well")
    }
}
