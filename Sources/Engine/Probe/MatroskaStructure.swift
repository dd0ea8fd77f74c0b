internal import Model

/// Whether a Matroska or WebM file is as long as its Segment element claims.
///
/// Source: RFC 8794 §4-6 (EBML), RFC 9559 §5.1.
struct MatroskaStructure {
    var endsEarly = false
    /// `matroska` or `webm`.
    var documentType = "matroska"

    /// `nil` when the bytes do not begin with an EBML header.
    init?(_ source: any ByteSource) throws {
        guard let size = source.sizeBytes, try source.bigEndian(4, at: 0) == 0x1A45_DFA3,
            let header = try Self.length(source, at: 4), let headerBytes = header.value
        else { return nil }
        let segment = 4 + header.width + headerBytes
        // The header is a handful of small elements; DocType is one of them.
        let elements = try source.bytes(Int(min(headerBytes, 256)), at: 4 + header.width) ?? []
        if String(decoding: elements, as: UTF8.self).contains("webm") { documentType = "webm" }
        guard try source.bigEndian(4, at: segment) == 0x1853_8067,
            let body = try Self.length(source, at: segment + 4), let bodyBytes = body.value
        else { return }
        endsEarly = segment + 4 + body.width + bodyBytes > size
    }

    /// An element's data size; a `nil` value means "unknown", as in live recordings.
    private static func length(_ source: any ByteSource, at offset: Int64) throws -> (width: Int64, value: Int64?)? {
        guard let first = try source.bigEndian(1, at: offset), first > 0 else { return nil }
        let width = Int64(UInt8(first).leadingZeroBitCount + 1)
        guard let raw = try source.bigEndian(Int(width), at: offset) else { return nil }
        let mask = (Int64(1) << (7 * width)) - 1
        return (width, raw & mask == mask ? nil : raw & mask)
    }
}
