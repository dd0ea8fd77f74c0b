import Foundation
import Model
import Testing

@Suite("A time in an edit")
struct EditTimeTests {
    private static func seconds(_ json: String) throws -> Rational {
        try JSONDecoder().decode([EditTime].self, from: Data("[\(json)]".utf8))[0].seconds
    }

    @Test(
        "is exact",
        arguments: [
            ("0", Rational.zero), ("1000", .one), ("33", Rational(33, 1000)), ("-1", Rational(-1, 1000)),
            ("0.5", Rational(1, 2000)), ("33.333", Rational(33333, 1_000_000)), ("1e3", .one),
            ("315360000000", Rational(315_360_000)), (#"{"value":1001,"rate":30000}"#, Rational(1001, 30000)),
            (#"{"value":-5,"rate":24}"#, Rational(-5, 24)),
            (#"{"value":7,"rate":1000000000}"#, Rational(7, 1_000_000_000)),
        ] as [(String, Rational)])
    func exact(json: String, expected: Rational) throws {
        #expect(try Self.seconds(json) == expected)
    }

    @Test("in decimal milliseconds is taken to the microsecond")
    func microseconds() throws {
        #expect(try Self.seconds("33.3333333") == Rational(33_333, 1_000_000))
    }

    @Test("comes back from its own JSON", arguments: [Rational(1, 3), Rational(1, 1000), Rational(12345), .zero])
    func roundTrip(value: Rational) throws {
        let data = try JSONEncoder().encode([EditTime(seconds: value)])
        #expect(try JSONDecoder().decode([EditTime].self, from: data) == [EditTime(seconds: value)])
    }

    @Test(
        "of a rate is what people mean by it",
        arguments: [
            ("30", Rational(30)), ("29.97", Rational(30000, 1001)), ("23.976", Rational(24000, 1001)),
            ("59.94", Rational(60000, 1001)), ("23.98", Rational(24000, 1001)), ("12.5", Rational(25, 2)),
            (#""30000/1001""#, Rational(30000, 1001)), (#""24/1""#, Rational(24)), ("1", .one), ("240", Rational(240)),
        ] as [(String, Rational)])
    func rate(json: String, expected: Rational) throws {
        let edit = try EditDocumentTests.decode(
            EditDocumentTests.timeline(#"{"source":"a"}"#, more: #""output":{"fps":\#(json)}"#))
        #expect(edit.output.framesPerSecond == expected)
    }
}
