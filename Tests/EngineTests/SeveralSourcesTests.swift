import Model
import TestSupport
import Testing

/// Timelines over sources of different size, rate, codec and sound.
@Suite("A timeline of several sources")
struct SeveralSourcesTests {
    private static let clear = #"{"video":{"crf":0,"preset":"ultrafast"},"audio":{"bitrate_kbps":384}}"#

    /// One range of one source, and where that source's frame strip is seen on the output.
    private struct Part {
        var name: String
        var start: Rational
        var end: Rational
        var square = 16
        var left = 0
        var top: Int?
    }

    private struct Outcome {
        var report: RenderReport
        var picture: RawVideo
        var video: ReferenceVideo
        var sound: ReferenceAudio?
    }

    private static func rendered(_ parts: [Part], output: String = clear) throws -> Outcome {
        let names = parts.map(\.name).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        let json = EditText.timeline(
            parts.map { part in (names.firstIndex(of: part.name) ?? 0, part.start, part.end) },
            sources: names.map(Fixture.media), output: output)
        return try withTemporaryFolder { folder in
            let file = "\(folder)/out.mp4"
            let report = try render(json, to: file)
            return Outcome(
                report: report, picture: try RawVideo(file), video: try ReferenceVideo(file),
                sound: report.audio == nil ? nil : try ReferenceAudio(file))
        }
    }

    /// The number of the frame at each tick of `rate`, and the part it is of: the latest whose rounded time has come.
    private static func expectedTicks(
        _ parts: [Part], rate: Rational
    ) throws -> (ticks: [(part: Int, number: Int?)], length: Rational) {
        var frames: [(time: Rational, part: Int, number: Int?)] = []
        var length = Rational.zero
        for (index, part) in parts.enumerated() {
            let path = Fixture.media(part.name)
            let (source, picture) = (try ReferenceVideo(path), try RawVideo(path))
            let expected = ExpectedProgramme(source, ranges: [(part.start, part.end)])
            let first = try #require(source.frames.firstIndex { $0.time >= part.start })
            for (offset, frame) in expected.frames.enumerated() {
                frames.append((length + frame.time, index, picture.frameNumber(first + offset)))
            }
            length = length + expected.length
        }
        let ticks = (0..<length.ticks(in: rate.inverse)).map { tick in
            let shown = frames.last { $0.time.ticks(in: rate.inverse) <= tick }
            return (shown?.part ?? -1, shown?.number)
        }
        return (ticks, length)
    }

    private static func expectPictures(_ outcome: Outcome, _ parts: [Part], rate: Rational) throws {
        let (ticks, length) = try expectedTicks(parts, rate: rate)
        #expect(outcome.video.times == ticks.indices.map { Rational(Int64($0)) / rate }, "evenly spaced")
        try #require(outcome.picture.frames.count == ticks.count)
        for (tick, shown) in ticks.enumerated() {
            let part = parts[shown.part]
            let number = outcome.picture.frameNumber(tick, square: part.square, left: part.left, top: part.top)
            #expect(number == shown.number, "tick \(tick), \(part.name)")
        }
        #expect(distance(outcome.video.end, length) <= rate.inverse)
        if let audio = outcome.report.audio {
            #expect(audio.samples == length.ticks(in: Rational(1, Int64(audio.sampleRate))))
        }
    }

    private static func expectSound(_ outcome: Outcome, _ parts: [Part], channels: Int) throws {
        let heard = try #require(outcome.sound)
        var position = Rational.zero
        for part in parts {
            let path = Fixture.media(part.name)
            let source = try ReferenceAudio(path, options: ["-ar", "\(heard.sampleRate)", "-ac", "\(channels)"])
            let interval = try #require(
                ExpectedProgramme(try ReferenceVideo(path), ranges: [(part.start, part.end)]).intervals.first)
            let (margin, window) = (Rational(4, 100), Rational(8, 100))
            let length = interval.end - interval.start
            for place in [margin, length - margin - window] {
                let have = heard.samples(from: position + place, to: position + place + window)
                let want = source.samples(from: interval.start + place, to: interval.start + place + window)
                let (lag, decibels) = Sound.alignment(of: have, to: want, limit: heard.sampleRate / 1000)
                #expect(decibels > 12, "\(part.name) at \(place.seconds) s, best at \(lag) samples")
            }
            position = position + length
        }
    }

    @Test("shows each at its time, at the fastest one's rate")
    func mixture() throws {
        let parts = [
            Part(name: "bframes_closed.mp4", start: Rational(1, 2), end: Rational(11, 10)),
            Part(name: "pal25.mp4", start: .one, end: Rational(8, 5), square: 12, left: 40, top: 168),
            Part(name: "vp9_opus.webm", start: Rational(1, 4), end: Rational(4, 5)),
            Part(name: "ntsc.mp4", start: .zero, end: Rational(1, 2)),
        ]
        let outcome = try Self.rendered(parts)
        #expect(outcome.picture.width == 320 && outcome.picture.height == 180)
        #expect(outcome.report.video?.resampledTo == Rational(30))
        #expect(outcome.report.notes.contains { $0.contains("resampled") })
        #expect(outcome.report.audio?.sampleRate == 44100 && outcome.report.audio?.channels == 2)
        try Self.expectPictures(outcome, parts, rate: Rational(30))
        try Self.expectSound(outcome, parts, channels: 2)
    }

    @Test("of one rate and shape keeps every picture as it was")
    func alike() throws {
        let names = ["bframes_closed.mp4", "open_gop.mp4", "edit_list.mp4"]
        let parts = names.map { Part(name: $0, start: Rational(1, 3), end: Rational(7, 10)) }
        let outcome = try Self.rendered(parts)
        let expected = try names.flatMap { name in
            let source = try ReferenceVideo(Fixture.media(name))
            return ExpectedProgramme(source, ranges: [(Rational(1, 3), Rational(7, 10))]).frames.map(\.hash)
        }
        #expect(outcome.video.hashes == expected)
        #expect(!outcome.report.notes.contains { $0.contains("resampled") })
    }

    @Test("comes back to its sources as often as it likes")
    func interleaved() throws {
        // More sources than are kept open at once, each in several places, forwards and backwards.
        let names = ["bframes_closed.mp4", "open_gop.mp4", "intra_refresh.mp4", "no_audio.mp4", "moov_last.mp4"]
        let places = [
            (Rational(2), Rational(21, 10)), (Rational(1, 2), Rational(3, 5)), (Rational(11, 10), Rational(6, 5)),
        ]
        let parts = places.flatMap { place in names.map { Part(name: $0, start: place.0, end: place.1) } }
        let outcome = try Self.rendered(parts)
        let expected = try parts.flatMap { part in
            ExpectedProgramme(try ReferenceVideo(Fixture.media(part.name)), ranges: [(part.start, part.end)]).frames
        }
        #expect(outcome.video.hashes == expected.map(\.hash))
        #expect(outcome.report.segments == parts.count)
    }

    @Test(
        "is resampled to the rate that is asked for",
        arguments: [
            ("bframes_closed.mp4", "25", Rational(25)), ("bframes_closed.mp4", "60", Rational(60)),
            ("pal25.mp4", "29.97", Rational(30000, 1001)), ("vfr.mp4", "30", Rational(30)),
            ("film24.mkv", "24", Rational(24)), ("hfr60.mp4", "\"30/1\"", Rational(30)),
        ])
    func outputRate(name: String, fps: String, rate: Rational) throws {
        let parts = [
            Part(name: name, start: Rational(1, 5), end: Rational(4, 5)),
            Part(name: name, start: Rational(2), end: Rational(5, 2)),
        ]
        let output = #"{"fps":\#(fps),"video":{"crf":0,"preset":"ultrafast"}}"#
        let outcome = try Self.rendered(parts, output: output)
        #expect(outcome.report.video?.resampledTo == rate)
        try Self.expectPictures(outcome, parts, rate: rate)
    }

    @Test("is silent where a source has no sound, and has sound again after it")
    func withoutSound() throws {
        let parts = ["open_gop.mp4", "no_audio.mp4", "moov_last.mp4"].map {
            Part(name: $0, start: Rational(1, 2), end: Rational(11, 10))
        }
        let outcome = try Self.rendered(parts)
        let heard = try #require(outcome.sound)
        let quiet = heard.samples(channel: 0, from: Rational(63, 100), to: Rational(117, 100))
        #expect(Sound.rootMeanSquare(quiet) < 0.001)
        #expect(
            Sound.rootMeanSquare(heard.samples(channel: 0, from: Rational(125, 100), to: Rational(175, 100))) > 0.05)
        #expect(outcome.report.audio?.samples == 86_400)
    }

    @Test("is black where a source has no picture, for exactly as long as its sound is asked for")
    func withoutPicture() throws {
        let names = ["open_gop.mp4", "tone.wav", "moov_last.mp4"]
        let json = EditText.timeline(
            [(0, .one, Rational(3, 2)), (1, Rational(1, 4), Rational(3, 4)), (2, .one, Rational(3, 2))],
            sources: names.map(Fixture.media), output: Self.clear)
        try withTemporaryFolder { folder in
            let file = "\(folder)/out.mp4"
            let report = try render(json, to: file)
            let (picture, heard) = (try RawVideo(file), try ReferenceAudio(file))
            #expect(picture.frames.count == 45)
            let shown = (30..<45).map(Int?.some)
            #expect(picture.frameNumbers() == shown + [Int?](repeating: nil, count: 15) + shown)
            for frame in 15..<30 {
                #expect(picture.meanLuma(frame, x: 0..<320, y: 0..<180) == 16)
                #expect(picture.chroma(frame, x: 100, y: 100) == (128, 128))
            }
            let tone = try ReferenceAudio(Fixture.media("tone.wav"), options: ["-ar", "48000", "-ac", "2"])
            let have = heard.samples(from: Rational(6, 10), to: Rational(7, 10))
            let want = tone.samples(from: Rational(35, 100), to: Rational(45, 100))
            #expect(Sound.alignment(of: have, to: want, limit: 48).decibels > 12)
            #expect(report.audio?.samples == 72000)
        }
    }

    @Test(
        "without any picture is a file of sound",
        arguments: ["no_video.m4a", "speech.flac", "voice.ogg", "tone.wav", "music.mp3"])
    func soundOnly(name: String) throws {
        let path = Fixture.media(name)
        let source = try ReferenceAudio(path, options: ["-ar", "48000"])
        try withTemporaryFolder { folder in
            let file = "\(folder)/out.mp4"
            let ranges: [(start: Rational, end: Rational?)] = [
                (Rational(1, 2), Rational(9, 10)), (Rational(1, 10), Rational(1, 2)), (.one, nil),
            ]
            let output = #"{"audio":{"bitrate_kbps":256,"sample_rate":48000}}"#
            let report = try render(EditText.timeline(ranges, of: path, output: output), to: file)
            #expect(report.video == nil)
            #expect(try Inspection(file).streamCount == 1)
            let heard = try ReferenceAudio(file)
            for (place, shown) in [(Rational(1, 10), Rational(6, 10)), (Rational(1, 2), Rational(2, 10))] {
                let have = heard.samples(from: place, to: place + Rational(2, 10))
                let want = source.samples(from: shown, to: shown + Rational(2, 10))
                #expect(Sound.alignment(of: have, to: want, limit: 48).decibels > 6, "at \(place.seconds) s")
            }
            let expected = 0.8 + source.seconds - 1
            #expect(abs(report.durationSeconds - expected) < 0.03)
            #expect(abs(heard.seconds - expected) < 0.05)
        }
    }
}
