package import Model

/// Writes JSON's values as Python's pickle, protocol 2: what taskiq-redis reads unless it is told otherwise.
///
/// Only dictionaries, lists, texts, numbers, booleans and None, so nothing is called when it is read. Reelpool never reads
/// pickle: whoever can write such bytes could make a reader run anything.
/// Source: PEP 307 and CPython's `pickletools`.
package enum PickleWriter {
    package static func bytes(of value: JSONValue) -> [UInt8] {
        var output: [UInt8] = [0x80, 2]
        write(value, to: &output)
        output.append(UInt8(ascii: "."))
        return output
    }

    private static func write(_ value: JSONValue, to output: inout [UInt8]) {
        switch value {
        case .null: output.append(UInt8(ascii: "N"))
        case .bool(let value): output.append(value ? 0x88 : 0x89)
        case .number(let literal): number(literal, to: &output)
        case .string(let text): string(text, to: &output)
        case .array(let values):
            output.append(UInt8(ascii: "]"))
            guard !values.isEmpty else { return }
            output.append(UInt8(ascii: "("))
            for value in values { write(value, to: &output) }
            output.append(UInt8(ascii: "e"))
        case .object(let members):
            output.append(UInt8(ascii: "}"))
            guard !members.isEmpty else { return }
            output.append(UInt8(ascii: "("))
            for key in members.keys.sorted() {
                string(key, to: &output)
                write(members[key] ?? .null, to: &output)
            }
            output.append(UInt8(ascii: "u"))
        }
    }

    private static func string(_ text: String, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "X"))
        append(UInt32(text.utf8.count).littleEndian, to: &output)
        output.append(contentsOf: text.utf8)
    }

    private static func number(_ literal: String, to output: inout [UInt8]) {
        if let small = Int32(literal) {
            output.append(UInt8(ascii: "J"))
            append(small.littleEndian, to: &output)
        } else if let wide = Int64(literal) {
            output.append(contentsOf: [0x8A, 8])
            append(wide.littleEndian, to: &output)
        } else if literal.utf8.allSatisfy({ $0 != 0x2E && $0 | 0x20 != 0x65 }) {
            // Of any length, in decimal.
            output.append(UInt8(ascii: "L"))
            output.append(contentsOf: "\(literal)L\n".utf8)
        } else {
            output.append(UInt8(ascii: "G"))
            append((Double(literal) ?? 0).bitPattern.bigEndian, to: &output)
        }
    }

    private static func append<Number: FixedWidthInteger>(_ value: Number, to output: inout [UInt8]) {
        withUnsafeBytes(of: value) { output.append(contentsOf: $0) }
    }
}
