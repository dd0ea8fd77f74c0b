import Model
import Planning
import TestSupport
import Testing

@Suite("The formats of a plan")
struct PlannerFormatsTests {
    private static let whole = #""timeline":[{"source":"s0"}]"#
    private static let both = #""timeline":[{"source":"s0"},{"source":"s1"}]"#

    private static func plan(
        _ output: String = "{}", _ probes: ProbeReport..., container: OutputSettings.Container? = nil
    )
        throws -> RenderPlan
    {
        let probes = probes.isEmpty ? [ProbedSource.clip()] : probes
        return try PlannerSegmentsTests.plan(
            probes.count == 1 ? whole : both, probes: probes, more: #","output":\#(output)"#, container: container)
    }

    private static func picture(_ stream: VideoStream) -> ProbeReport {
        ProbedSource.report(video: [stream], audio: [ProbedSource.audio()])
    }

    // MARK: Codecs and containers

    private static let videoHomes: [String: Set<String>] = [
        "mp4": ["h264", "hevc", "vp9", "av1"], "mkv": ["h264", "hevc", "vp9", "av1"], "mov": ["h264", "hevc"],
        "webm": ["vp9", "av1"],
    ]
    private static let audioHomes: [String: Set<String>] = [
        "mp4": ["aac", "opus", "mp3"], "mkv": ["aac", "opus", "mp3"], "mov": ["aac", "mp3"], "webm": ["opus"],
    ]

    @Test("put a video codec only where players look for it", arguments: ["mp4", "mkv", "mov", "webm"])
    func videoCodecs(container: String) {
        for codec in VideoSettings.Codec.allCases.map(\.rawValue) {
            let output = #"{"container":"\#(container)","video":{"codec":"\#(codec)"}}"#
            let code = PlannerSegmentsTests.failure(Self.whole, more: #","output":\#(output)"#)?.code
            let expected = Self.videoHomes[container]?.contains(codec) == true ? nil : FailureCode.codecNotInContainer
            #expect(code == expected, "\(codec) in \(container)")
        }
    }

    @Test("put an audio codec only where players look for it", arguments: ["mp4", "mkv", "mov", "webm"])
    func audioCodecs(container: String) {
        for codec in AudioSettings.Codec.allCases.map(\.rawValue) {
            let output = #"{"container":"\#(container)","audio":{"codec":"\#(codec)"}}"#
            let code = PlannerSegmentsTests.failure(Self.whole, more: #","output":\#(output)"#)?.code
            let expected = Self.audioHomes[container]?.contains(codec) == true ? nil : FailureCode.codecNotInContainer
            #expect(code == expected, "\(codec) in \(container)")
        }
    }

    @Test("default to what each container is known for")
    func defaultCodecs() throws {
        let webm = try Self.plan(#"{"container":"webm"}"#)
        #expect(webm.video?.codec == .vp9 && webm.audio?.codec == .opus)
        for container in ["mp4", "mov", "mkv"] {
            let plan = try Self.plan(#"{"container":"\#(container)"}"#)
            #expect(plan.video?.codec == .h264 && plan.audio?.codec == .aac, "\(container)")
        }
    }

    @Test("follow the edit's container, then the file name's, then MP4")
    func container() throws {
        #expect(try Self.plan().container == .mp4)
        #expect(try Self.plan(container: .mkv).container == .mkv)
        #expect(try Self.plan(#"{"container":"mov"}"#, container: .mkv).container == .mov)
    }

    // MARK: Sound

    @Test(
        "keep the widest source's channels and the first one's rate",
        arguments: [
            ("{}", [(2, 48000)], 2, 48000, "stereo"), ("{}", [(1, 22050)], 1, 22050, "mono"),
            ("{}", [(6, 48000)], 6, 48000, "5.1"), ("{}", [(1, 44100), (6, 48000)], 6, 44100, "5.1"),
            ("{}", [(8, 48000)], 8, 48000, "7.1"), ("{}", [(2, 192_000)], 2, 96000, "stereo"),
            (#"{"audio":{"channels":2}}"#, [(6, 48000)], 2, 48000, "stereo"),
            (#"{"audio":{"sample_rate":44100}}"#, [(2, 48000)], 2, 44100, "stereo"),
            (#"{"audio":{"codec":"opus"}}"#, [(2, 44100)], 2, 48000, "stereo"),
            (#"{"audio":{"codec":"mp3"}}"#, [(6, 96000)], 2, 48000, "stereo"),
            (#"{"audio":{"codec":"aac","sample_rate":23000}}"#, [(2, 48000)], 2, 24000, "stereo"),
        ] as [(String, [(Int, Int)], Int, Int, String)])
    func sound(output: String, sources: [(Int, Int)], channels: Int, rate: Int, layout: String) throws {
        let probes = sources.map {
            ProbedSource.report(video: [ProbedSource.video()], audio: [ProbedSource.audio(channels: $0.0, rate: $0.1)])
        }
        let plan = try PlannerSegmentsTests.plan(
            probes.count == 1 ? Self.whole : Self.both, probes: probes, more: #","output":\#(output)"#)
        let audio = try #require(plan.audio)
        #expect(audio.channels == channels && audio.sampleRate == rate && audio.layout == layout)
    }

    @Test("say when channels are lost")
    func mixdownNote() throws {
        let probe = ProbedSource.report(audio: [ProbedSource.audio(channels: 6)])
        #expect(try Self.plan(#"{"audio":{"codec":"mp3"}}"#, probe).notes.contains { $0.contains("mixed down") })
        #expect(try Self.plan(#"{"audio":{"codec":"aac"}}"#, probe).notes.isEmpty)
    }

    // MARK: Streams

    @Test("use a source's default streams, passing over what cannot be decoded")
    func streamChoice() throws {
        let probe = ProbedSource.report(
            video: [ProbedSource.video { ($0.index, $0.decodable) = (0, false) }, ProbedSource.video { $0.index = 2 }],
            audio: [ProbedSource.audio(index: 3), ProbedSource.audio(index: 4) { $0.isDefault = true }])
        let source = try #require(try Self.plan("{}", probe).sources.first)
        #expect(source.videoStream == 2 && source.audioStream == 4)
    }

    @Test("leave out what no source has")
    func missingStreams() throws {
        #expect(try Self.plan("{}", ProbedSource.report(video: [ProbedSource.video()])).audio == nil)
        #expect(try Self.plan("{}", ProbedSource.report(audio: [ProbedSource.audio()])).video == nil)
    }

    @Test("are refused for sources that cannot be used")
    func unusable() {
        func code(_ probe: ProbeReport) -> FailureCode? {
            PlannerSegmentsTests.failure(Self.whole, probes: [probe])?.code
        }
        #expect(code(ProbedSource.report()) == .noStreams)
        #expect(code(ProbedSource.report(video: [ProbedSource.video { $0.decodable = false }])) == .noDecoder)
        #expect(code(ProbedSource.report(video: [ProbedSource.video { $0.encrypted = true }])) == .encryptedMedia)
        #expect(code(ProbedSource.report(audio: [ProbedSource.audio { $0.encrypted = true }])) == .encryptedMedia)
    }

    @Test("do not care about sources that no range uses")
    func unusedSource() throws {
        let plan = try PlannerSegmentsTests.plan(Self.whole, probes: [ProbedSource.clip(), ProbedSource.report()])
        #expect(plan.segments.map(\.source) == [0])
    }

    // MARK: Sources cut short

    @Test("use a truncated source where it is whole, and all of it in salvage")
    func truncated() throws {
        let probe = ProbedSource.report(video: [ProbedSource.video()]) { ($0.truncated, $0.intactSeconds) = (true, 6) }
        let within = #""timeline":[{"source":"s0","start_ms":1000,"end_ms":6000}]"#
        let beyond = #""timeline":[{"source":"s0","start_ms":1000,"end_ms":6001}]"#
        #expect(PlannerSegmentsTests.failure(within, probes: [probe]) == nil)
        #expect(PlannerSegmentsTests.failure(beyond, probes: [probe])?.code == .truncated)
        #expect(PlannerSegmentsTests.failure(Self.whole, probes: [probe])?.code == .truncated)
        #expect(try PlannerSegmentsTests.plan(beyond, probes: [probe], salvage: true).segments.count == 1)
    }

    // MARK: High dynamic range

    @Test(
        "keep HDR where players show it, and say when they do not",
        arguments: [
            ("h264", "auto", false), ("h264", "keep", true), ("h264", "sdr", false), ("hevc", "auto", true),
            ("vp9", "auto", true), ("av1", "auto", true), ("hevc", "sdr", false), ("av1", "keep", true),
        ])
    func dynamicRange(codec: String, mode: String, keeps: Bool) throws {
        let plan = try Self.plan(
            #"{"video":{"codec":"\#(codec)","dynamic_range":"\#(mode)"}}"#, Self.picture(ProbedSource.hdr()))
        let video = try #require(plan.video)
        #expect((video.hdr != nil) == keeps)
        #expect(video.bitDepth == (keeps ? 10 : 8))
        #expect(video.color == (keeps ? ProbedSource.pq : .sdr))
        #expect(plan.sources[0].color == (keeps ? .keep : .toneMap(from: ProbedSource.pq)))
        #expect(plan.notes.contains { $0.contains("tone mapped") } == (codec == "h264" && mode == "auto"))
    }

    @Test("mix HDR with anything else only as SDR", arguments: ["auto", "keep"])
    func mixedDynamicRange(mode: String) throws {
        let output = #"{"video":{"codec":"hevc","dynamic_range":"\#(mode)"}}"#
        for other in [ProbedSource.video(color: ProbedSource.bt709), ProbedSource.hdr(ProbedSource.hlg)] {
            let plan = try Self.plan(output, Self.picture(ProbedSource.hdr()), Self.picture(other))
            #expect(plan.video?.hdr == nil && plan.video?.color == .sdr && plan.video?.bitDepth == 8)
            #expect(plan.notes.contains { $0.contains("mixed") })
            #expect(plan.sources[0].color == .toneMap(from: ProbedSource.pq))
        }
    }

    // MARK: Colour

    @Test("carry one source's colours untouched, and bring different ones to one standard")
    func colour() throws {
        let (first, second) = (
            Self.picture(ProbedSource.video(color: ProbedSource.bt601)),
            Self.picture(ProbedSource.video(color: ProbedSource.bt709))
        )
        let alike = try Self.plan("{}", first, first)
        #expect(alike.video?.color == ProbedSource.bt601)
        #expect(alike.sources.map(\.color) == [.keep, .keep])
        let mixed = try Self.plan("{}", first, second)
        #expect(mixed.video?.color == .sdr)
        #expect(mixed.sources[0].color == .convert(from: ProbedSource.bt601, to: .sdr))
    }

    @Test("take untagged pictures for BT.601 below 720 lines and for BT.709 from there on")
    func assumedColour() {
        #expect(ColorTags().assumed(height: 719).matrix == "smpte170m")
        #expect(ColorTags().assumed(height: 720).matrix == "bt709")
        #expect(ColorTags(range: "pc", matrix: "bt709").assumed(height: 100) == ColorTags(range: "pc", matrix: "bt709"))
    }

    @Test(
        "keep ten bits where the codec's players take them",
        arguments: [("h264", 8), ("hevc", 10), ("vp9", 10), ("av1", 10)])
    func tenBits(codec: String, depth: Int) throws {
        let deep = ProbedSource.video(
            color: ProbedSource.bt709, codec: "hevc", pixelFormat: "yuv420p10le", bitDepth: 10)
        #expect(try Self.plan(#"{"video":{"codec":"\#(codec)"}}"#, Self.picture(deep)).video?.bitDepth == depth)
    }

    // MARK: Cadence

    @Test("keep one source's spacing, and resample sources of different rates to the fastest")
    func cadence() throws {
        func cadence(_ output: String, _ streams: VideoStream...) throws -> (Cadence?, resampled: Bool) {
            let probes = streams.map(Self.picture)
            let plan = try PlannerSegmentsTests.plan(
                probes.count == 1 ? Self.whole : Self.both, probes: probes, more: #","output":\#(output)"#)
            return (plan.video?.cadence, plan.notes.contains { $0.contains("resampled") })
        }
        func rate(_ cadence: Cadence?) -> Rational? {
            if case .constant(let rate, _) = cadence { return rate }
            return nil
        }
        let (thirty, film) = (ProbedSource.video(), ProbedSource.video(rate: Rational(24000, 1001)))
        let variable = ProbedSource.video(rate: Rational(90000)) {
            ($0.variableFrameRate, $0.averageFrameRate) = (true, Rational(25))
        }
        let alone = try cadence("{}", variable)
        #expect(alone.0 == .source(timeBase: variable.timeBase) && !alone.resampled)
        let asked = try cadence(#"{"fps":"30000/1001"}"#, thirty)
        #expect(rate(asked.0) == Rational(30000, 1001) && asked.resampled)
        let alike = try cadence("{}", thirty, thirty)
        #expect(alike.0 == .source(timeBase: thirty.timeBase) && !alike.resampled)
        let otherClock = ProbedSource.video { $0.timeBase = Rational(1, 90000) }
        #expect(otherClock.timeBase != thirty.timeBase)
        let clocks = try cadence("{}", thirty, otherClock)
        #expect(rate(clocks.0) == Rational(30) && !clocks.resampled)
        let different = try cadence("{}", film, thirty)
        #expect(rate(different.0) == Rational(30) && different.resampled)
        let mixed = try cadence("{}", variable, film)
        #expect(rate(mixed.0) == Rational(25) && mixed.resampled)
    }

    @Test(
        "go by a rate that can be believed",
        arguments: [
            (Rational(30), Rational(30), false, Rational(30)),
            (Rational(1000), Rational(2997, 100), false, Rational(30000, 1001)),
            (Rational(90000), Rational(13_410_000, 361_081), true, Rational(37138, 1000)),
            (nil, Rational(2398, 100), false, Rational(24000, 1001)), (Rational(60), nil, true, Rational(60)),
            (nil, nil, false, Rational(30)), (Rational(1000), Rational(1000), true, Rational(30)),
        ] as [(Rational?, Rational?, Bool, Rational)])
    func nominalRate(real: Rational?, average: Rational?, variable: Bool, expected: Rational) {
        let stream = ProbedSource.video {
            ($0.realFrameRate, $0.averageFrameRate, $0.variableFrameRate) = (real, average, variable)
        }
        #expect(stream.nominalFrameRate == expected)
    }
}
