/// A job's identity: a UUID in lower case.
package struct JobID: Hashable, Sendable, Codable, CustomStringConvertible {
    package let text: String

    /// `nil` unless `text` is a UUID, in either case.
    package init?(_ text: String) {
        let lowered = text.lowercased()
        let groups = lowered.split(separator: "-", omittingEmptySubsequences: false)
        guard groups.map(\.count) == [8, 4, 4, 4, 12], lowered.utf8.allSatisfy({ $0 == 0x2D || Self.isHex($0) }) else {
            return nil
        }
        self.text = lowered
    }

    private static func isHex(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) }

    package var description: String { text }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let id = JobID(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "a job's id is a UUID")
        }
        self = id
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

/// What is to be done. Workers claim by kind.
package enum JobKind: String, Sendable, Codable, CaseIterable {
    case probe, proxy, render, analysis
    /// Brings what is behind a URL into a store, in the daemon itself: nothing is decoded.
    case download
    /// Does nothing, in the daemon itself: measures the pool.
    case noop

    /// Whether its work is done in a process of its own.
    package var needsProcess: Bool {
        switch self {
        case .probe, .proxy, .render, .analysis: true
        case .download, .noop: false
        }
    }
}

/// What an owner pays for: 0 free, 1 hobby, 2 creator, 3 viral. Higher starts earlier; none is starved.
package struct Tier: Sendable, Hashable, Codable, Comparable {
    package static let highest = Tier(3)
    package let value: Int

    /// Anything outside 0...3 is taken to the nearest.
    package init(_ value: Int) { self.value = max(0, min(3, value)) }

    package static func < (left: Tier, right: Tier) -> Bool { left.value < right.value }

    package init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode(Int.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }
}

/// Where a job is. `docs/state-machines.md` has the picture.
package enum JobState: String, Sendable, Codable, CaseIterable {
    /// Waits for a child to look at its sources, so that its size is known.
    case admitting
    /// Waits for `availableAt`: a delay, or the pause before another attempt.
    case scheduled
    /// Ready, but its owner has as many jobs of this kind ready or running as allowed.
    case waiting
    /// Ready: the next worker that it fits takes it.
    case queued
    case running
    case succeeded
    /// Ended by something that another attempt would not change.
    case failed
    case cancelled
    /// Every attempt was used up. Kept with its reasons until it is requeued or pruned.
    case dead

    package var isFinal: Bool {
        switch self {
        case .admitting, .scheduled, .waiting, .queued, .running: false
        case .succeeded, .failed, .cancelled, .dead: true
        }
    }
}

/// Bounds of one attempt; what is `nil` is as the worker's configuration has it for the kind.
package struct JobCaps: Sendable, Codable, Equatable {
    package var memoryBytes: Int64?
    package var threads: Int?
    package var wallSeconds: Int?
    package var stallSeconds: Int?
    package var outputBytes: Int64?

    package init(
        memoryBytes: Int64? = nil, threads: Int? = nil, wallSeconds: Int? = nil, stallSeconds: Int? = nil,
        outputBytes: Int64? = nil
    ) {
        (self.memoryBytes, self.threads, self.wallSeconds) = (memoryBytes, threads, wallSeconds)
        (self.stallSeconds, self.outputBytes) = (stallSeconds, outputBytes)
    }
}

/// By which door a job came in; says how its result goes out.
package enum Ingress: String, Sendable, Codable, CaseIterable {
    case native, taskiq, celery, http, cli

    /// Whether its senders leave messages, rather than wait for an answer.
    package var isQueue: Bool {
        switch self {
        case .native, .taskiq, .celery: true
        case .http, .cli: false
        }
    }
}

/// Milliseconds since 1970 by the store's own clock: one clock for all workers.
package typealias StoreTime = Int64
