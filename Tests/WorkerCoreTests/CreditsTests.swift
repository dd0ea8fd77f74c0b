import Model
import Testing
import WorkerCore

@Suite("Credits")
struct CreditsTests {
    @Test(
        "are read and written as decimals",
        arguments: [
            ("0", 0), ("12.5", 12_500_000), ("0.000001", 1), ("-3.25", -3_250_000),
            ("1000000000", 1_000_000_000_000_000),
            ("-0.1", -100_000), ("7", 7_000_000),
        ] as [(String, Int64)])
    func text(text: String, value: Int64) throws {
        let amount = try #require(MicroCredits(text: text))
        #expect(amount.value == value && amount.text == text)
    }

    @Test(
        "are refused where they are not such a decimal",
        arguments: [
            "", "-", ".", "1.", ".5", "1.0000001", "1e3", "1,5", "+1", "--1", "0x1", " 1", "1 ", "١", "1.2.3",
            "1000000000.000001", "9999999999999999999999",
        ])
    func refused(text: String) { #expect(MicroCredits(text: text) == nil) }

    @Test("read back what they write, and lose nothing", arguments: 0..<200)
    func roundTrip(seed: Int) throws {
        let value = Int64.random(in: -MicroCredits.largest.value...MicroCredits.largest.value)
        let amount = try #require(MicroCredits(value))
        #expect(MicroCredits(text: amount.text) == amount, "\(value)")
    }

    @Test("do not go beyond their bounds")
    func bounds() throws {
        let one = try #require(MicroCredits(1))
        #expect(MicroCredits.largest.adding(one) == nil)
        #expect(MicroCredits(-MicroCredits.largest.value)?.subtracting(one) == nil)
        #expect(MicroCredits(MicroCredits.largest.value + 1) == nil && MicroCredits(.min) == nil)
        #expect(MicroCredits.largest.scaled(by: 2, over: 1) == nil)
        #expect(MicroCredits.largest.scaled(by: .max, over: 1) == nil)
        #expect(MicroCredits.largest.scaled(by: 60_000, over: 60_000) == .largest)
        #expect(one.scaled(by: 1, over: 60_000) == one, "rounded up")
        #expect(one.scaled(by: 0, over: 60_000) == .zero)
        #expect(one.scaled(by: 120_001, over: 60_000)?.value == 3)
    }
}

@Suite("A rate card")
struct RateCardTests {
    private static let json = """
        {"version": 7, "kinds": {
            "render": {"per_minute": {"720p": "1", "1080p": "1.5", "2160p": "4", "audio": "0.2"}, "least": "0.5"},
            "proxy": {"per_minute": {"1080p": "0.1"}, "minutes": "started"},
            "probe": {"per_job": "0"}, "download": {"per_job": "0.25"}}}
        """
    private let card: RateCard

    init() throws { card = try RateCard(json: Self.json) }

    private func quote(_ kind: JobKind, _ resolution: ResolutionClass, seconds: Double) throws -> String {
        try card.quote(kind, MediaBound(resolution: resolution, milliseconds: Int64(seconds * 1000))).amount.text
    }

    @Test("prices minutes as measured, as begun, and jobs")
    func prices() throws {
        #expect(card.version == 7 && card.needsBound(.render) && !card.needsBound(.probe))
        #expect(try quote(.render, .upTo1080, seconds: 3600) == "90")
        #expect(try quote(.render, .upTo1080, seconds: 90) == "2.25")
        #expect(try quote(.render, .upTo720, seconds: 60.001) == "1.000017", "rounded up to the millionth")
        #expect(try quote(.render, .audio, seconds: 1) == "0.5", "no less than the least")
        #expect(try quote(.proxy, .upTo1080, seconds: 60) == "0.1")
        #expect(try quote(.proxy, .upTo1080, seconds: 60.001) == "0.2")
        #expect(try quote(.proxy, .upTo1080, seconds: 0) == "0")
        #expect(try card.quote(.probe, nil).amount == .zero)
        #expect(try card.quote(.download, nil).amount.text == "0.25")
        #expect(try card.charge(.render, .upTo2160, milliseconds: 30_000).text == "2")
    }

    @Test("has no price for what it does not name")
    func unpriced() {
        #expect(throws: RateCardError.unpriced(kind: .analysis, resolution: nil)) { try card.quote(.analysis, nil) }
        #expect(throws: RateCardError.unbounded(kind: .render)) { try card.quote(.render, nil) }
        #expect(throws: RateCardError.unpriced(kind: .render, resolution: .upTo1440)) {
            try quote(.render, .upTo1440, seconds: 1)
        }
        #expect(throws: RateCardError.beyondBounds(kind: .render)) { try quote(.render, .upTo1080, seconds: 1e14) }
    }

    @Test("charges what was measured, and never more than was quoted")
    func charge() throws {
        let quote = try card.quote(.render, MediaBound(resolution: .upTo1080, milliseconds: 120_000))
        #expect(quote.amount.text == "3" && quote.rate.version == 7)
        #expect(quote.charge(milliseconds: 60_000).text == "1.5")
        #expect(quote.charge(milliseconds: 1).text == "0.5")
        #expect(quote.charge(milliseconds: 120_001).text == "3")
        #expect(quote.charge(milliseconds: .max).text == "3")
        #expect(quote.charge(milliseconds: nil).text == "3", "what nobody measured costs what was quoted")
    }

    @Test(
        "with a mistake is refused, and says where it is",
        arguments: [
            ("[]", "a rate card is an object"), ("{", "not valid JSON"),
            (#"{"kinds": {}}"#, "version: should be"), (#"{"version": 0, "kinds": {}}"#, "version: should be"),
            (#"{"version": 1}"#, "kinds: is missing"), (#"{"version": 1, "kinds": {}, "x": 1}"#, "x is not a field"),
            (#"{"version": 1, "kinds": {"paint": {}}}"#, "kinds.paint is not a field"),
            (#"{"version": 1, "kinds": {"render": {}}}"#, "kinds.render: should have one of"),
            (#"{"version": 1, "kinds": {"render": {"per_job": "1", "per_minute": {}}}}"#, "should have one of"),
            (#"{"version": 1, "kinds": {"render": {"per_job": 1}}}"#, "kinds.render.per_job: should be credits"),
            (#"{"version": 1, "kinds": {"render": {"per_job": "-1"}}}"#, "kinds.render.per_job: should be credits"),
            (#"{"version": 1, "kinds": {"render": {"per_job": "1", "least": "1"}}}"#, "kinds.render.least: belongs"),
            (#"{"version": 1, "kinds": {"render": {"per_minute": {}}}}"#, "per_minute: should have a price"),
            (#"{"version": 1, "kinds": {"render": {"per_minute": {"8k": "1"}}}}"#, "per_minute.8k is not a field"),
            (
                #"{"version": 1, "kinds": {"render": {"per_minute": {"720p": "1"}, "minutes": "x"}}}"#,
                "kinds.render.minutes: is started or measured"
            ),
        ])
    func mistakes(json: String, words: String) {
        let error = #expect(throws: RateCardError.self) { try RateCard(json: json) }
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
        #expect(error?.category == .invalidInput)
    }

    @Test("goes by the shorter side of a picture")
    func resolutions() {
        let sizes: [(Int, Int, ResolutionClass?)] = [
            (0, 0, .audio), (1280, 720, .upTo720), (720, 1280, .upTo720), (1920, 1080, .upTo1080),
            (1080, 1080, .upTo1080), (2560, 1440, .upTo1440), (3840, 2160, .upTo2160), (2160, 3840, .upTo2160),
            (7680, 4320, nil),
        ]
        for (width, height, expected) in sizes { #expect(ResolutionClass(width: width, height: height) == expected) }
    }
}
