import Envelopes
import Foundation
import Model
import TestSupport
import Testing
import WorkerCore

@Suite("A damaged message")
struct DamagedMessageTests {
    private static let seeds = ProcessInfo.processInfo.environment["REELPOOL_SEEDS"].flatMap(Int.init) ?? 3000

    private static let intact: [Delivery] = [
        CapturedTaskIQ.delivery(), CeleryMessage().delivery,
        native(
            """
            {"version":1,"id":"0e984725-c51c-4bf4-9960-e1c80e27aba0","kind":"render","owner":"alice","tier":3,
            "payload":{"a":[1,2.5e3,null,true,"\\u00e9\\ud83d\\ude00"]},"caps":{"threads":2},"delay_ms":5}
            """),
    ]

    /// Bytes changed, cut out, doubled, or swapped for what means something in JSON.
    private static func damaged(_ delivery: Delivery, _ random: inout SeededGenerator) -> Delivery {
        var delivery = delivery
        for _ in 0..<Int.random(in: 1...4, using: &random) where !delivery.body.isEmpty {
            let at = Int.random(in: 0..<delivery.body.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: delivery.body[at] = .random(in: 0...255, using: &random)
            case 1:
                delivery.body.removeSubrange(at..<min(delivery.body.count, at + .random(in: 1...20, using: &random)))
            case 2:
                delivery.body.insert(
                    contentsOf: delivery.body[at...].prefix(.random(in: 1...40, using: &random)), at: at)
            case 3: delivery.body[at] = Array("{}[]\",:\\0-eE.ntf".utf8).randomElement(using: &random) ?? 0
            case 4: delivery.body.removeLast(min(delivery.body.count, .random(in: 1...60, using: &random)))
            default:
                let name = delivery.properties.headers.keys.sorted().randomElement(using: &random)
                let values: [HeaderValue] = [
                    .void, .bool(true), .integer(-1), .text(""), .text("\u{0}"), .bytes([0xFF]), .double(.infinity),
                    .array([.array([])]), .table(["x": .void]), .text(String(repeating: "9", count: 400)),
                    .decimal(scale: 255, value: .max), .unsigned(.max),
                ]
                if let name { delivery.properties.headers[name] = values.randomElement(using: &random) }
            }
        }
        delivery.bodySize = delivery.body.count
        return delivery
    }

    private enum Outcome: Equatable {
        case job(NewJob)
        case refused(EnvelopeError)
    }

    private static func outcome(_ delivery: Delivery, _ rules: TaskRules) -> Outcome {
        do throws(EnvelopeError) {
            return .job(try read(delivery, rules: rules, now: 1_700_000_000_000))
        } catch {
            return .refused(error)
        }
    }

    @Test("is one job or one refusal, the same every time, and never a crash")
    func alwaysOneDecision() throws {
        let rules = TaskRules(tasks: TaskRules.ownNames.merging(CapturedTaskIQ.rules.tasks) { first, _ in first })
        let first = UInt64.random(in: 0...UInt64.max)
        var (jobs, refusals) = (0, [EnvelopeError.Reason: Int]())
        for number in 0..<Self.seeds {
            let seed = first &+ UInt64(number)
            var random = SeededGenerator(seed: seed)
            for intact in Self.intact {
                let delivery = Self.damaged(intact, &random)
                let outcome = Self.outcome(delivery, rules)
                #expect(Self.outcome(delivery, rules) == outcome, "seed \(seed)")
                switch outcome {
                case .refused(let error):
                    refusals[error.reason, default: 0] += 1
                    #expect(!error.message.isEmpty, "seed \(seed)")
                case .job(let job):
                    jobs += 1
                    // What comes out can be stored and read back.
                    _ = try JSONValue(parsing: job.payload)
                    #expect(!job.owner.isEmpty && (1...10).contains(job.maxAttempts), "seed \(seed)")
                    #expect(job.delayMilliseconds >= 0, "seed \(seed)")
                    if let reply = job.reply { #expect(JobReply(text: reply) != nil, "seed \(seed)") }
                }
            }
        }
        // The damage is neither harmless nor always fatal.
        #expect(jobs > 0 && refusals.count >= 5, "seed \(first): \(jobs) jobs, \(refusals)")
    }
}
