internal import FoundationEssentials

/// The family names in a font file. Source: OpenType 1.9, "Organization of an OpenType Font" and the name table.
struct FontNames {
    /// Begins at index 0.
    private let bytes: Data

    init(_ bytes: Data) { self.bytes = bytes.startIndex == 0 ? bytes : Data(bytes) }

    /// Of all fonts in the file, in all languages; empty for what is no font.
    func families() -> Set<String> {
        guard let tag = number(at: 0, bytes: 4) else { return [] }
        // A collection: "ttcf", its version, and where its fonts begin.
        guard tag == 0x7474_6366 else { return families(at: 0) }
        guard let count = number(at: 8, bytes: 4), count <= 256 else { return [] }
        return (0..<count).reduce(into: []) { names, index in
            if let start = number(at: 12 + 4 * index, bytes: 4) { names.formUnion(families(at: start)) }
        }
    }

    private func families(at start: Int) -> Set<String> {
        guard let tables = number(at: start + 4, bytes: 2) else { return [] }
        for table in 0..<tables {
            let record = start + 12 + 16 * table
            // "name"
            guard number(at: record, bytes: 4) == 0x6e61_6d65 else { continue }
            return number(at: record + 8, bytes: 4).map(names) ?? []
        }
        return []
    }

    private func names(inTableAt table: Int) -> Set<String> {
        guard let count = number(at: table + 2, bytes: 2), let storage = number(at: table + 4, bytes: 2) else {
            return []
        }
        var names: Set<String> = []
        for index in 0..<count {
            let record = table + 6 + 12 * index
            guard let platform = number(at: record, bytes: 2), let kind = number(at: record + 6, bytes: 2),
                let length = number(at: record + 8, bytes: 2), let offset = number(at: record + 10, bytes: 2)
            else { break }
            // The family, and the family where weights beyond bold are one.
            guard kind == 1 || kind == 16 else { continue }
            let start = table + storage + offset
            guard start + length <= bytes.count else { continue }
            let text = bytes[start..<start + length]
            // Unicode and Windows write UTF-16, big end first; the Macintosh's is ASCII where it matters.
            names.insert(
                platform == 1
                    ? String(decoding: text, as: UTF8.self)
                    : String(
                        decoding: stride(from: text.startIndex, to: text.endIndex - 1, by: 2).map {
                            UInt16(text[$0]) << 8 | UInt16(text[$0 + 1])
                        }, as: UTF16.self))
        }
        return names
    }

    /// Big end first; `nil` beyond the file.
    private func number(at position: Int, bytes count: Int) -> Int? {
        guard position >= 0, position + count <= bytes.count else { return nil }
        return bytes[position..<position + count].reduce(0) { $0 << 8 | Int($1) }
    }
}
