internal import Media
internal import Model
internal import Planning

/// A stored chunk that cannot be used: it is damaged, or it is not the one that was asked for. It is made anew.
struct ChunkDamage: Error {
    var index: Int
    /// One clause.
    var reason: String
}

/// Reads a chunk's object picture by picture, and knows at its end whether it was what had been written.
final class ChunkReader {
    private static let blockBytes = 1 << 20
    /// More than any encoder makes of a picture or of its settings.
    private static let pictureLimitBytes = 256 << 20

    private let source: any ByteSource
    let chunk: ChunkPlan.Chunk
    private let sizeBytes: Int64
    private var hash: PayloadHash
    /// Read from the source, and how far it was taken.
    private var block: [UInt8] = []
    private var taken = 0
    private var position: Int64 = 0
    private var count = 0
    private var isOver = false
    let report: ChunkReport
    /// Of pictures or packets, as the foot says.
    private let total: Int
    private let part: ChunkObject.Part

    /// - Parameters:
    ///   - digest: of the render that the chunk must be of.
    ///   - configuration: what its decoder must be set up with.
    ///   - part: what it is made up of.
    /// - Throws: `ChunkDamage`, or the source's own error.
    init(
        _ source: any ByteSource, digest: String, chunk: ChunkPlan.Chunk, configuration: [UInt8],
        of part: ChunkObject.Part = .picture
    ) throws {
        (self.source, self.chunk) = (source, chunk)
        sizeBytes = source.sizeBytes ?? 0
        hash = try PayloadHash()
        (report, total) = try Self.foot(of: source, sizeBytes, chunk, part)
        self.part = part
        let expected = ChunkObject.head(digest: digest, chunk: chunk, configuration: configuration)
        let found = try take(expected.count)
        guard found.prefix(ChunkObject.magic.count).elementsEqual(ChunkObject.magic) else {
            throw ChunkDamage(index: chunk.index, reason: "it is no chunk")
        }
        let fixed = expected.count - configuration.count - 4
        guard found.prefix(fixed).elementsEqual(expected.prefix(fixed)) else {
            throw ChunkDamage(index: chunk.index, reason: "it belongs to another render")
        }
        guard found == expected else {
            throw ChunkDamage(index: chunk.index, reason: "its decoder is to be set up otherwise")
        }
    }

    private static func foot(
        of source: any ByteSource, _ sizeBytes: Int64, _ chunk: ChunkPlan.Chunk, _ part: ChunkObject.Part
    ) throws -> (ChunkReport, total: Int) {
        let start = sizeBytes - Int64(ChunkObject.footBytes)
        guard start > 0, let foot = try source.bytes(ChunkObject.footBytes, at: start),
            foot[0] == ChunkObject.Part.foot.rawValue
        else { throw ChunkDamage(index: chunk.index, reason: "it is cut short") }
        let total = Int(clamping: number(foot[1..<9]))
        let report = ChunkReport(
            index: chunk.index, frames: part == .picture ? total : 0,
            repeatedTimes: Int(clamping: number(foot[9..<17])), sizeBytes: sizeBytes)
        return (report, total)
    }

    /// The next picture in decode order, its time in the output's ticks, or the next packet of sound, its times in samples;
    /// `nil` at the end.
    func next() throws -> Packet? {
        guard !isOver else { return nil }
        guard try take(1)[0] == part.rawValue else {
            try checkEnd()
            return nil
        }
        return part == .sound ? try sound() : try picture()
    }

    private func picture() throws -> Packet {
        let head = try take(13)
        let tick = Int64(bitPattern: Self.number(head[1..<9]))
        let size = Int(Self.number(head[9..<13]))
        guard size <= Self.pictureLimitBytes, chunk.ticks.contains(tick), count > 0 || head[0] == 1 else {
            throw damage("a picture is not what it should be")
        }
        count += 1
        return try Packet(copying: try take(size), time: tick, duration: 0, isKey: head[0] == 1)
    }

    private func sound() throws -> Packet {
        let head = try take(28)
        let tick = Int64(bitPattern: Self.number(head[0..<8]))
        let duration = Int64(bitPattern: Self.number(head[8..<16]))
        let dropped = (first: UInt32(Self.number(head[16..<20])), last: UInt32(Self.number(head[20..<24])))
        let size = Int(Self.number(head[24..<28]))
        // Encoders begin before the first sample.
        guard size <= Self.pictureLimitBytes, tick < chunk.ticks.upperBound, tick > -(1 << 20) else {
            throw damage("a packet of sound is not what it should be")
        }
        count += 1
        var packet = try Packet(copying: try take(size), time: tick, duration: duration, isKey: true)
        try packet.setDroppedSamples(first: dropped.first, last: dropped.last)
        return packet
    }

    private func checkEnd() throws {
        _ = try take(16)
        let expected = hash.take()
        guard count == total, try take(ChunkObject.hashBytes) == expected,
            position == sizeBytes, taken == block.count
        else { throw damage("its bytes are not what was written") }
        isOver = true
    }

    private func take(_ count: Int) throws -> [UInt8] {
        while block.count - taken < count {
            block.removeFirst(taken)
            taken = 0
            let wanted = Int(min(Int64(max(Self.blockBytes, count - block.count)), sizeBytes - position))
            guard wanted > 0, let more = try source.bytes(wanted, at: position) else { throw damage("it is cut short") }
            block += more
            position += Int64(wanted)
        }
        let bytes = Array(block[taken..<taken + count])
        taken += count
        bytes.withUnsafeBytes { hash.add($0) }
        return bytes
    }

    private func damage(_ reason: String) -> ChunkDamage { ChunkDamage(index: chunk.index, reason: reason) }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
}
