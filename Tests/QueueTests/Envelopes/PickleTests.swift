import Envelopes
import Foundation
import Model
import TestSupport
import Testing

@Suite("A pickle")
struct PickleTests {
    /// Read back by taskiq-redis 1.2 when the format was studied.
    @Test("has the bytes that a client was seen to read")
    func captured() throws {
        let value: JSONValue = [
            "is_err": false, "log": .null,
            "return_value": ["dur": .number("1.5"), "ok": true, "n": -7, "l": [1, "é"]],
            "execution_time": .number("0.12"), "labels": [:], "error": .null,
        ]
        let expected =
            "80027d28"
            + "58050000006572726f724e" + "580e000000657865637574696f6e5f74696d65473fbeb851eb851eb8"
            + "580600000069735f65727289" + "58060000006c6162656c737d" + "58030000006c6f674e"
            + "580c00000072657475726e5f76616c75657d28" + "5803000000647572473ff8000000000000"
            + "58010000006c5d284a010000005802000000c3a965" + "58010000006e4af9ffffff" + "58020000006f6b88" + "75"
            + "752e"
        #expect(PickleWriter.bytes(of: value).map { String(format: "%02x", $0) }.joined() == expected)
    }

    @Test("is what Python's pickle reads as the same value, whatever it holds")
    func readByPython() throws {
        let value: JSONValue = [
            "none": .null, "yes": true, "no": false, "zero": 0, "small": -1, "edge": .integer(Int64(Int32.max)),
            "beyond": .integer(Int64(Int32.max) + 1), "negative": .integer(Int64(Int32.min) - 1),
            "largest": .integer(Int64.max), "smallest": .integer(Int64.min),
            "huge": .number("-123456789012345678901234567890"), "half": .number("0.5"), "third": .number("3.3e-1"),
            "big": .number("1E+22"), "text": "é😀\n\u{1}\"", "empty": "", "list": [], "dict": [:],
            "nested": [[["a": [1, [2, [3]]]]]], "long": .string(String(repeating: "é", count: 70_000)),
            "é": "key",
        ]
        try withTemporaryFolder { folder in
            try Data(PickleWriter.bytes(of: value)).write(to: URL(fileURLWithPath: "\(folder)/value.pickle"))
            try write(value.text, to: "\(folder)/value.json")
            let program = """
                import json, pickle, pickletools, sys
                data = open(sys.argv[1] + "/value.pickle", "rb").read()
                same = pickle.loads(data) == json.load(open(sys.argv[1] + "/value.json"))
                # Nothing that a reader would call or look up.
                names = {op.name for op, _, _ in pickletools.genops(data)}
                calls = names & {"GLOBAL", "STACK_GLOBAL", "REDUCE", "INST", "OBJ", "NEWOBJ", "BUILD", "EXT1"}
                print(same, sorted(calls))
                """
            let output = try Command.output("python3", ["-c", program, folder])
            #expect(String(decoding: output, as: UTF8.self) == "True []\n")
        }
    }
}
