package import Model

/// What becomes of a job when an attempt fails: a pure function of why, and of what the job has been through.
package struct FailurePolicy: Sendable {
    package var backoff: Backoff
    /// Attempts of a job that crashes whatever runs it: one more, elsewhere, and no third.
    package var crashAttempts = 2
    package var maxInterruptions = 10

    package init(backoff: Backoff) { self.backoff = backoff }

    /// What is known where the attempt ran.
    package struct Circumstances: Sendable {
        /// The largest memory that a live worker offers one job of this kind.
        package var largestBudgetBytes: Int64
        /// The cap that this attempt ran under.
        package var memoryCapBytes: Int64
        /// In 0..<1, evenly spread.
        package var random: Double

        package init(largestBudgetBytes: Int64, memoryCapBytes: Int64, random: Double) {
            (self.largestBudgetBytes, self.memoryCapBytes) = (largestBudgetBytes, memoryCapBytes)
            self.random = random
        }
    }

    package func outcome(
        of failure: Failure, job: JobRecord, circumstances: Circumstances
    ) -> AttemptEnding.Outcome {
        let isLast = job.attempt >= job.maxAttempts
        switch failure.category {
        case .invalidInput, .unsupportedMedia, .insufficientCredit:
            return .failed(failure)
        case .limitExceeded:
            guard failure.code == .memoryLimit, !job.isOverflow,
                circumstances.largestBudgetBytes > circumstances.memoryCapBytes
            else { return .failed(failure) }
            return .retry(
                failure, afterSeconds: 0, avoidingWorker: false,
                overflow: OverflowRetry(memoryBytes: circumstances.largestBudgetBytes))
        case .cancelled:
            return .cancelled(failure)
        case .interrupted:
            return .interrupted(failure)
        case .crashed:
            if isLast || job.attempt >= crashAttempts { return .dead(failure) }
            return .retry(failure, afterSeconds: 0, avoidingWorker: true, overflow: nil)
        case .dependencyUnavailable, .internalFault:
            if isLast { return .dead(failure) }
            return .retry(
                failure, afterSeconds: backoff.pauseSeconds(afterAttempt: job.attempt, unit: circumstances.random),
                avoidingWorker: false, overflow: nil)
        }
    }
}
