import Foundation
import Model
import TestSupport
import Testing

/// Pauses found in recordings whose pauses are known.
@Suite("Pauses in a recording")
struct AnalyzePauseTests {
    private static let talk = Fixture.media("talk.mp4")
    /// What is kept around speech, and what codecs and soft consonants blur.
    private static let (padding, blur) = (100.0, 30.0)

    @Test("are those that are there: none missed, none invented", arguments: [0, 20, 50, 70, 90, 100])
    func truth(pacing: Int) throws {
        let truth = try TalkTruth.read()
        let speech = try #require(try analyze(Self.talk, pacing: pacing).speech)
        let minimum = 3000 - 27 * pacing
        #expect(speech.minimumSilenceMs == minimum)
        let pauses = truth.pauses.filter { $0.length * 1000 >= Double(minimum) }
        try #require(speech.silence.count == pauses.count)
        for (found, pause) in zip(speech.silence, pauses) {
            let (start, end) = (pause.start * 1000, pause.end * 1000)
            #expect((start - Self.blur...start + Self.padding + Self.blur).contains(Double(found.startMs)))
            #expect((end - Self.padding - Self.blur...end + Self.blur).contains(Double(found.endMs)))
        }
    }

    @Test("and speech between them make up the whole", arguments: [0, 50, 100])
    func complement(pacing: Int) throws {
        let report = try analyze(Self.talk, pacing: pacing)
        let speech = try #require(report.speech)
        let all = (speech.silence + speech.spoken).sorted { $0.startMs < $1.startMs }
        #expect(all.first?.startMs == 0)
        #expect(all.last?.endMs == Int64(report.durationSeconds * 1000))
        #expect(zip(all, all.dropFirst()).allSatisfy { $0.endMs == $1.startMs })
        #expect(all.allSatisfy { $0.startMs < $0.endMs })
    }

    /// The same talk made louder, quieter, noisier or put through another codec.
    @Test(
        "are the same at any level and over any quiet noise",
        arguments: [
            "volume=-20dB", "volume=-30dB", "volume=1.6dB", "aformat=sample_rates=16000", "aformat=channel_layouts=5.1",
            "anoisesrc=color=white:amplitude=0.003:seed=3:sample_rate=48000:duration=24[n];[in][n]amix=normalize=0",
            "anoisesrc=color=pink:amplitude=0.01:seed=4:sample_rate=48000:duration=24[n];[in][n]amix=normalize=0",
        ])
    func levels(filters: String) throws {
        try withTemporaryFolder { folder in
            let copy = "\(folder)/copy.wav"
            _ = try Command.output(
                "ffmpeg", ["-v", "error", "-nostdin", "-i", Self.talk, "-map", "0:a", "-af", filters, copy])
            let (original, changed) = (
                try #require(try analyze(Self.talk, pacing: 100).speech),
                try #require(try analyze(copy, pacing: 100).speech)
            )
            try #require(changed.silence.count == original.silence.count)
            for (found, wanted) in zip(changed.silence, original.silence) {
                // Noise hides the last of a dying sound.
                #expect(abs(found.startMs - wanted.startMs) <= 80)
                #expect(abs(found.endMs - wanted.endMs) <= 80)
            }
        }
    }

    @Test(
        "are not found where somebody speaks, or something sounds, all the time",
        arguments: [
            "atrim=12.42:14.62,asetpts=N/SR/TB,aloop=loop=4:size=105600",
            "sine=frequency=300:duration=6[s];[in]anullsink;[s]anull",
            "anoisesrc=color=pink:amplitude=0.2:seed=5:duration=6[s];[in]anullsink;[s]anull",
        ])
    func continuous(filters: String) throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/continuous.wav"
            _ = try Command.output(
                "ffmpeg", ["-v", "error", "-nostdin", "-i", Self.talk, "-map", "0:a", "-af", filters, path])
            let report = try analyze(path, pacing: 100)
            #expect(report.durationSeconds > 5)
            #expect(report.speech?.silence == [])
            #expect(report.speech?.spoken.count == 1)
            #expect(report.edit.programme == .edits([]))
        }
    }

    @Test("are all there is in digital silence, and then nothing is proposed", arguments: ["mono", "stereo"])
    func digitalSilence(layout: String) throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/silence.wav"
            _ = try Command.output(
                "ffmpeg",
                [
                    "-v", "error", "-nostdin", "-f", "lavfi", "-i",
                    "anullsrc=channel_layout=\(layout):sample_rate=48000",
                    "-t", "5", path,
                ])
            let report = try analyze(path, pacing: 100)
            let speech = try #require(report.speech)
            #expect(speech.silence == [.init(startMs: 0, endMs: 5000)])
            #expect(speech.spoken == [])
            #expect(report.edit.programme == .edits([]))
            #expect(report.loudness?.integratedLufs == nil && report.loudness?.truePeakDbtp == nil)
            #expect(report.notes.count == 1)
        }
    }

    @Test("are not looked for in a source without sound")
    func noSound() throws {
        let report = try analyze(Fixture.media("no_audio.mp4"))
        #expect(report.speech == nil && report.loudness == nil)
        #expect(report.edit.programme == .edits([]))
        #expect(report.scenes != nil && report.black == [])
        #expect(report.durationSeconds == 3)
    }

    @Test("are found in a source without picture", arguments: ["no_video.m4a", "voice.ogg", "speech.flac"])
    func noPicture(name: String) throws {
        let report = try analyze(Fixture.media(name), pacing: 100)
        #expect(report.scenes == nil && report.black == nil)
        let speech = try #require(report.speech)
        #expect(!speech.spoken.isEmpty)
        let length = try ReferenceAudio(Fixture.media(name)).seconds
        #expect(abs(report.durationSeconds - length) < 0.03)
    }
}
