/// What a body is by its first bytes: the containers that the engine reads, and pictures that are laid over a programme.
///
/// This keeps pages and playlists out of a store of media; whether a file is sound, a probe tells. Sources: the formats'
/// own specifications; for MPEG audio ISO 11172-3 §2.4.2.3, for transport streams ISO 13818-1 §2.4.3.
package enum MediaSignature {
    /// So many bytes are enough; a shorter body is judged by what it has.
    package static let headBytes = 1024

    /// Bytes at an offset; `text` has one character for each byte.
    private struct Mark {
        let offset: Int
        let bytes: [UInt8]

        init(_ text: String, at offset: Int = 0) {
            self.offset = offset
            bytes = text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
        }

        func isIn(_ head: [UInt8]) -> Bool { head.dropFirst(offset).starts(with: bytes) }
    }

    private static let marks: [(type: String, marks: [Mark])] = [
        ("video/x-msvideo", [Mark("RIFF"), Mark("AVI ", at: 8)]),
        ("audio/wav", [Mark("RIFF"), Mark("WAVE", at: 8)]),
        ("audio/wav", [Mark("RF64"), Mark("WAVE", at: 8)]),
        ("image/webp", [Mark("RIFF"), Mark("WEBP", at: 8)]),
        ("audio/aiff", [Mark("FORM"), Mark("AIFF", at: 8)]),
        ("audio/aiff", [Mark("FORM"), Mark("AIFC", at: 8)]),
        ("audio/flac", [Mark("fLaC")]),
        ("audio/mpeg", [Mark("ID3")]),
        ("audio/amr", [Mark("#!AMR")]),
        ("audio/x-caf", [Mark("caff\u{0}\u{1}")]),
        ("audio/ac3", [Mark("\u{0B}\u{77}")]),
        ("application/ogg", [Mark("OggS\u{0}")]),
        ("video/x-flv", [Mark("FLV\u{1}")]),
        ("video/mpeg", [Mark("\u{0}\u{0}\u{1}\u{BA}")]),
        ("video/mpeg", [Mark("\u{0}\u{0}\u{1}\u{B3}")]),
        ("video/x-ms-asf", [Mark("\u{30}\u{26}\u{B2}\u{75}\u{8E}\u{66}\u{CF}\u{11}")]),
        ("application/mxf", [Mark("\u{06}\u{0E}\u{2B}\u{34}\u{02}\u{05}\u{01}\u{01}")]),
        ("image/png", [Mark("\u{89}PNG\r\n\u{1A}\n")]),
        ("image/jpeg", [Mark("\u{FF}\u{D8}\u{FF}")]),
        ("image/gif", [Mark("GIF87a")]),
        ("image/gif", [Mark("GIF89a")]),
    ]

    /// - Returns: its media type; `nil` for what is no media.
    package static func type(of head: [UInt8]) -> String? {
        marks.first { $0.marks.allSatisfy { $0.isIn(head) } }?.type ?? matroska(head) ?? boxes(head)
            ?? transportStream(head) ?? frames(head)
    }

    // MARK: What one mark does not tell

    private static func matroska(_ head: [UInt8]) -> String? {
        guard Mark("\u{1A}\u{45}\u{DF}\u{A3}").isIn(head) else { return nil }
        // The document's type stands within the first element.
        let isWeb = head.prefix(64).indices.contains { Mark("webm", at: $0).isIn(head) }
        return isWeb ? "video/webm" : "video/x-matroska"
    }

    /// ISO base media by its brand; QuickTime of old begins with other boxes. Source: ISO 14496-12 §4.2, §4.3.
    private static func boxes(_ head: [UInt8]) -> String? {
        // The first box is small: so it is no text in which such a word stands by chance.
        guard head.count >= 12, head[0] == 0 else { return nil }
        switch String(decoding: head[4..<8], as: UTF8.self) {
        case "ftyp": break
        case "moov", "mdat", "wide", "free", "skip", "pnot": return "video/quicktime"
        default: return nil
        }
        switch String(decoding: head[8..<12], as: UTF8.self) {
        case "qt  ": return "video/quicktime"
        case "M4A ", "M4B ": return "audio/mp4"
        case "heic", "heix", "mif1": return "image/heic"
        case "avif": return "image/avif"
        default: return "video/mp4"
        }
    }

    /// A byte 0x47 at every packet's beginning; a capture may begin within one, and packets may carry a time before them.
    private static func transportStream(_ head: [UInt8]) -> String? {
        for length in [188, 192] where head.count > 3 * length {
            for start in 0..<length {
                let beginnings = stride(from: start, to: head.count, by: length)
                if beginnings.allSatisfy({ head[$0] == 0x47 }) { return "video/mp2t" }
            }
        }
        return nil
    }

    /// Sound without a container begins with a frame of MPEG audio, or of AAC in ADTS.
    private static func frames(_ head: [UInt8]) -> String? {
        guard head.count >= 4, head[0] == 0xFF else { return nil }
        // Source: ISO 13818-7 §6.2; layer 0, and a rate that there is.
        if head[1] & 0xF6 == 0xF0, head[2] >> 2 & 0x0F < 13 { return "audio/aac" }
        let (version, layer) = (head[1] >> 3 & 3, head[1] >> 1 & 3)
        // Layer I is what a mark of UTF-16 would be, and nobody's recording.
        guard head[1] & 0xE0 == 0xE0, version != 1, layer == 1 || layer == 2 else { return nil }
        let (bitrate, rate) = (head[2] >> 4, head[2] >> 2 & 3)
        return bitrate != 15 && rate != 3 ? "audio/mpeg" : nil
    }
}

/// What servers call things. It keeps out what is no media by its own account; what is, the bytes tell.
package enum ContentType {
    private static let families = ["video/", "audio/", "image/"]
    /// Lists and drawings: text that names other places, or has scripts.
    private static let refused: Set<String> = [
        "audio/mpegurl", "audio/x-mpegurl", "video/mpegurl", "video/x-mpegurl", "video/vnd.mpegurl", "audio/x-scpls",
        "audio/scpls", "video/x-ms-asx", "audio/x-pn-realaudio", "image/svg+xml",
    ]
    private static let vague: Set<String> = [
        "application/octet-stream", "binary/octet-stream", "application/binary", "application/x-binary",
        "application/download", "application/x-download", "application/force-download", "application/mp4",
        "application/ogg", "application/mxf", "application/x-matroska", "application/vnd.ms-asf",
    ]

    /// - Parameter text: the header; a server need not send one. Source: RFC 9110 §8.3.
    package static func mayBeMedia(_ text: String?) -> Bool {
        let name = (text ?? "").prefix { $0 != ";" }.lowercased().filter { !$0.isWhitespace }
        if name.isEmpty || vague.contains(name) { return true }
        return families.contains(where: name.hasPrefix) && !refused.contains(name)
    }
}
