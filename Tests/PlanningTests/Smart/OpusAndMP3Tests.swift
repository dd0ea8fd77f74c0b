import Model
import TestSupport
import Testing

@testable import Planning

@Suite("An Opus packet's head")
struct OpusPacketHeadTests {
    /// Source: RFC 6716, Table 2 and §3.2.
    @Test(
        "tells how it is coded, and how long it lasts",
        arguments: [
            ([0xFC], .celt, true, 960), ([0xF8], .celt, false, 960), ([0xE0], .celt, false, 120),
            ([0x08], .silk, false, 960), ([0x18], .silk, false, 2880), ([0x7C], .hybrid, true, 960),
            ([0xF9], .celt, false, 1920), ([0xE3, 0x04], .celt, false, 480),
        ] as [([UInt8], OpusPacketHead.Mode, Bool, Int)])
    func head(bytes: [UInt8], mode: OpusPacketHead.Mode, isStereo: Bool, samples: Int) throws {
        let head = try #require(OpusPacketHead(bytes))
        #expect(head.mode == mode && head.isStereo == isStereo && head.samples == samples)
    }

    @Test("is none of a packet that is empty, has no frames, or lasts more than 120 ms")
    func none() {
        #expect(OpusPacketHead([]) == nil)
        #expect(OpusPacketHead([0xFB]) == nil)
        #expect(OpusPacketHead([0xFB, 0]) == nil)
        #expect(OpusPacketHead([0xFB, 7]) == nil)
        #expect(OpusPacketHead([0xFB, 6]) != nil)
    }

    @Test("is beside an identification header that is read as it was written")
    func configuration() {
        let written = OpusConfiguration(channels: 2, preSkip: 3840, inputRate: 44_100)
        #expect(written.bytes.count == 19)
        #expect(OpusConfiguration(written.bytes) == written)
        for count in 0..<19 { #expect(OpusConfiguration(Array(written.bytes.prefix(count))) == nil) }
        var loud = written.bytes
        (loud[16], loud[17]) = (0x00, 0xFF)
        #expect(OpusConfiguration(loud)?.gain == -256)
    }
}

@Suite("An MP3 frame's head")
struct MP3FrameHeadTests {
    /// Of MPEG-1 at 128 kb/s and 44.1 kHz, joint stereo: side information bit by bit, all zero but for what is asked.
    private static func frame(begin: Int = 0, lengths: [Int] = [0, 0, 0, 0], types: [Int] = [0, 0, 0, 0]) -> [UInt8] {
        var bits: [Bool] = []
        func put(_ value: Int, _ count: Int) {
            for bit in stride(from: count - 1, through: 0, by: -1) { bits.append(value >> bit & 1 == 1) }
        }
        put(0xFFFB_9040, 32)
        put(begin, 9)
        put(0, 3 + 8)
        for (length, type) in zip(lengths, types) {
            put(length, 12)
            put(0, 9 + 8 + 4)
            put(type == 0 ? 0 : 1, 1)
            if type == 0 { put(0, 22) } else { put(type, 2); put(0, 1 + 10 + 9) }
            put(0, 3)
        }
        var bytes = stride(from: 0, to: bits.count, by: 8).map { start in
            (0..<8).reduce(UInt8(0)) { $0 << 1 | (bits[start + $1] ? 1 : 0) }
        }
        bytes += (0..<417 - bytes.count).map { UInt8(truncatingIfNeeded: $0 * 7 + 1) }
        return bytes
    }

    @Test("tells where its sound begins, how long that is, and its windows")
    func head() throws {
        let head = try #require(
            MP3FrameHead(Self.frame(begin: 501, lengths: [100, 4, 1000, 17], types: [0, 2, 3, 1])))
        #expect(head.sampleRate == 44_100 && head.bitRate == 128_000 && head.channels == 2 && head.frameSamples == 1152)
        #expect(head.frameBytes == 417 && head.mainDataOffset == 36)
        #expect(head.mainDataBegin == 501 && head.mainDataBits == 1121 && head.mainDataBytes == 141)
        #expect(head.first.map(\.type) == [0, 2] && head.last.map(\.type) == [3, 1])
        #expect(head.first.map(\.beginsLong) == [true, false] && head.last.map(\.endsLong) == [true, false])
    }

    @Test("is none of what is cut short, or of another layer or a free format")
    func none() {
        let frame = Self.frame()
        for count in 0..<36 { #expect(MP3FrameHead(Array(frame.prefix(count))) == nil) }
        for (index, byte) in [(0, 0xFE), (1, 0xFD), (1, 0xEB), (2, 0x00), (2, 0xF0), (2, 0x9C)] as [(Int, UInt8)] {
            var other = frame
            other[index] = byte
            #expect(MP3FrameHead(other) == nil, "\(index), \(byte)")
        }
    }

    @Test(
        "can be given a frame that carries what follows, and has its own sound as before",
        arguments: [0, 1, 236, 511])
    func carrying(count: Int) throws {
        let frame = Self.frame(lengths: [800, 700, 90, 10])
        let head = try #require(MP3FrameHead(frame))
        let tail = (0..<count).map { UInt8(truncatingIfNeeded: 255 - $0) }
        let made = try #require(head.carrying(tail[...], behind: frame))
        let read = try #require(MP3FrameHead(made))
        #expect(read.frameBytes == made.count)
        #expect(Array(made.suffix(count)) == tail)
        #expect(made[4..<36 + head.mainDataBytes] == frame[4..<36 + head.mainDataBytes])
        #expect(Array(read.mainData(made).suffix(count)) == tail)
    }

    @Test("cannot where no frame is so large, or its sound is elsewhere")
    func tooLarge() throws {
        let full = Self.frame(lengths: [1500, 1500, 24, 24])
        #expect(try #require(MP3FrameHead(full)).carrying([UInt8](repeating: 0, count: 628)[...], behind: full) == nil)
        let begun = Self.frame(begin: 1)
        #expect(try #require(MP3FrameHead(begun)).carrying([], behind: begun) == nil)
    }

    @Test("is read of whatever bytes without harm", arguments: [UInt64](1...50))
    func fuzz(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var bytes = (0..<Int.random(in: 1...400, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        if bytes.count > 3 { bytes.replaceSubrange(0..<2, with: [0xFF, 0xFB]) }
        guard let head = MP3FrameHead(bytes) else { return }
        #expect(head.mainData(bytes).count <= bytes.count)
        let made = head.carrying(bytes.prefix(300), behind: bytes)
        #expect(made.map { $0.count >= 300 } ?? true, "seed \(seed)")
    }
}
