import Model
import TestSupport
import Testing

@testable import Planning

/// Bits in the order they are written.
private struct Bits {
    var all: [Bool] = []

    mutating func put(_ value: Int, _ count: Int) {
        for bit in (0..<count).reversed() { all.append(value >> bit & 1 == 1) }
    }

    var bytes: [UInt8] {
        stride(from: 0, to: all.count, by: 8).map { start in
            (0..<8).reduce(0) { $0 << 1 | (start + $1 < all.count && all[start + $1] ? 1 : 0) }
        }
    }
}

@Suite("A description of AAC")
struct AACConfigurationTests {
    @Test("tells the profile, the rate and the channels")
    func plain() throws {
        let found = try #require(AACConfiguration([0x12, 0x10]))
        #expect(found.objectType == 2 && found.sampleRate == 44100 && found.channelConfiguration == 2)
        #expect(found.frameSamples == 1024 && !found.isExtended && !found.replicatesBands)
    }

    @Test("is the same with a word that nothing is replicated, and another with one that something is")
    func replication() throws {
        let plain = try #require(AACConfiguration([0x11, 0x90]))
        let without = try #require(AACConfiguration([0x11, 0x90, 0x56, 0xE5, 0x00]))
        let with = try #require(AACConfiguration([0x11, 0x90, 0x56, 0xE5, 0x80]))
        #expect(plain == without)
        #expect(with.replicatesBands && with != plain)
        #expect(AACConfiguration([0x2B, 0x11, 0x88, 0x00])?.objectType == 5)
    }

    @Test("tells of short frames, and takes any rate")
    func unusual() throws {
        var bits = Bits()
        for (value, count) in [(2, 5), (15, 4), (12_345, 24), (1, 4), (1, 1), (0, 1), (0, 1)] { bits.put(value, count) }
        let found = try #require(AACConfiguration(bits.bytes))
        #expect(found.sampleRate == 12_345 && found.channelConfiguration == 1 && found.frameSamples == 960)
    }

    @Test("is refused when it breaks off")
    func short() {
        #expect(AACConfiguration([]) == nil)
        #expect(AACConfiguration([0x12]) == nil)
        #expect(AACConfiguration([0x17, 0x80, 0x00]) == nil)
    }
}

@Suite("The head of an AAC packet")
struct AACBlockHeadTests {
    /// A packet whose first channel element has this window, and other things before it.
    private static func packet(
        element: Int, common: Int?, sequence: Int, shape: Int, before: (inout Bits) -> Void = { _ in }
    ) -> [UInt8] {
        var bits = Bits()
        before(&bits)
        bits.put(element, 3)
        bits.put(5, 4)
        if let common { bits.put(common, 1) }
        if common != 1 { bits.put(0xA5, 8) }
        bits.put(0, 1)
        bits.put(sequence, 2)
        bits.put(shape, 1)
        bits.put(0x2AAAA, 18)
        return bits.bytes
    }

    @Test("tells its window", arguments: 0..<4, [0, 1])
    func window(sequence: Int, shape: Int) throws {
        for (element, common) in [(0, Int?.none), (1, 1), (1, 0), (3, nil)] {
            let head = try #require(
                AACBlockHead(Self.packet(element: element, common: common, sequence: sequence, shape: shape)))
            #expect(head.sequence.rawValue == sequence && head.shape.rawValue == shape)
            #expect(head.beginsLong == [0, 1].contains(sequence) && head.endsLong == [0, 3].contains(sequence))
            #expect(head.speaksForElement == (common != 0))
        }
    }

    @Test("is found behind fill and data elements of any length", arguments: [0, 1, 14, 15, 200])
    func behindFill(count: Int) throws {
        let bytes = Self.packet(element: 1, common: 1, sequence: 3, shape: 1) { bits in
            bits.put(6, 3)
            bits.put(min(count, 15), 4)
            if count >= 15 { bits.put(count - 14, 8) }
            for _ in 0..<count { bits.put(0xFF, 8) }
            bits.put(4, 3)
            bits.put(1, 4)
            bits.put(1, 1)
            bits.put(count, 8)
            while bits.all.count % 8 != 0 { bits.put(1, 1) }
            for _ in 0..<count { bits.put(0x5A, 8) }
        }
        #expect(AACBlockHead(bytes)?.sequence == .longStop)
    }

    @Test("is changed in one bit by another shape")
    func reshaped() throws {
        let bytes = Self.packet(element: 0, common: nil, sequence: 0, shape: 1)
        let head = try #require(AACBlockHead(bytes))
        let changed = head.reshaped(bytes, to: .sine)
        let bits = zip(bytes, changed).map { ($0 ^ $1).nonzeroBitCount }.reduce(0, +)
        #expect(bits == 1)
        #expect(AACBlockHead(changed)?.shape == .sine)
        #expect(head.reshaped(changed, to: .kaiserBessel) == bytes)
    }

    @Test("is absent from what is no packet", arguments: [UInt64](1...50))
    func noise(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        #expect(AACBlockHead([]) == nil)
        #expect(AACBlockHead([0xFF, 0xFF, 0xFF]) == nil)
        // Whatever the bytes are, it ends.
        let bytes = (0..<Int.random(in: 1...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        if let head = AACBlockHead(bytes) { #expect(head.shapePosition < 8 * bytes.count) }
    }
}

@Suite("The header of an AAC packet in a transport stream")
struct ADTSHeadTests {
    /// 48 kHz stereo, LC; of a packet of `length` bytes.
    private static func header(length: Int, checked: Bool = false, blocks: UInt8 = 1) -> [UInt8] {
        [
            0xFF, checked ? 0xF0 : 0xF1, 0x4C, 0x80 | UInt8(length >> 11), UInt8(length >> 3 & 0xFF),
            UInt8(length & 7) << 5 | 0x1F, 0xFC | (blocks - 1),
        ] + (checked ? [0xAB, 0xCD] : [])
    }

    @Test("tells what a container's description would")
    func description() throws {
        let head = try #require(ADTSHead(Self.header(length: 207)))
        let configuration = try #require(AACConfiguration(head.configuration))
        #expect(configuration.objectType == 2 && configuration.sampleRate == 48000)
        #expect(configuration.channelConfiguration == 2 && configuration.frameSamples == 1024)
        #expect(head.headBytes == 7)
    }

    @Test("is taken off, with its checksum, where the packet is whole", arguments: [false, true])
    func payload(checked: Bool) throws {
        let sound = [UInt8](1...200)
        let head = Self.header(length: sound.count + (checked ? 9 : 7), checked: checked)
        let description = try #require(ADTSHead(head)?.configuration)
        #expect(ADTSHead.payload(of: head + sound, describedBy: description) == sound)
        #expect(ADTSHead.payload(of: head + sound + [9], describedBy: description) == sound)
        #expect(ADTSHead.payload(of: head + sound[..<50], describedBy: description) == nil)
        #expect(ADTSHead.payload(of: Array(head.prefix(7)), describedBy: description) == nil)
        // 44.1 kHz
        #expect(ADTSHead.payload(of: head + sound, describedBy: [0x12, 0x10]) == nil)
    }

    @Test("is not seen where there is none, or where there are several blocks behind it")
    func none() {
        #expect(ADTSHead([]) == nil)
        #expect(ADTSHead(Array(Self.header(length: 207).prefix(6))) == nil)
        #expect(ADTSHead([0x21] + Self.header(length: 207)) == nil)
        #expect(ADTSHead(Self.header(length: 7)) == nil)
        #expect(ADTSHead(Self.header(length: 207, blocks: 2)) == nil)
    }
}

@Suite("What keeps sound from being copied")
struct SoundCopyObstacleTests {
    private static func source(_ change: (inout AudioStream) -> Void = { _ in }) -> AudioStream {
        var stream = AudioStream(
            index: 1, codec: "aac", channels: 2, channelLayout: "stereo", sampleRate: 44100, sampleFormat: "fltp",
            timeBase: Rational(1, 44100))
        stream.profile = "LC"
        change(&stream)
        return stream
    }

    private static let output = AudioPlan(
        codec: .aac, bitRate: 128_000, sampleRate: 44100, channels: 2, layout: "stereo")

    private static func obstacle(
        _ stream: AudioStream?, _ configuration: [UInt8] = [0x12, 0x10]
    ) -> SoundCopyObstacle? {
        CopyableSound.obstacle(in: [CopySource(stream: stream, configuration: configuration)], output: output)
    }

    @Test("is nothing where all is plain")
    func none() {
        #expect(Self.obstacle(Self.source()) == nil)
    }

    @Test("is told")
    func told() {
        #expect(Self.obstacle(nil) == .noSound)
        #expect(Self.obstacle(Self.source { $0.codec = "vorbis" }) == .otherCodec("vorbis"))
        #expect(Self.obstacle(Self.source(), []) == .noConfiguration)
        #expect(Self.obstacle(Self.source(), [0x12]) == .unreadableConfiguration)
        #expect(Self.obstacle(Self.source { $0.profile = "HE-AAC" }) == .otherProfile("HE-AAC"))
        #expect(Self.obstacle(Self.source { $0.sampleRate = 88200 }) == .otherProfile("HE-AAC"))
        #expect(Self.obstacle(Self.source(), [0x12, 0x14]) == .otherFrameLength(960))
        #expect(Self.obstacle(Self.source { $0.channels = 8 }, [0x12, 0x38]) == .channels(7))
        #expect(Self.obstacle(Self.source { $0.encrypted = true }) == .encrypted)
        // 16 kHz
        #expect(Self.obstacle(Self.source { $0.sampleRate = 16000 }, [0x14, 0x10]) == .longPackets)
        let two = [Self.source(), Self.source { $0.sampleRate = 48000 }]
        let sources = zip(two, [[UInt8]([0x12, 0x10]), [0x11, 0x90]]).map { CopySource(stream: $0, configuration: $1) }
        #expect(CopyableSound.obstacle(in: sources, output: Self.output) == .differentConfigurations)
        var other = Self.output
        other.channels = 1
        #expect(CopyableSound.obstacle(in: [sources[0]], output: other) == .converted(sampleRate: 44100, channels: 1))
    }
}

extension CopyableSound {
    /// Why sound cannot be copied; `nil` where it can.
    static func obstacle(in sources: [CopySource], output: AudioPlan) -> SoundCopyObstacle? {
        do throws(SoundCopyObstacle) {
            _ = try common(of: sources, output: output)
            return nil
        } catch {
            return error
        }
    }
}
