import Foundation
import Model
import QueueRabbitMQ
import Synchronization
import TestSupport
import WorkerCore

/// What the pool is given to do, and what was sent.
final class Work: Sendable {
    enum Task: Sendable, Equatable {
        case noop, probe
        /// One of a few edits; each is rendered the same way every time.
        case render(Int)
    }

    static let edits: [(source: String, start: Int, end: Int)] = [
        ("pal25.mp4", 0, 1000), ("pal25.mp4", 500, 1700), ("ntsc.mp4", 200, 1400), ("talk.mp4", 0, 15_000),
    ]

    private struct State {
        var sent: [JobID: Task] = [:]
        var order: [(id: JobID, body: [UInt8])] = []
    }

    private let state = Mutex(State())
    private let ground: Ground

    init(_ ground: Ground) { self.ground = ground }

    var sent: [JobID: Task] { state.withLock { $0.sent } }
    var recent: [(id: JobID, body: [UInt8])] { state.withLock { Array($0.order.suffix(20)) } }

    func output(of id: JobID) -> String { "\(ground.outputs)/\(id).mp4" }

    /// Sends one job, until the broker has it.
    func send(_ number: Int, _ random: inout SeededGenerator) async throws {
        let id = JobID(UUID().uuidString).unsafelyUnwrapped
        let task: Task =
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<2: .noop
            case 2..<4: .probe
            default: .render(Int.random(in: 0..<Self.edits.count, using: &random))
            }
        let owner = number % 16 == 15 ? Money.poor : Money.payers[number % Money.payers.count]
        var message: [String: JSONValue] = [
            "version": 1, "id": .string(id.text), "owner": .string(owner),
            "tier": .integer(Int64(number % 4)), "max_attempts": 10,
        ]
        let media = "\(Fixture.repository)/Fixtures/media"
        switch task {
        case .noop: (message["kind"], message["payload"]) = ("noop", [:])
        case .probe:
            (message["kind"], message["payload"]) = ("probe", ["source": .string("\(media)/\(Self.edits[0].source)")])
        case .render(let index):
            let edit = Self.edits[index]
            let range: JSONValue = [
                "source": "a", "start_ms": .integer(Int64(edit.start)), "end_ms": .integer(Int64(edit.end)),
            ]
            let source: JSONValue = ["id": "a", "uri": .string("\(media)/\(edit.source)")]
            message["kind"] = "render"
            message["payload"] = [
                "edit": ["sources": [source], "timeline": [range]], "output": .string(output(of: id)),
            ]
            // Half of them are looked at first.
            if Bool.random(using: &random) { message["cost_seconds"] = 1 }
        }
        let body = JSONValue.object(message).bytes
        state.withLock { state in
            state.sent[id] = task
            state.order.append((id, body))
        }
        try await publish(body)
    }

    /// As a careful scheduler does: again, until it is confirmed.
    func publish(_ body: [UInt8]) async throws {
        let deadline = ContinuousClock.now + .seconds(120)
        while true {
            do {
                var properties = MessageProperties()
                properties.deliveryMode = 2
                try await ground.publisher.publish(
                    OutgoingMessage(routingKey: Ground.queue, properties: properties, body: body))
                return
            } catch {
                guard ContinuousClock.now < deadline else { throw error }
                try await _Concurrency.Task.sleep(for: .milliseconds(100))
            }
        }
    }
}
