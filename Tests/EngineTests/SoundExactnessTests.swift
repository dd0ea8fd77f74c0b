import Model
import TestSupport
import Testing

/// The output's sound is laid over the source's, as the `ffmpeg` command decodes both.
@Suite("Sound kept by a render")
struct SoundExactnessTests {
    static let sources = [
        "bframes_closed.mp4", "open_gop.mp4", "vfr.mp4", "vfr.mkv", "ntsc.mp4", "pal25.mp4", "film24.mkv", "hfr60.mp4",
        "start_offset.ts", "start_10s.mp4", "late_video.mkv", "late_audio.mp4", "edit_list.mp4", "gapped_audio.mkv",
        "surround51.mp4", "surround51.mkv", "fragmented.mp4", "vp9_opus.webm", "av1_opus.mp4", "mpeg2.ts", "mpeg4.avi",
    ]
    static let cuts: [Cut] = [.everything, .severalInOrder, .outOfOrder, .justAfterFrameTimes, .toTheEnd]

    @Test("is the source's for the very interval of the pictures", arguments: sources)
    func sameInterval(name: String) throws {
        let path = Fixture.media(name)
        let (source, sound) = (try ReferenceVideo(path), try ReferenceAudio(path))
        try withTemporaryFolder { folder in
            for cut in Self.cuts.few(3, turn: Self.sources.firstIndex(of: name) ?? 0) {
                let ranges = cut.ranges(of: source)
                let expected = ExpectedProgramme(source, ranges: ranges)
                let output = "\(folder)/\(cut.rawValue).mp4"
                let report = try render(EditText.timeline(ranges, of: path, output: Self.clearSound), to: output)
                let heard = try ReferenceAudio(output)
                try #require(heard.sampleRate == sound.sampleRate && heard.channels.count == sound.channels.count)

                let tick = Rational(1, Int64(heard.sampleRate))
                let length = try ReferenceVideo(output).end
                #expect(report.audio?.samples == length.ticks(in: tick), "sample count of \(cut)")
                // The last codec frame may be longer than what is in it.
                let surplus = heard.count - Int(length.ticks(in: tick))
                #expect((0...1024).contains(surplus), "decoded length of \(cut)")

                var position = Rational.zero
                for interval in expected.intervals {
                    try compare(heard, at: position, with: sound, over: interval, "\(cut) at \(position.seconds) s")
                    position = position + interval.end - interval.start
                }
            }
        }
    }

    private static let clearSound = #"{"video":{"crf":40,"preset":"ultrafast"},"audio":{"bitrate_kbps":384}}"#

    /// Compares a stretch at each end of a segment, away from its fades and from what codecs smear there.
    private func compare(
        _ heard: ReferenceAudio, at position: Rational, with sound: ReferenceAudio,
        over interval: ExpectedProgramme.Interval, _ place: String
    ) throws {
        let (margin, window) = (Rational(3, 100), Rational(6, 100))
        let length = interval.end - interval.start
        let starts = length > window + margin + margin ? [margin, length - margin - window] : []
        for start in starts {
            let want = sound.samples(from: interval.start + start, to: interval.start + start + window)
            let have = heard.samples(from: position + start, to: position + start + window)
            guard want.map(Sound.rootMeanSquare).reduce(0, +) > 0.001 else { continue }
            let (lag, decibels) = Sound.alignment(of: have, to: want, limit: heard.sampleRate / 500)
            #expect(abs(lag) * 1000 <= heard.sampleRate, "\(lag) samples off, \(place)")
            #expect(decibels > 12, "unlike the source, \(place)")
        }
    }
}
