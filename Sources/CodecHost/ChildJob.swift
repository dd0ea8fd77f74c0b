package import Isolation
package import Model

/// One job for a process of its own: what is to be done, and within what bounds.
package struct ChildJob: Sendable {
    package struct Limits: Sendable, Equatable {
        /// The process's own memory, resident and swapped.
        package var memoryBytes: Int64
        package var wallSeconds: Double
        /// Without a sign of life; waiting for bytes does not count.
        package var stallSeconds: Double
        /// All outputs together.
        package var outputBytes: Int64
        /// What may be asked for in all. A cut programme is read a few times over, not a hundred times.
        package var readBytes: Int64

        /// - Parameter readBytes: `nil` for a hundred times the sources, and a gigabyte.
        package init(
            memoryBytes: Int64, wallSeconds: Double, stallSeconds: Double, outputBytes: Int64,
            readBytes: Int64? = nil, sources: [CodecTask.Source] = []
        ) {
            (self.memoryBytes, self.wallSeconds) = (memoryBytes, wallSeconds)
            (self.stallSeconds, self.outputBytes) = (stallSeconds, outputBytes)
            let total = sources.reduce(0.0) { $0 + Double($1.sizeBytes ?? 1 << 34) }
            self.readBytes = readBytes ?? Int64(min(1e18, total * 100)) + (1 << 30)
        }
    }

    package var task: CodecTask
    package var limits: Limits
    /// Fails the job when the process could not shut itself in completely.
    package var requiresSandbox: Bool

    package init(task: CodecTask, limits: Limits, requiresSandbox: Bool = false) {
        (self.task, self.limits, self.requiresSandbox) = (task, limits, requiresSandbox)
    }
}

/// What a job's process may get at, which the daemon opens for it. All but `interrupt` is called on one thread, the
/// job's own, and may block.
package protocol ChildFiles: AnyObject, Sendable {
    /// - Parameter index: among the task's sources. Called once for each that is needed.
    ///
    /// The buffer that such a source is given to fill is seen by the process too: fill it, and read nothing back.
    func openSource(_ index: Int) throws -> any ByteSource
    /// Begins an output; of two under one name, the later replaces the earlier. What is not among the outputs of a
    /// job that succeeded was not made, and is to be thrown away.
    ///
    /// - Parameters:
    ///   - name: one of the task's outputs.
    ///   - headBytes: so many from the beginning may be written again at the end.
    func makeOutput(_ name: String, headBytes: Int64) throws -> any RereadableSink
    /// The job was killed: whatever blocks in a source or an output should come back. Called from any thread.
    func interrupt()
}

/// Why the daemon ended a process.
package enum KillReason: Sendable, Equatable {
    case memory, wallTime, stall, outputSize
    case cancelled, drained, leaseLost
    /// It did what no honest process does.
    case violation(String)
    /// It could not shut itself in.
    case unprotected(String)

    package var failure: Failure {
        switch self {
        case .memory: Failure(code: .memoryLimit, message: "the job needs more memory than it may have")
        case .wallTime: Failure(code: .wallTimeLimit, message: "the job took longer than it may")
        case .stall: Failure(code: .noProgress, message: "the job made no progress")
        case .outputSize: Failure(code: .outputTooLarge, message: "the output is larger than it may be")
        case .cancelled: Failure(code: .cancelled, message: "the job was cancelled")
        case .drained: Failure(code: .drained, message: "the worker was shut down; the job runs again")
        case .leaseLost: Failure(code: .leaseLost, message: "the worker lost its hold on the job; the job runs again")
        case .violation(let what):
            Failure(code: .sandboxViolation, message: "the job was stopped for our safety", detail: what)
        case .unprotected(let what):
            Failure(code: .sandboxUnavailable, message: "jobs cannot be isolated here", detail: what)
        }
    }
}

/// What a job made, by its kind.
package enum ChildResult: Sendable, Equatable {
    case probe(ProbeReport)
    case proxy(ProxyReport)
    case render(RenderReport)
    /// Instead of a render: how it is to be divided.
    case division(ChunkDivision)
    case chunk(ChunkMade)
    case analysis(AnalysisReport)
}

package enum ChildOutcome: Sendable, Equatable {
    /// With the names of the outputs that count.
    case finished(ChildResult, outputs: [String])
    /// What the process said, or what its source or output failed with on this side.
    case failed(Failure)
    /// It died; `signal` is `nil` when it exited without a word.
    case crashed(signal: Int32?)
    case killed(KillReason)

    /// `nil` for success.
    package var failure: Failure? {
        switch self {
        case .finished: nil
        case .failed(let failure): failure
        case .killed(let reason): reason.failure
        case .crashed(let signal): Self.failure(ofSignal: signal)
        }
    }

    /// Source: signal(7). A forbidden system call ends in SIGSYS; the limit of CPU time in SIGXCPU.
    private static func failure(ofSignal signal: Int32?) -> Failure {
        let detail = signal.map { "signal \($0)" } ?? "exited without a result"
        return switch signal {
        case 31: Failure(code: .sandboxViolation, message: "the job was stopped for our safety", detail: detail)
        case 24: Failure(code: .wallTimeLimit, message: "the job took longer than it may", detail: detail)
        default: Failure(code: .crashed, message: "the process that did the work died", detail: detail)
        }
    }
}

/// What a job's process cost.
package struct ChildMetrics: Sendable, Equatable {
    /// From asking the template to knowing the process.
    package var forkSeconds = 0.0
    /// What shutting itself in took.
    package var sandboxSeconds = 0.0
    package var wallSeconds = 0.0
    package var cpuSeconds = 0.0
    /// The most that was seen of the process's own memory, polled.
    package var peakMemoryBytes: Int64 = 0
    package var readBytes: Int64 = 0
    package var writtenBytes: Int64 = 0

    package init() {}
}

package struct ChildEnding: Sendable {
    package var outcome: ChildOutcome
    package var metrics: ChildMetrics
    /// `nil` when the process did not get so far.
    package var sandbox: SandboxReport?
}
