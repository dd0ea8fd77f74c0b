import Model
import TestSupport
import Testing
import WorkerCore

@testable import MediaTasks

@Suite("Progress of a divided render")
struct ChunkProgressTests {
    /// Stands where it is put.
    private struct StoppedClock: PoolClock {
        var now = 100.0
        func sleep(seconds: Double) async -> Bool { true }
    }

    private static func record(
        _ number: Int, _ state: ChunkRecord.State, _ frames: Int, _ fraction: Double = 0
    ) -> ChunkRecord {
        var record = ChunkRecord(number: number, state: state, frames: frames)
        record.fraction = fraction
        if state == .done { record.made = ChunkMade(frames: frames, sizeBytes: 1) }
        return record
    }

    private static func progress(
        _ records: [ChunkRecord], _ frames: [Int], soundFrames: Int? = nil, seconds: Double
    ) -> ChunkProgress {
        ChunkProgress(
            records,
            ChunkDivision(digest: "d", plan: "{}", frames: frames, soundFrames: soundFrames, seconds: seconds),
            clock: StoppedClock())
    }

    private static func event(_ fraction: Double, frames: Int = 0) -> ProgressEvent {
        ProgressEvent(
            phase: .encoding, fraction: fraction, frames: frames, framesPerSecond: 0, speed: 0, remainingSeconds: nil)
    }

    @Test("begins with what is there, and counts parts of what is being made")
    func parts() throws {
        let records = [Self.record(0, .done, 40), Self.record(1, .taken, 40, 0.5), Self.record(2, .free, 20)]
        let progress = Self.progress(records, [40, 40, 20], seconds: 4)
        let first = try #require(progress.event)
        #expect(first.frames == 60 && abs(first.fraction - 0.95 * 0.6) < 1e-9 && first.phase == .encoding)
        // One's own is newer than what is on record.
        progress.note(2, Self.event(0.5))
        #expect(progress.event?.frames == 70)
        progress.note([Self.record(0, .done, 40), Self.record(1, .done, 44), Self.record(2, .done, 20)])
        let last = try #require(progress.event)
        #expect(last.frames == 104 && abs(last.fraction - 0.95) < 1e-9)
        let joining = progress.joining(Self.event(0.5))
        #expect(joining.phase == .finishing && joining.frames == 104 && abs(joining.fraction - 0.975) < 1e-9)
    }

    @Test("counts the sound as work, and as no frames")
    func sound() throws {
        let pictures = [Self.record(0, .done, 40), Self.record(1, .free, 40)]
        let half = Self.progress(pictures + [Self.record(2, .taken, 20, 0.5)], [40, 40], soundFrames: 20, seconds: 4)
        let first = try #require(half.event)
        #expect(first.frames == 40 && abs(first.fraction - 0.95 * 0.5) < 1e-9)
        half.note([Self.record(0, .done, 40), Self.record(1, .done, 40), Self.record(2, .done, 0)])
        let last = try #require(half.event)
        #expect(last.frames == 80 && abs(last.fraction - 0.95) < 1e-9)
        #expect(half.joining(Self.event(0)).frames == 80)
    }

    @Test("knows nothing of nothing")
    func nothing() {
        #expect(Self.progress([], [], seconds: 0).event == nil)
    }

    @Test("is a share between 0 and 1, and 0.95 only when all is encoded", arguments: [1, 2, 3].map { UInt64($0) })
    func bounds(seed: UInt64) throws {
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let states: [ChunkRecord.State] = [.free, .taken, .done]
            let records = (0..<Int.random(in: 1...9, using: &random)).map { number in
                Self.record(
                    number, states.randomElement(using: &random) ?? .free, Int.random(in: 1...500, using: &random),
                    Double.random(in: 0..<1, using: &random))
            }
            let progress = Self.progress(records, records.map(\.frames), seconds: 9)
            let event = try #require(progress.event)
            let isComplete = records.allSatisfy { $0.state == .done }
            #expect((0...0.95).contains(event.fraction) && (event.fraction > 0.95 - 1e-9) == isComplete)
            #expect(event.frames <= records.reduce(0) { $0 + $1.frames })
        }
    }
}
