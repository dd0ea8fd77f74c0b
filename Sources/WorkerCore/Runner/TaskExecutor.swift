package import Model

/// Does the work of one attempt.
package protocol TaskExecutor: Sendable {
    /// Runs to the end, or until the attempt's stop switch is pressed: then it returns at once.
    ///
    /// - Parameter report: called from any thread, as often as there is something to tell.
    func run(_ attempt: Attempt, report: @escaping @Sendable (ProgressEvent) -> Void) async -> AttemptResult
}

/// A claimed job with the caps that it runs under.
package struct Attempt: Sendable {
    package var job: JobRecord
    package var caps: EffectiveCaps
    package let stop = StopSwitch()
    /// By the worker's clock.
    package var startedAt: Double

    package init(job: JobRecord, caps: EffectiveCaps, startedAt: Double) {
        (self.job, self.caps, self.startedAt) = (job, caps, startedAt)
    }

    package var lease: Lease { Lease(job: job.id, epoch: job.epoch) }
}

package enum AttemptResult: Sendable {
    /// With the result as JSON.
    case succeeded(String)
    case failed(Failure)
    /// What a job in `admitting` turned out to be.
    case admitted(costSeconds: Double, memoryBytes: Int64, bound: MediaBound? = nil)
}

package enum StopReason: Sendable, Equatable {
    case cancelled, drained, leaseLost

    package var failure: Failure {
        switch self {
        case .cancelled: Failure(code: .cancelled, message: "the job was cancelled")
        case .drained: Failure(code: .drained, message: "the worker was shut down; the job runs again")
        case .leaseLost: Failure(code: .leaseLost, message: "the worker lost its hold on the job; the job runs again")
        }
    }
}

/// The bounds of an attempt, all of them known.
package struct EffectiveCaps: Sendable, Codable, Equatable {
    package var memoryBytes: Int64
    package var threads: Int
    package var wallSeconds: Int
    package var stallSeconds: Int
    package var outputBytes: Int64
    package var sourceSeconds: Int
    package var sourceBytes: Int64

    package init(
        memoryBytes: Int64, threads: Int, wallSeconds: Int, stallSeconds: Int, outputBytes: Int64, sourceSeconds: Int,
        sourceBytes: Int64
    ) {
        (self.memoryBytes, self.threads, self.wallSeconds) = (memoryBytes, threads, wallSeconds)
        (self.stallSeconds, self.outputBytes) = (stallSeconds, outputBytes)
        (self.sourceSeconds, self.sourceBytes) = (sourceSeconds, sourceBytes)
    }

    /// A job's own caps can lower its worker's, and only an overflow retry raises memory, on one thread.
    package func lowered(by job: JobCaps, overflowBytes: Int64?) -> EffectiveCaps {
        var caps = self
        caps.memoryBytes = min(memoryBytes, job.memoryBytes ?? memoryBytes)
        caps.threads = max(1, min(threads, job.threads ?? threads))
        caps.wallSeconds = min(wallSeconds, job.wallSeconds ?? wallSeconds)
        caps.stallSeconds = min(stallSeconds, job.stallSeconds ?? stallSeconds)
        caps.outputBytes = min(outputBytes, job.outputBytes ?? outputBytes)
        if let overflowBytes {
            caps.memoryBytes = max(caps.memoryBytes, overflowBytes)
            caps.threads = 1
        }
        return caps
    }
}
