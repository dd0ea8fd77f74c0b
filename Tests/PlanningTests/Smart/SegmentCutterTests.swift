import Planning
import TestSupport
import Testing

@Suite("Cutting a segment out of coded pictures")
struct SegmentCutterTests {
    /// What one segment comes to: times copied in decode order, times encoded before and behind.
    private struct Cut {
        var head: [Int64] = []
        var copied: [Int64] = []
        var tail: [Int64] = []
        var endTime: Int64?
        var entry: CodedPicture?
        var decodedForHead = 0..<0
        var decodedForTail = 0..<0
    }

    private static func cut(_ stream: inout CodedStream, _ range: Range<Int64>) throws -> Cut? {
        let cutter = SegmentCutter(range, depth: stream.depth)
        guard let start = stream.entry(before: range.lowerBound) else { return nil }
        let head = try cutter.head(&stream, decodingFrom: start)
        var cut = Cut(head: head.seam?.times ?? [], endTime: head.endTime, decodedForHead: head.seam?.decoded ?? 0..<0)
        guard let entry = head.entry else { return cut }
        let first = stream.pictures[entry]
        cut.entry = first
        var position = entry
        var lastEntry = entry
        while true {
            switch try cutter.run(&stream, at: position, entryTime: first.time, decodingFrom: lastEntry) {
            case .copy(let next):
                for picture in stream.pictures[position..<next] where picture.time >= first.time {
                    cut.copied.append(picture.time)
                }
                lastEntry = stream.pictures[..<next].lastIndex { $0.entry != .none } ?? lastEntry
                position = next
            case .stop(let tail, let endTime):
                (cut.tail, cut.endTime) = (tail?.times ?? [], endTime)
                cut.decodedForTail = tail?.decoded ?? 0..<0
                return cut
            }
        }
    }

    @Test("keeps exactly the pictures in range, whatever the groups are", arguments: 0..<20)
    func exact(block: Int) throws {
        let seed = newSeed() &+ UInt64(block)
        var random = SeededGenerator(seed: seed)
        for round in 0..<100 {
            let comment = Comment(rawValue: "seed \(seed), round \(round)")
            var stream = CodedStream(&random, groups: Int.random(in: 1...8, using: &random))
            let times = stream.pictures.map(\.time).sorted()
            let start = Int64.random(in: 0...times[times.count - 1], using: &random)
            let end = Int64.random(in: start + 1...times[times.count - 1] + 20, using: &random)
            let cut = try #require(try Self.cut(&stream, start..<end), comment)
            let kept = times.filter { $0 >= start && $0 < end }
            // Head, copied and tail follow on one another in presentation.
            #expect(cut.head + cut.copied.sorted() + cut.tail == kept, comment)
            #expect(cut.endTime == times.first { $0 >= end } || kept.isEmpty, comment)
            // A copy begins with what can be begun with; one that is not IDR only behind a seam.
            if let entry = cut.entry {
                #expect(entry.time == cut.copied.first, comment)
                #expect(entry.entry == .closed || !cut.head.isEmpty, comment)
            }
            // Decoding for a seam begins with a keyframe and reaches all that it needs.
            for (wanted, decoded) in [(cut.head, cut.decodedForHead), (cut.tail, cut.decodedForTail)]
            where !wanted.isEmpty {
                let first = stream.pictures[decoded.lowerBound]
                #expect(first.entry != .none && first.time <= wanted[0], comment)
                #expect(Set(wanted).isSubset(of: stream.pictures[decoded].map(\.time)), comment)
            }
        }
    }

    @Test("copies all but a few pictures around its ends")
    func copiesMuch() throws {
        let seed = newSeed()
        var random = SeededGenerator(seed: seed)
        for round in 0..<500 {
            let comment = Comment(rawValue: "seed \(seed), round \(round)")
            var stream = CodedStream(&random, groups: 12)
            let times = stream.pictures.map(\.time).sorted()
            let (start, end) = (times[times.count / 4], times[times.count * 3 / 4])
            let cut = try #require(try Self.cut(&stream, start..<end), comment)
            let entries = stream.pictures.filter { $0.entry != .none && $0.time > start && $0.time < end }
            guard let next = entries.map(\.time).min() else { continue }
            #expect(cut.entry.map { $0.time <= next } ?? false, comment)
            #expect(cut.tail.count <= 4, comment)
        }
    }

    @Test("looks no further ahead than reordering makes it")
    func boundedLookahead() throws {
        let seed = newSeed()
        var random = SeededGenerator(seed: seed)
        for round in 0..<200 {
            var stream = CodedStream(&random, groups: 12)
            let times = stream.pictures.map(\.time).sorted()
            let (start, end) = (times[times.count / 4], times[times.count / 2])
            _ = try Self.cut(&stream, start..<end)
            let beyond = stream.pictures.firstIndex { $0.time >= end } ?? stream.pictures.count
            #expect(stream.furthest <= beyond + 4 * (stream.depth.pictures + 1), "seed \(seed), round \(round)")
        }
    }
}

@Suite("Decode times")
struct DecodeTimesTests {
    @Test("rise, precede presentation, and tell how long each picture is shown", arguments: 0..<10)
    func valid(block: Int) throws {
        let seed = newSeed() &+ UInt64(block)
        var random = SeededGenerator(seed: seed)
        for round in 0..<50 {
            let comment = Comment(rawValue: "seed \(seed), round \(round)")
            let stream = CodedStream(&random, groups: Int.random(in: 1...6, using: &random))
            var clock = DecodeTimes(depth: stream.depth, step: 4)
            var durations: [Int64: Int64] = [:]
            var last = Int64.min
            for picture in stream.pictures {
                let (decodeTime, known) = try clock.next(picture.time)
                #expect(decodeTime > last && decodeTime <= picture.time, comment)
                last = decodeTime
                if let known { durations[known.earlier] = known.later - known.earlier }
            }
            let times = stream.pictures.map(\.time).sorted()
            let end = times[times.count - 1] + 4
            for known in clock.finish(at: end) { durations[known.earlier] = known.later - known.earlier }
            for (time, next) in zip(times, times.dropFirst() + [end]) {
                #expect(durations[time] == next - time, comment)
            }
        }
    }

    @Test("refuse pictures that come later than the depth allows, and ones that come twice")
    func refusesDisorder() throws {
        var clock = DecodeTimes(depth: ReorderDepth(1), step: 1)
        _ = try clock.next(0)
        _ = try clock.next(5)
        _ = try clock.next(4)
        #expect(throws: SmartObstacle.unusualOrder) { _ = try clock.next(3) }
        var twice = DecodeTimes(depth: ReorderDepth(2), step: 1)
        _ = try twice.next(0)
        #expect(throws: SmartObstacle.unusualOrder) { _ = try twice.next(0) }
    }
}
