internal import Media
internal import Model
internal import Planning

/// One chunk as it is stored: coded pictures in decode order, or coded sound, byte by byte as the encoder gave it.
///
/// ```
/// head     "RPCHUNK1"  digest (64 hexadecimal digits)  index u32  ticks i64 i64  configuration u32 + bytes
/// picture  1 u8  key u8  tick i64  size u32  bytes            as often as there are pictures
/// sound    2 u8  tick i64  duration i64  dropped u32 u32  size u32  bytes        or packets of sound
/// foot     0 u8  pictures or packets u64  repeated u64  hash of all before it (16 bytes)
/// ```
/// Numbers are big-endian. No container keeps what this does: decode times and durations are not in it, because they
/// follow from the presentation times of all chunks together; a container's would begin anew in each. Everything is
/// written once and in order, and damage shows.
enum ChunkObject {
    /// What follows the head, by its first byte.
    enum Part: UInt8 { case foot, picture, sound }

    static let magic = Array("RPCHUNK1".utf8)
    static let hashBytes = 16
    /// The tag, two numbers, the hash.
    static let footBytes = 1 + 16 + hashBytes

    static func head(digest: String, chunk: ChunkPlan.Chunk, configuration: [UInt8]) -> [UInt8] {
        magic + Array(digest.utf8) + bytes(UInt32(clamping: chunk.index)) + bytes(chunk.ticks.lowerBound)
            + bytes(chunk.ticks.upperBound) + bytes(UInt32(configuration.count)) + configuration
    }

    static func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }
}

/// What is known of a chunk that was encoded.
package struct ChunkReport: Sendable, Equatable {
    package var index: Int
    /// 0 of sound.
    package var frames: Int
    /// Frames of the source that had no time of their own, and were left out.
    package var repeatedTimes: Int
    package var sizeBytes: Int64
}

/// Writes a chunk's object.
final class ChunkWriter {
    private static let flushBytes = 1 << 20

    private let sink: any StagedOutput
    private var hash: PayloadHash
    private var buffer: [UInt8] = []
    private var position: Int64 = 0
    /// Pictures, or packets of sound, so far.
    private(set) var count = 0

    init(_ sink: any StagedOutput, head: [UInt8]) throws {
        self.sink = sink
        hash = try PayloadHash()
        try append(head)
    }

    /// - Parameter tick: when the picture is shown, in the output's ticks.
    func add(_ packet: borrowing Packet, tick: Int64) throws {
        try append(
            [ChunkObject.Part.picture.rawValue, packet.isKey ? 1 : 0] + ChunkObject.bytes(tick)
                + ChunkObject.bytes(UInt32(packet.sizeBytes)))
        try append(Array(packet.bytes))
        count += 1
    }

    /// - Parameter packet: its times are samples.
    func addSound(_ packet: borrowing Packet) throws {
        let dropped = packet.droppedSamples
        try append(
            [ChunkObject.Part.sound.rawValue] + ChunkObject.bytes(packet.presentationTime ?? 0)
                + ChunkObject.bytes(packet.duration)
                + ChunkObject.bytes(dropped.first) + ChunkObject.bytes(dropped.last)
                + ChunkObject.bytes(UInt32(packet.sizeBytes)))
        try append(Array(packet.bytes))
        count += 1
    }

    /// - Returns: how many bytes it came to.
    func finish(repeatedTimes: Int) throws -> Int64 {
        try append(
            [ChunkObject.Part.foot.rawValue] + ChunkObject.bytes(UInt64(count))
                + ChunkObject.bytes(UInt64(repeatedTimes)))
        buffer += hash.take()
        try flush()
        return position
    }

    private func append(_ bytes: [UInt8]) throws {
        bytes.withUnsafeBytes { hash.add($0) }
        buffer += bytes
        if buffer.count >= Self.flushBytes { try flush() }
    }

    private func flush() throws {
        try buffer.withUnsafeBytes { try sink.write($0, at: position) }
        position += Int64(buffer.count)
        buffer.removeAll(keepingCapacity: true)
    }
}
