import Model
import TestSupport
import Testing

/// Sources with another sine in each channel (see `Fixtures/README.md`).
@Suite("Surround sound in a render")
struct SurroundTests {
    private static let tones = [220.0, 330, 440, 60, 660, 880]
    private static let range: [(start: Rational, end: Rational?)] = [(Rational(3, 10), Rational(23, 10))]

    @Test(
        "keeps every channel in its place", arguments: ["surround51.mp4", "surround51.mkv"],
        ["aac", "opus"])
    func channelOrder(name: String, codec: String) throws {
        try withTemporaryFolder { folder in
            let file = "\(folder)/out.mp4"
            let output = #"{"video":{"preset":"ultrafast"},"audio":{"codec":"\#(codec)","bitrate_kbps":512}}"#
            let report = try render(EditText.timeline(Self.range, of: Fixture.media(name), output: output), to: file)
            #expect(report.audio?.channels == 6)
            let layout = try #require(try Inspection(file).audio["channel_layout"])
            #expect(layout.hasPrefix("5.1"))
            let heard = try ReferenceAudio(file)
            try #require(heard.channels.count == 6)
            for (channel, tone) in Self.tones.enumerated() {
                // Between the beeps at whole seconds.
                let samples = heard.samples(channel: channel, from: Rational(1, 10), to: Rational(6, 10))
                let own = Sound.amplitude(of: tone, in: samples, rate: heard.sampleRate)
                #expect(abs(own - 0.12) < 0.03, "channel \(channel) has \(own) of its \(tone) Hz")
                for other in Self.tones where other != tone {
                    let foreign = Sound.amplitude(of: other, in: samples, rate: heard.sampleRate)
                    #expect(foreign < 0.01, "channel \(channel) has \(foreign) of \(other) Hz")
                }
            }
        }
    }

    @Test("is mixed down to stereo as the command does it")
    func mixdown() throws {
        let path = Fixture.media("surround51.mp4")
        try withTemporaryFolder { folder in
            let file = "\(folder)/out.mp4"
            let output = #"{"video":{"preset":"ultrafast"},"audio":{"channels":2,"bitrate_kbps":384}}"#
            try render(EditText.timeline(Self.range, of: path, output: output), to: file)
            let heard = try ReferenceAudio(file)
            let source = try ReferenceAudio(path, options: ["-ac", "2"])
            let have = heard.samples(from: Rational(1, 10), to: Rational(3, 10))
            let want = source.samples(from: Rational(4, 10), to: Rational(6, 10))
            #expect(Sound.alignment(of: have, to: want, limit: 24).decibels > 15)
        }
    }

    @Test("takes stereo and mono sources into its front channels")
    func mixed() throws {
        let names = ["surround51.mp4", "open_gop.mp4"]
        let json = EditText.timeline(
            [(0, .one, Rational(3, 2)), (1, Rational(11, 10), Rational(16, 10))],
            sources: names.map(Fixture.media), output: #"{"video":{"preset":"ultrafast"}}"#)
        try withTemporaryFolder { folder in
            let file = "\(folder)/out.mp4"
            #expect(try render(json, to: file).audio?.channels == 6)
            let heard = try ReferenceAudio(file)
            func amplitude(_ channel: Int, _ hertz: Double) -> Double {
                let samples = heard.samples(channel: channel, from: Rational(6, 10), to: Rational(9, 10))
                return Sound.amplitude(of: hertz, in: samples, rate: heard.sampleRate)
            }
            #expect(amplitude(0, 440) > 0.08 && amplitude(1, 550) > 0.08)
            #expect(amplitude(0, 550) < 0.01 && amplitude(1, 440) < 0.01)
            #expect((2..<6).allSatisfy { amplitude($0, 440) < 0.01 && amplitude($0, 550) < 0.01 })
        }
    }
}
