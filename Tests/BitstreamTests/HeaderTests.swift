import TestSupport
import Testing

@testable import Bitstream

@Suite("H.264's headers")
struct HeaderTests {
    @Test("are read and written without a change", arguments: Stream.all)
    func roundTrip(stream: Stream) throws {
        try withTemporaryFolder { folder in
            let clip = try stream.encode(folder)
            #expect(clip.configuration.record == clip.record)
            var count = 0
            for packet in clip.packets {
                let unit = try accessUnit(packet.bytes, clip.configuration)
                for slice in unit.slices {
                    let again = try Self.rewrite(packet.bytes, slice, to: slice.header, clip.configuration)
                    #expect(again == [UInt8](packet.bytes[slice.range]))
                    count += 1
                }
            }
            #expect(count >= clip.packets.count && clip.packets.count == 72)
        }
    }

    private static func rewrite(
        _ packet: [UInt8], _ slice: H264.AccessUnit.Slice, to header: H264.SliceHeader,
        _ configuration: H264.DecoderConfiguration
    ) throws -> [UInt8] {
        let picture = try #require(configuration.pictureSet(header.pictureSetID))
        return try packet.withUnsafeBytes { bytes in
            try H264.rewritten(
                UnsafeRawBufferPointer(rebasing: bytes[slice.range]), from: slice.header, to: header,
                configuration.sequence, picture)
        }
    }

    private static func payload(
        _ unit: H264.AccessUnit, _ slice: H264.AccessUnit.Slice, _ packet: [UInt8]
    ) -> [UInt8] {
        [UInt8](packet[packet.withUnsafeBytes { unit.payload(of: slice, in: $0) }])
    }

    /// Five hundred headers of other lengths, there and back: CAVLC data moves by all numbers of bits.
    @Test("move slice data by any number of bits and back", arguments: [Stream.cavlc, .openCAVLC, .closed])
    func shifts(stream: Stream) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        try withTemporaryFolder { folder in
            let clip = try stream.encode(folder, frames: 24)
            let units = try clip.units()
            for _ in 0..<500 {
                let index = Int.random(in: 0..<units.count, using: &random)
                let slice = try #require(units[index].slices.randomElement(using: &random))
                var header = slice.header
                header.firstMacroblock = Int.random(in: 0..<35, using: &random)
                header.idrPicID = header.isIDR ? Int.random(in: 0...65535, using: &random) : 0
                header.frameNum = Int.random(in: 0..<clip.configuration.sequence.maxFrameNum, using: &random)
                header.qpDelta = Int.random(in: -20...20, using: &random)
                let there = try Self.rewrite(clip.packets[index].bytes, slice, to: header, clip.configuration)
                let moved = try there.withUnsafeBytes { try H264.SliceHeader($0, clip.configuration) }
                (header.dataPosition, header.dataOffset) = (moved.dataPosition, moved.dataOffset)
                #expect(moved == header, "seed \(seed)")
                let movedSlice = H264.AccessUnit.Slice(range: 0..<there.count, header: moved)
                let back = try Self.rewrite(there, movedSlice, to: slice.header, clip.configuration)
                #expect(back == [UInt8](clip.packets[index].bytes[slice.range]), "seed \(seed)")
                let usesCABAC = try #require(clip.configuration.pictureSet(header.pictureSetID)).usesCABAC
                if usesCABAC || moved.dataPosition % 8 == slice.header.dataPosition % 8 {
                    let payload = Self.payload(units[index], slice, clip.packets[index].bytes)
                    #expect(Self.payload(units[index], movedSlice, there) == payload, "seed \(seed)")
                }
            }
        }
    }

    @Test("say how large pictures are, and how many are held back")
    func sizes() throws {
        try withTemporaryFolder { folder in
            let set = try Stream.closed.encode(folder, frames: 3).configuration.sequence
            #expect(set.codedWidth == 112 && set.codedHeight == 80)
            #expect(set.croppedWidth == 100 && set.croppedHeight == 76)
            #expect(set.maxReorderedFrames == 2 && set.maxDecodedFrames == 4 && set.maxReferenceFrames == 4)
            #expect(set.usability?.timing?.timeScale == 50 && set.usability?.timing?.unitsInTick == 1)
            #expect(try Stream.withoutB.encode(folder, frames: 3).configuration.sequence.maxReorderedFrames == 0)
            let deep = try Stream.deep.encode(folder, frames: 3).configuration.sequence
            #expect(deep.bitDepthLuma == 10 && deep.profile == 110)
        }
    }

    @Test("bound what is held back by the level where nothing else does")
    func levels() {
        var set = H264.SequenceParameterSet(unit: [])
        (set.profile, set.level, set.widthInMacroblocks, set.heightInMapUnits) = (100, 40, 120, 68)
        #expect(set.maxReorderedFrames == 4)
        (set.level, set.widthInMacroblocks, set.heightInMapUnits) = (51, 240, 135)
        #expect(set.maxReorderedFrames == 5)
        (set.level, set.widthInMacroblocks, set.heightInMapUnits) = (30, 20, 15)
        #expect(set.maxReorderedFrames == 16)
        set.pictureOrderType = 2
        #expect(set.maxReorderedFrames == 0)
    }

    @Test("of a picture parameter set move to another id")
    func renumbering() throws {
        try withTemporaryFolder { folder in
            let configuration = try Stream.cavlc.encode(folder, frames: 2).configuration
            let set = try #require(configuration.pictureSets.first)
            for id in [0, 1, 6, 7, 30, 254, 255] {
                let moved = try set.renumbered(id: id, sequence: configuration.sequence)
                #expect(moved.id == id && moved.usesCABAC == set.usesCABAC && moved.initialQP == set.initialQP)
                let back = try moved.renumbered(id: set.id, sequence: configuration.sequence)
                #expect(back == set)
            }
        }
    }

    @Test("are read from start codes as from a container's record")
    func startCodes() throws {
        try withTemporaryFolder { folder in
            let clip = try Stream.closed.encode(folder, frames: 2)
            let marked = try H264.DecoderConfiguration(extradata: annexB(clip.configuration))
            #expect(marked.framing == .annexB && clip.configuration.framing == .lengthPrefixed(4))
            #expect(marked.sequence == clip.configuration.sequence)
            #expect(marked.pictureSets == clip.configuration.pictureSets)
            #expect(marked.record == clip.record)
        }
    }
}
