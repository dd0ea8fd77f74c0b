import Model
import Planning
import TestSupport
import Testing

/// A plan of one source, at another cadence.
private func plan(_ cadence: Cadence, rate: Rational, keyframeSeconds: Int? = nil) throws -> RenderPlan {
    var plan = try PlannerSegmentsTests.plan(#""timeline":[{"source":"s0"}]"#)
    plan.video?.cadence = cadence
    plan.video?.nominalFrameRate = rate
    plan.video?.keyframeIntervalSeconds = keyframeSeconds
    return plan
}

private func programme(_ lengths: [Rational]) -> ProgrammeSpans {
    var programme = ProgrammeSpans()
    for (index, length) in lengths.enumerated() {
        programme.append(segment: index, first: Rational(Int64(index)), length: length)
    }
    return programme
}

@Suite("The chunks of a programme")
struct ChunkPlanTests {
    private static let rates = [
        Rational(24), Rational(24000, 1001), Rational(25), Rational(30), Rational(30000, 1001), Rational(60),
        Rational(12), Rational(240),
    ]

    @Test("cover it without gaps, begin where groups do, and are of nearly one size", arguments: [1, 2, 3] as [UInt64])
    func boundaries(seed: UInt64) throws {
        print("seed \(seed)")
        var numbers = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            let rate = try #require(Self.rates.randomElement(using: &numbers))
            let keyframes: Int? = Bool.random(using: &numbers) ? Int.random(in: 1...12, using: &numbers) : nil
            let seconds = Int.random(in: 1...60, using: &numbers)
            let frames = Int64.random(in: 1...200_000, using: &numbers)
            let made = ChunkPlan(
                try plan(.constant(framesPerSecond: rate, reason: ""), rate: rate, keyframeSeconds: keyframes),
                programme: programme([Rational(frames) / rate]), secondsPerChunk: seconds)
            let group = Int64(keyframes.map { Int(Rational(Int64($0)).ticks(in: rate.inverse)) } ?? 250)
            guard let made else {
                #expect(frames < 2 * group || (Rational(frames) / rate).seconds < 1.5 * Double(seconds))
                continue
            }
            #expect(made.chunks.map(\.index) == Array(made.chunks.indices))
            #expect(made.chunks.count >= 2)
            #expect(made.chunks.first?.ticks.lowerBound == 0)
            #expect(made.end == frames)
            for (chunk, next) in zip(made.chunks, made.chunks.dropFirst()) {
                #expect(chunk.ticks.upperBound == next.ticks.lowerBound)
                #expect(next.ticks.lowerBound % group == 0)
            }
            let sizes = made.chunks.map(\.ticks.count)
            let (least, most) = (sizes.min() ?? 0, sizes.max() ?? 0)
            #expect(least >= group)
            // The last ones of many are half as long.
            let halved = made.chunks.count >= 16 ? most / 2 : 0
            #expect(most - least < 2 * Int(group) + halved, "\(sizes)")
            if halved > 0, most > 4 * Int(group) {
                let half = sizes.count - sizes.count / 3
                #expect(sizes[half + 1..<sizes.count - 1].allSatisfy { $0 <= most / 2 + 2 * Int(group) }, "\(sizes)")
            }
            // As long as was asked for, as near as whole groups come to it.
            let average = Double(frames) / Double(made.chunks.count) / rate.seconds
            let groupSeconds = Double(group) / rate.seconds
            #expect(average < max(1.5 * Double(seconds), 2 * groupSeconds))
        }
    }

    @Test("of a source with its own clock begin with the frame that a group would begin with", arguments: rates)
    func sourceClock(rate: Rational) throws {
        for clock in [Rational(1, 1000), Rational(1, 90_000), Rational(1, 12_800), Rational(1, 1_000_000_000)] {
            let frames: Int64 = 20_000
            let made = try #require(
                ChunkPlan(
                    try plan(.source(timeBase: clock), rate: rate), programme: programme([Rational(frames) / rate]),
                    secondsPerChunk: 20))
            // Frames as a container of that clock has them: rounded, cut off, or rounded up.
            let exact = (0..<frames).map { Rational($0) / rate }
            for times in [
                exact.map { $0.ticks(in: clock) }, exact.map { $0.ticksRoundedUp(in: clock) },
                exact.map { max(0, $0.ticksRoundedUp(in: clock) - 1) },
            ] {
                for chunk in made.chunks {
                    let first = times.firstIndex { $0 >= chunk.ticks.lowerBound }
                    #expect((first ?? 1) % 250 == 0, "\(rate) on \(clock): chunk \(chunk.index)")
                }
            }
        }
    }

    @Test("begin at seams of the programme that are near, and keep their size", arguments: [1, 2, 3] as [UInt64])
    func seams(seed: UInt64) throws {
        print("seed \(seed)")
        var numbers = SeededGenerator(seed: seed)
        let rate = Rational(30)
        var atSeams = 0
        for _ in 0..<100 {
            let spans = programme(
                (0..<300).map { _ in Rational(Int64.random(in: 1...24_000, using: &numbers), 1000) })
            let constant = try plan(.constant(framesPerSecond: rate, reason: ""), rate: rate)
            let made = try #require(ChunkPlan(constant, programme: spans, secondsPerChunk: 30))
            let starts = Set(spans.spans.map { $0.start.ticks(in: rate.inverse) })
            // Of the shortest chunk, one group: what it may lose at each end.
            let near: Int64 = 250 / 8
            for (chunk, next) in zip(made.chunks, made.chunks.dropFirst()) {
                #expect(chunk.ticks.upperBound == next.ticks.lowerBound)
                let tick = next.ticks.lowerBound
                if starts.contains(tick) { atSeams += 1 } else { #expect(tick % 250 == 0) }
                let nearest = starts.map { abs($0 - tick) }.min() ?? .max
                #expect(nearest == 0 || nearest > near)
            }
            for chunk in made.chunks { #expect(Int64(chunk.ticks.count) >= 250 - 2 * near) }
            #expect(made.end == spans.length.ticks(in: rate.inverse))
        }
        #expect(atSeams > 0)
    }

    @Test("are none where the programme is too short, or has no picture")
    func none() throws {
        let rate = Rational(30)
        let constant = try plan(.constant(framesPerSecond: rate, reason: ""), rate: rate)
        #expect(ChunkPlan(constant, programme: programme([Rational(16)]), secondsPerChunk: 1) == nil)
        #expect(ChunkPlan(constant, programme: programme([Rational(40)]), secondsPerChunk: 30) == nil)
        #expect(ChunkPlan(constant, programme: programme([Rational(50)]), secondsPerChunk: 30)?.chunks.count == 2)
        var silent = constant
        silent.video = nil
        #expect(ChunkPlan(silent, programme: programme([Rational(500)]), secondsPerChunk: 30) == nil)
    }

    @Test("of an hour keep sixteen workers busy", arguments: [1, 2, 3] as [UInt64])
    func efficiency(seed: UInt64) throws {
        print("seed \(seed)")
        var numbers = SeededGenerator(seed: seed)
        let rate = Rational(30)
        let made = try #require(
            ChunkPlan(
                try plan(.constant(framesPerSecond: rate, reason: ""), rate: rate),
                programme: programme([Rational(3600)]), secondsPerChunk: 30))
        #expect(made.longestFirst.map(\.index).sorted() == made.chunks.map(\.index))
        // Some scenes take twice as long as others to encode. Whoever is free takes the next chunk.
        let costs = made.longestFirst.map { Double($0.ticks.count) * Double.random(in: 0.7...1.4, using: &numbers) }
        var workers = [Double](repeating: 0, count: 16)
        for cost in costs {
            let free = workers.indices.min { workers[$0] < workers[$1] } ?? 0
            workers[free] += cost
        }
        let efficiency = costs.reduce(0, +) / (16 * (workers.max() ?? 1))
        print("efficiency \(efficiency)")
        #expect(efficiency >= 0.93)
    }

    @Test("do not depend on the sound")
    func picturesOnly() throws {
        let edits = #""edits":[{"start_ms":2000,"end_ms":3000,"type":"PROFANITY","action":"#
        let muted = try PlannerSegmentsTests.plan(edits + #""mute"}]"#)
        let bleeped = try PlannerSegmentsTests.plan(edits + #""bleep"}]"#, container: .mkv)
        let cut = try PlannerSegmentsTests.plan(edits + #""cut"}]"#)
        #expect(muted != bleeped)
        #expect(muted.picturesOnly == bleeped.picturesOnly)
        #expect(muted.picturesOnly != cut.picturesOnly)
        var finer = muted
        finer.video?.crf = 19
        #expect(finer.picturesOnly != muted.picturesOnly)
    }
}

@Suite("The spans of a programme")
struct ProgrammeSpansTests {
    @Test("that a range shows are those that a search through all of them finds", arguments: [1, 2] as [UInt64])
    func ranges(seed: UInt64) {
        print("seed \(seed)")
        var numbers = SeededGenerator(seed: seed)
        let timeBase = Rational(1, 30)
        for _ in 0..<200 {
            let count = Int.random(in: 1...12, using: &numbers)
            // Some last less than a tick, and several may round to one.
            let spans = programme(
                (0..<count).map { _ in Rational(Int64.random(in: 1...90, using: &numbers), 600) })
            let end = max(1, spans.length.ticks(in: timeBase))
            let from = Int64.random(in: 0..<end, using: &numbers)
            let upTo = Int64.random(in: from + 1...end, using: &numbers)
            let found = spans.spans(in: from..<upTo, timeBase: timeBase).map(\.segment)
            let last = spans.spans.last { $0.start.ticks(in: timeBase) <= from }?.segment ?? 0
            let expected = spans.spans.map(\.segment).filter { segment in
                segment >= last && spans.spans[segment].start.ticks(in: timeBase) < upTo
            }
            #expect(found == expected)
        }
    }
}
