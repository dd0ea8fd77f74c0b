import Model
import Testing

@Suite("Bytes as text")
struct TextTests {
    @Test("Hexadecimal digits come in pairs, of any case")
    func hexadecimal() {
        #expect(Hexadecimal.text([0, 0x0F, 0xA0, 0xFF]) == "000fa0ff")
        #expect(Hexadecimal.bytes("000FA0ff") == [0, 0x0F, 0xA0, 0xFF])
        for wrong in ["0", "0g", "+1", " 1", "é1"] { #expect(Hexadecimal.bytes(wrong) == nil, "\(wrong)") }
    }

    @Test(
        "What is encoded comes back",
        arguments: [
            ("a b+c%d/~é", "a%20b%2Bc%25d%2F~%C3%A9"), ("", ""), ("\u{0}\u{1F600}", "%00%F0%9F%98%80"),
        ])
    func encoding(text: String, encoded: String) {
        #expect(PercentEncoding.encode(text) == encoded)
        #expect(PercentEncoding.decode(encoded) == text)
        #expect(PercentEncoding.decodeForm(encoded) == text)
        #expect(PercentEncoding.decodeLeniently(encoded) == text)
    }

    @Test("A path keeps its slashes, and a plus is a space in forms only")
    func exceptions() {
        #expect(PercentEncoding.encode("a/b c", keepsSlashes: true) == "a/b%20c")
        #expect(PercentEncoding.decode("a+b") == "a+b")
        #expect(PercentEncoding.decodeForm("a+b") == "a b")
    }

    @Test("Escapes that are none are refused, or stand for themselves", arguments: ["%", "100%", "%4", "%zz", "%+1"])
    func damaged(text: String) {
        #expect(PercentEncoding.decode(text) == nil)
        #expect(PercentEncoding.decodeLeniently(text + "%41") == text + "A")
    }

    @Test("Bytes that are not UTF-8 are refused")
    func notText() { #expect(PercentEncoding.decode("%FF") == nil) }
}
