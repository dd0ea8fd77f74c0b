import Model
import TestSupport
import Testing

@testable import Planning

@Suite("Which packets of sound are copied")
struct SoundCutterTests {
    private static let grid = PacketGrid(sampleRate: 48000)

    /// So many frames of one source, whose packets reach beyond on both sides.
    private static func sound(_ frames: Range<Int64>, altered: [Range<Int64>] = []) -> PlacedSound {
        PlacedSound(
            audible: frames.lowerBound * 1024..<frames.upperBound * 1024,
            packets: frames.lowerBound - 3..<frames.upperBound + 3, altered: altered, on: grid)
    }

    @Test("is all but those at the ends")
    func whole() {
        let parts = SoundCutter.parts([Self.sound(0..<100)], end: 102_400, on: Self.grid)
        // Frame 99 is where the last copied packet and the first encoded one overlap.
        #expect(parts == [.encode(packets: -1..<0), .copy(packets: 0..<99, of: 0), .encode(packets: 99..<100)])
    }

    @Test("is none of a segment shorter than a few packets")
    func tiny() {
        let sounds = (0..<50).map { Self.sound(Int64($0) * 6..<Int64($0) * 6 + 6) }
        #expect(SoundCutter.parts(sounds, end: 300 * 1024, on: Self.grid) == [.encode(packets: -1..<300)])
    }

    @Test("leaves out muted ranges and a neighbour on each side")
    func mutes() {
        let sound = Self.sound(0..<100, altered: [50 * 1024 + 3..<51 * 1024 + 1])
        let parts = SoundCutter.parts([sound], end: 102_400, on: Self.grid)
        // Frames 50 and 51 are touched; 49 and 52 are where packets meet.
        #expect(
            parts == [
                .encode(packets: -1..<0), .copy(packets: 0..<49, of: 0), .encode(packets: 49..<52),
                .copy(packets: 52..<99, of: 0), .encode(packets: 99..<100),
            ])
    }

    @Test("is none that lacks the packet before it")
    func firstPacket() {
        let sound = PlacedSound(audible: 0..<102_400, packets: 10..<80, on: Self.grid)
        #expect(sound.cleanFrames == [11..<80])
        #expect(!sound.isClean(10) && sound.isClean(11) && sound.isClean(79) && !sound.isClean(80))
    }

    private static func randomProgramme(_ random: inout SeededGenerator) -> (sounds: [PlacedSound], end: Int64) {
        var sounds: [PlacedSound] = []
        var end: Int64 = 0
        for _ in 0..<Int.random(in: 1...12, using: &random) {
            let length = Int64.random(in: 1...(Bool.random(using: &random) ? 5000 : 60_000), using: &random)
            let audible = end..<end + length
            let first = grid.frame(ofSample: end) + .random(in: -3...2, using: &random)
            let last = grid.frame(ofSample: end + length) + .random(in: -2...3, using: &random)
            let altered = (0..<Int.random(in: 0...3, using: &random)).map { _ in
                let start = Int64.random(in: audible.lowerBound - 3000...audible.upperBound, using: &random)
                return start..<start + .random(in: 0...6000, using: &random)
            }
            sounds.append(PlacedSound(audible: audible, packets: first..<max(first, last), altered: altered, on: grid))
            end += length
        }
        return (sounds, end)
    }

    @Test("says of every frame what it says of stretches", arguments: [UInt64](1...200))
    func cleanFrames(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for sound in Self.randomProgramme(&random).sounds {
            let range = sound.packets.lowerBound - 5..<sound.packets.upperBound + 5
            let one = range.filter(sound.isClean)
            #expect(one == sound.cleanFrames.flatMap { Array($0) }, "seed \(seed)")
        }
    }

    @Test("makes every packet once, and copies only what is as it was", arguments: [UInt64](1...200))
    func everyPacketOnce(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let (sounds, end) = Self.randomProgramme(&random)
        let parts = SoundCutter.parts(sounds, end: end, on: Self.grid)
        let all = parts.flatMap { Array($0.packets) }
        #expect(all == Array(Self.grid.packets(end: end)), "seed \(seed)")
        for part in parts {
            guard case .copy(let packets, let index) = part else { continue }
            #expect(packets.count >= SoundCutter.leastCopied)
            // The packet behind the last one overlaps with it.
            let frames = packets.lowerBound...packets.upperBound
            #expect(frames.allSatisfy(sounds[index].isClean), "seed \(seed), \(packets)")
        }
        let kinds = parts.map { if case .copy = $0 { true } else { false } }
        #expect(zip(kinds, kinds.dropFirst()).allSatisfy { $0 != $1 }, "one kind after the other")
    }
}
