import Foundation
import Model
import TestSupport
import Testing

@Suite("Any JSON")
struct JSONValueTests {
    @Test(
        "is written as it was read",
        arguments: [
            "null", "true", "[]", "{}", #"{"a":[1,-2.50,3e+7,123456789012345678901234567890],"b":{"c":"é\n\"\\"}}"#,
            #""\u0001""#, "[[[[]]]]", #"{"":0}"#,
        ])
    func roundTrip(text: String) throws {
        #expect(try JSONValue(parsing: text).text == text)
    }

    @Test("has its escapes undone")
    func escapes() throws {
        #expect(try JSONValue(parsing: #""\u00e9\ud83d\ude00\/\b\f\r\t""#) == "é😀/\u{8}\u{C}\r\t")
        #expect(try JSONValue(parsing: " { \"b\" : 1 ,\n\"a\":[ ] } ") == ["a": [], "b": 1])
    }

    @Test(
        "is refused when it is not JSON, or can be understood in two ways",
        arguments: [
            ("", JSONSyntaxError.Kind.syntax), ("{", .syntax), ("[1,]", .syntax), ("{\"a\":1,}", .syntax),
            ("01", .syntax),
            ("+1", .syntax), ("1.", .syntax), ("NaN", .syntax), ("Infinity", .syntax), ("'a'", .syntax),
            ("1 2", .syntax),
            ("\"a", .syntax), ("\"\\x\"", .syntax), ("\"\n\"", .syntax), ("tru", .syntax), ("{1:2}", .syntax),
            (#"{"a":1,"a":2}"#, .duplicateKey), (#"{"a":1,"\u0061":2}"#, .duplicateKey),
            (#""\ud800""#, .forbiddenCharacter), (#""\udc00""#, .forbiddenCharacter),
            (#""\u0000""#, .forbiddenCharacter),
        ])
    func refused(text: String, kind: JSONSyntaxError.Kind) {
        let error = #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: text) }
        #expect(error?.kind == kind)
    }

    @Test("is refused when it is not UTF-8")
    func notUTF8() {
        let error = #expect(throws: JSONSyntaxError.self) {
            try JSONValue(parsing: [0x22, 0xC3, 0x28, 0x22])
        }
        #expect(error?.kind == .notUTF8)
    }

    @Test("is as deep as allowed and no deeper, so that no nesting exhausts the stack")
    func depth() throws {
        func nested(_ levels: Int) -> String {
            String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        }
        _ = try JSONValue(parsing: nested(64))
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: nested(65)) }
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: nested(1_000_000)) }
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: String(repeating: "{\"a\":", count: 100_000)) }
    }

    @Test("agrees with Foundation's reader on whatever it accepts")
    func agreesWithFoundation() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            let value = JSONValue.random(depth: 4, using: &random)
            let text = value.text
            #expect(try JSONValue(parsing: text) == value, "seed \(seed)")
            let foundation = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
            let again = try JSONSerialization.data(
                withJSONObject: foundation, options: [.fragmentsAllowed, .sortedKeys])
            let back = try JSONValue(parsing: Array(again))
            #expect(back == value, "seed \(seed): \(text)")
        }
    }

    @Test("has whole numbers where they are whole, and no others")
    func numbers() {
        #expect(JSONValue.number("3").integerValue == 3)
        #expect(JSONValue.number("3.0").integerValue == 3)
        #expect(JSONValue.number("3.5").integerValue == nil)
        #expect(JSONValue.number("9223372036854775807").integerValue == Int64.max)
        #expect(JSONValue.number("9223372036854775808").integerValue == nil)
        #expect(JSONValue.number("1e400").doubleValue == nil)
        #expect(JSONValue.double(.nan).isNull)
    }
}

extension JSONValue {
    fileprivate static func random(depth: Int, using random: inout SeededGenerator) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &random) {
        case 0: .null
        case 1: .bool(.random(using: &random))
        case 2: .integer(Int64.random(in: -1_000_000...1_000_000, using: &random))
        case 3: .string(text(using: &random))
        case 4: .string("")
        case 5:
            .array((0..<Int.random(in: 0..<4, using: &random)).map { _ in .random(depth: depth - 1, using: &random) })
        default:
            .object(
                Dictionary(
                    (0..<Int.random(in: 0..<4, using: &random)).map { _ in
                        (text(using: &random), .random(depth: depth - 1, using: &random))
                    }, uniquingKeysWith: { first, _ in first }))
        }
    }

    private static func text(using random: inout SeededGenerator) -> String {
        let letters: [Character] = ["a", "\"", "\\", "/", "\n", "\u{1}", "é", "😀", "\u{7F}", "{", " "]
        return String(
            (0..<Int.random(in: 0..<6, using: &random)).map { _ in letters.randomElement(using: &random) ?? "a" })
    }
}
