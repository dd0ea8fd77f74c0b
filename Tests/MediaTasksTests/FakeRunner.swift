import CodecHost
import Isolation
import Model
import Synchronization
import WorkerCore

@testable import MediaTasks

/// Makes chunks of text, and joins them, without a process.
final class FakeRunner: ChildRuns {
    private struct State {
        var made: [Int] = []
        var joins = 0
    }

    let requiresSandbox = false
    private let state = Mutex(State())
    /// Called before a chunk is made: may wait, or throw what its process would have failed with.
    private let before: @Sendable (_ number: Int, _ stop: StopSwitch) async throws -> Void
    /// Called before the chunks are joined, with how often that was tried before.
    private let beforeJoin: @Sendable (_ tries: Int) throws -> Void

    init(
        before: @escaping @Sendable (_ number: Int, _ stop: StopSwitch) async throws -> Void = { _, _ in },
        beforeJoin: @escaping @Sendable (_ tries: Int) throws -> Void = { _ in }
    ) {
        (self.before, self.beforeJoin) = (before, beforeJoin)
    }

    /// Numbers in the order in which they were made.
    var made: [Int] { state.withLock { $0.made } }

    static func text(of number: Int) -> String { "chunk \(number)\n" }

    func run(
        _ job: ChildJob, _ files: JobFiles, _ stop: StopSwitch, _ interruption: Interruption,
        _ report: @escaping @Sendable (ProgressEvent) -> Void
    ) async throws -> (ChildResult, outputs: [String]) {
        if let reason = stop.reason { throw reason.failure }
        guard let order = job.task.chunks, let division = order.division, let output = job.task.outputs.first else {
            throw Failure(code: .invalidTask, message: "the fake makes chunks only")
        }
        switch order.step {
        case .divide: throw Failure(code: .invalidTask, message: "the fake divides nothing")
        case .chunk(let number):
            report(Self.event(0.5, frames: division.frames[number] / 2))
            try await before(number, stop)
            if let reason = stop.reason { throw reason.failure }
            let text = Self.text(of: number)
            try Self.write(text, to: try files.makeOutput(output, headBytes: 0))
            state.withLock { $0.made.append(number) }
            report(Self.event(1, frames: division.frames[number]))
            return (.chunk(ChunkMade(frames: division.frames[number], sizeBytes: Int64(text.utf8.count))), [output])
        case .join:
            let tries = state.withLock { state in
                state.joins += 1
                return state.joins - 1
            }
            try beforeJoin(tries)
            let first = job.task.sources.count - division.frames.count
            var text = ""
            for index in first..<job.task.sources.count {
                var bytes = [UInt8](repeating: 0, count: Int(job.task.sources[index].sizeBytes ?? 0))
                let source = try files.openSource(index)
                let count = try bytes.withUnsafeMutableBytes { try source.read(into: $0, at: 0) }
                text += String(decoding: bytes[..<count], as: UTF8.self)
            }
            try Self.write(text, to: try files.makeOutput(output, headBytes: 0))
            report(Self.event(1, frames: division.frames.reduce(0, +)))
            let made = RenderReport(
                output: output, sizeBytes: Int64(text.utf8.count), durationSeconds: division.seconds, segments: 1,
                video: nil, audio: nil, notes: [], lostSeconds: 0, damagedPackets: 0, elapsedSeconds: 1, speed: 1)
            return (.render(made), [output])
        }
    }

    private static func write(_ text: String, to sink: any RereadableSink) throws {
        try Array(text.utf8).withUnsafeBytes { try sink.write($0, at: 0) }
    }

    private static func event(_ fraction: Double, frames: Int) -> ProgressEvent {
        ProgressEvent(
            phase: fraction < 1 ? .encoding : .completed, fraction: fraction, frames: frames, framesPerSecond: 1,
            speed: 1, remainingSeconds: nil)
    }
}
