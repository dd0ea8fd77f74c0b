internal import Media
internal import Model

/// The outline of an MP4 or MOV file that libavformat does not report: box order, fragments and edit lists.
///
/// Source: ISO/IEC 14496-12 §4.2 (boxes), §8.6.6 (edit lists), §8.8 (fragments).
struct MP4Structure {
    struct Edit: Equatable {
        /// In movie ticks.
        var duration: Int64
        /// In media ticks; `nil` for an empty edit, a pause before the media begins.
        var mediaTime: Int64?
    }

    struct Track: Equatable {
        var mediaTimescale: Int64 = 0
        var edits: [Edit] = []
    }

    var hasIndex = false
    var hasMedia = false
    var isFragmented = false
    /// Keys or key descriptions of a protection system are in the index.
    var isProtected = false
    /// A picture in the family's still format: HEIC or AVIF.
    var isStillPicture = false
    /// The index stands before the media data.
    var indexFirst = false
    /// The last box at top level claims more bytes than the file has.
    var endsEarly = false
    var movieTimescale: Int64 = 0
    /// In file order, which is libavformat's stream order.
    var tracks: [Track] = []

    /// Boxes at top level and tracks beyond these are not looked at.
    private static let maximumBoxes = 4096
    private static let maximumTracks = 64

    /// `nil` when the bytes do not begin with a box.
    init?(_ source: any ByteSource) throws {
        guard let size = source.sizeBytes, let first = try BoxHeader(source, at: 0, limit: size),
            ["ftyp", "moov", "mdat", "free", "skip", "wide", "styp", "moof", "pnot", "meta"].contains(first.type)
        else { return nil }
        var position: Int64 = 0
        for _ in 0..<Self.maximumBoxes {
            guard let box = try BoxHeader(source, at: position, limit: size) else { break }
            switch box.type {
            case "moov":
                hasIndex = true
                indexFirst = !hasMedia
                try readMovie(source, box)
            case "moof": isFragmented = true
            case "meta": isStillPicture = !hasIndex
            case "mdat": hasMedia = true
            default: break
            }
            if box.end > size { endsEarly = true }
            position = box.end
            if position >= size { break }
        }
    }

    private mutating func readMovie(_ source: any ByteSource, _ movie: BoxHeader) throws {
        try forEachChild(source, movie) { child in
            switch child.type {
            case "mvhd": movieTimescale = try timescale(source, child)
            case "mvex": isFragmented = true
            case "pssh": isProtected = true
            case "trak" where tracks.count < Self.maximumTracks:
                var track = Track()
                try readTrack(source, child, &track)
                tracks.append(track)
            default: break
            }
        }
    }

    private func readTrack(_ source: any ByteSource, _ box: BoxHeader, _ track: inout Track) throws {
        try forEachChild(source, box) { child in
            switch child.type {
            case "edts", "mdia": try readTrack(source, child, &track)
            case "mdhd": track.mediaTimescale = try timescale(source, child)
            case "elst": track.edits = try edits(source, child)
            default: break
            }
        }
    }

    private func timescale(_ source: any ByteSource, _ box: BoxHeader) throws -> Int64 {
        let version = try source.bigEndian(1, at: box.body) ?? 0
        return try source.bigEndian(4, at: box.body + (version == 1 ? 20 : 12)) ?? 0
    }

    private func edits(_ source: any ByteSource, _ box: BoxHeader) throws -> [Edit] {
        let wide = try source.bigEndian(1, at: box.body) == 1
        let count = min(try source.bigEndian(4, at: box.body + 4) ?? 0, 64)
        var position = box.body + 8
        var edits: [Edit] = []
        for _ in 0..<count {
            guard let duration = try source.bigEndian(wide ? 8 : 4, at: position),
                let time = try source.bigEndian(wide ? 8 : 4, at: position + (wide ? 8 : 4))
            else { break }
            let isEmpty = wide ? time == -1 : UInt32(truncatingIfNeeded: time) == .max
            edits.append(Edit(duration: duration, mediaTime: isEmpty ? nil : time))
            position += wide ? 20 : 12
        }
        return edits
    }

    private func forEachChild(_ source: any ByteSource, _ parent: BoxHeader, _ body: (BoxHeader) throws -> Void) throws
    {
        var position = parent.body
        for _ in 0..<Self.maximumBoxes where position < parent.end {
            guard let child = try BoxHeader(source, at: position, limit: parent.end), child.end <= parent.end else {
                break
            }
            try body(child)
            position = child.end
        }
    }
}

private struct BoxHeader {
    var type: String
    var body: Int64
    /// One past the box's last byte, as it claims.
    var end: Int64

    init?(_ source: any ByteSource, at position: Int64, limit: Int64) throws {
        guard position + 8 <= limit, let size = try source.bigEndian(4, at: position),
            let name = try source.bytes(4, at: position + 4), name.allSatisfy({ $0 >= 0x20 && $0 < 0x7f || $0 == 0xa9 })
        else { return nil }
        type = String(decoding: name, as: UTF8.self)
        switch size {
        case 0: (body, end) = (position + 8, limit)
        case 1:
            guard let large = try source.bigEndian(8, at: position + 8), large >= 16, large < 1 << 56 else {
                return nil
            }
            (body, end) = (position + 16, position + large)
        case 8...: (body, end) = (position + 8, position + size)
        default: return nil
        }
    }
}

extension ByteSource {
    /// Exactly so many bytes, or `nil` when the file ends before.
    func bytes(_ count: Int, at offset: Int64) throws -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let read = try buffer.withUnsafeMutableBytes {
                try self.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[filled...]), at: offset + Int64(filled))
            }
            guard read > 0 else { return nil }
            filled += read
        }
        return buffer
    }

    /// An unsigned number of up to 8 bytes; 8 bytes are taken as two's complement.
    func bigEndian(_ count: Int, at offset: Int64) throws -> Int64? {
        try bytes(count, at: offset)?.reduce(0) { $0 << 8 | Int64($1) }
    }
}
