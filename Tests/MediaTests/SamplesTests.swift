import Media
import TestSupport
import Testing

@Suite("A queue of samples")
struct SamplesTests {
    /// A frame whose samples are `first`, `first + 1`, …; each channel a thousand above the one before.
    private static func frame(from first: Int, count: Int, channels: Int) throws -> Frame {
        let layout = ChannelLayout.usual(channels: channels)
        let frame = try Frame.samples(count: count, rate: 8000, layout: layout)
        for channel in 0..<channels {
            let samples = frame.samples(channel: channel)
            for index in 0..<count { samples[index] = Float(first + index + 1000 * channel) }
        }
        return frame
    }

    /// Any sequence of operations leaves what the same operations leave of plain arrays.
    @Test("behaves as arrays would", arguments: [UInt64](1...30), [1, 2, 6])
    func model(seed: UInt64, channels: Int) throws {
        var random = SeededGenerator(seed: seed)
        var queue = Samples(channels: channels)
        var other = Samples(channels: channels)
        var (expected, expectedOther) = ([Float](), [Float]())
        // Not zero, which is silence.
        var next = 1
        for _ in 0..<200 {
            let some = Int.random(in: 0...5000, using: &random)
            switch Int.random(in: 0..<7, using: &random) {
            case 0, 1:
                queue.append(copyOf: try Self.frame(from: next, count: max(1, some), channels: channels))
                expected += (0..<max(1, some)).map { Float(next + $0) }
                next += max(1, some)
            case 2:
                queue.appendSilence(some)
                expected += [Float](repeating: .zero, count: some)
            case 3:
                queue.removeFirst(min(some, queue.count))
                expected.removeFirst(min(some, expected.count))
            case 4:
                queue.removeLast(min(some, queue.count))
                expected.removeLast(min(some, expected.count))
            case 5:
                let moved = min(some, queue.count)
                other.append(moved, from: &queue)
                expectedOther += expected.prefix(moved)
                expected.removeFirst(moved)
            default:
                let moved = min(max(1, some), queue.count)
                guard moved > 0 else { continue }
                let frame = try Frame.samples(count: moved, rate: 8000, layout: .usual(channels: channels))
                queue.move(moved, into: frame)
                let samples = Array(frame.samples(channel: 0))
                #expect(samples == Array(expected.prefix(moved)))
                expected.removeFirst(moved)
            }
            let counts = (queue.count, other.count)
            try #require(counts == (expected.count, expectedOther.count))
        }
        for channel in 0..<channels {
            // Silence is silence in every channel.
            func shifted(_ values: [Float]) -> [Float] { values.map { $0 == 0 ? 0 : $0 + Float(1000 * channel) } }
            let (left, right) = (Array(queue[channel: channel]), Array(other[channel: channel]))
            #expect(left == shifted(expected))
            #expect(right == shifted(expectedOther))
        }
    }
}
