package import Isolation
package import Model
internal import Synchronization

/// A process forked for one job, from its birth to its burial.
///
/// Nothing that comes from it is trusted. It is killed when it is done, when this object goes away, and by `kill`.
package final class CodecChild: Sendable {
    /// Several times what the hungriest encoder starts.
    private static let threadLimit = 1024

    private struct State {
        var killReason: KillReason?
        /// The end came first: what kills it now is only the clearing up.
        var hasEnded = false
        var limits: ChildJob.Limits?
        var files: (any ChildFiles)?
        var started = 0.0
        var lastSign = 0.0
        /// Set while a byte request is being served: the process waits for us then.
        var servingSince: Double?
        var peakMemoryBytes: Int64 = 0
    }

    private let process: ProcessHandle
    private let channel: MessageSocket
    private let memory: SharedMemory
    private let state = Mutex(State())
    package let forkSeconds: Double

    init(process: ProcessHandle, channel: MessageSocket, memory: SharedMemory, forkSeconds: Double) {
        (self.process, self.channel, self.memory) = (process, channel, memory)
        self.forkSeconds = forkSeconds
    }

    package var processIdentifier: Int32 { process.identifier }

    /// Does the job; call it once. Returns when the process is gone and nothing of this object runs any more.
    ///
    /// - Parameter progress: called on the job's thread, at most about ten times a second.
    package func run(
        _ job: ChildJob, files: any ChildFiles, progress: @escaping @Sendable (ProgressEvent) -> Void = { _ in }
    ) async -> ChildEnding {
        await withCheckedContinuation { continuation in
            do throws(IsolationError) {
                try DedicatedThread.start { [self] in
                    continuation.resume(returning: perform(job, files: files, progress: progress))
                }
            } catch {
                process.kill()
                continuation.resume(
                    returning: ChildEnding(
                        outcome: .failed(Failure(error)), metrics: metrics(exit: process.reap()), sandbox: nil))
            }
        }
    }

    /// Ends the process at once. The first reason counts, and none when the job is over already.
    package func kill(_ reason: KillReason) {
        let files = state.withLock { state -> (any ChildFiles)?? in
            guard !state.hasEnded, state.killReason == nil else { return nil }
            state.killReason = reason
            return .some(state.files)
        }
        guard let files else { return }
        process.kill()
        // A peer that closed its end before it hung would leave the job's thread waiting.
        channel.shutDown()
        files?.interrupt()
    }

    /// Waits for the process to be shut in, instead of giving it a job.
    package func greeting() -> SandboxReport? {
        guard case .message(let message) = channel.receive(), message.kind == .hello else { return nil }
        return SandboxReport(greeting: message)
    }

    // MARK: The job's thread

    private func perform(
        _ job: ChildJob, files: any ChildFiles, progress: @escaping @Sendable (ProgressEvent) -> Void
    ) -> ChildEnding {
        let killsBefore = OutOfMemoryKills.count()
        let started = MonotonicClock.seconds
        state.withLock { state in
            (state.limits, state.files) = (job.limits, files)
            (state.started, state.lastSign) = (started, started)
        }
        let conversation = Conversation(
            job, files: files, channel: channel, memory: memory, hooks: hooks(progress: progress))
        do throws(IsolationError) {
            try ChildSupervisor.shared.watch(self)
        } catch {
            kill(.unprotected(error.message))
        }
        // What cannot be watched cannot be bounded.
        if !process.isObservable { kill(.unprotected("/proc does not tell what a process uses")) }
        conversation.hold()
        // Whatever the conversation ended with, the process is of no further use.
        let reason = state.withLock { state -> KillReason? in
            state.hasEnded = true
            state.files = nil
            return state.killReason
        }
        process.kill()
        let exit = process.reap()
        ChildSupervisor.shared.forget(self)
        var result = metrics(exit: exit)
        result.wallSeconds = MonotonicClock.seconds - started
        result.sandboxSeconds = conversation.sandbox?.seconds ?? 0
        (result.readBytes, result.writtenBytes) = (conversation.bytesRead, conversation.bytesWritten)
        let outcome =
            reason.map { .killed($0) } ?? conversation.outcome
            ?? outcome(of: exit, killsBefore: killsBefore)
        return ChildEnding(outcome: outcome, metrics: result, sandbox: conversation.sandbox)
    }

    private func hooks(progress: @escaping @Sendable (ProgressEvent) -> Void) -> Conversation.Hooks {
        Conversation.Hooks(
            violation: { [self] in kill(.violation($0)) },
            unprotected: { [self] in kill(.unprotected($0)) },
            outputTooLarge: { [self] in kill(.outputSize) },
            beginServing: { [self] in
                let now = MonotonicClock.seconds
                state.withLock { $0.servingSince = now }
            },
            endServing: { [self] in
                let now = MonotonicClock.seconds
                state.withLock { state in
                    state.servingSince = nil
                    state.lastSign = now
                }
            },
            progress: { [self] event in
                let now = MonotonicClock.seconds
                state.withLock { $0.lastSign = now }
                progress(event)
            })
    }

    /// A process that was killed by nobody here was killed for want of memory, if the kernel did that meanwhile.
    private func outcome(of exit: ProcessExit, killsBefore: Int?) -> ChildOutcome {
        if exit.signal == 9, let before = killsBefore, let after = OutOfMemoryKills.count(), after > before {
            return .killed(.memory)
        }
        return .crashed(signal: exit.signal)
    }

    private func metrics(exit: ProcessExit) -> ChildMetrics {
        var metrics = ChildMetrics()
        metrics.forkSeconds = forkSeconds
        metrics.cpuSeconds = exit.cpuSeconds
        metrics.peakMemoryBytes = state.withLock { $0.peakMemoryBytes }
        return metrics
    }

    // MARK: The supervisor's thread

    func check(at now: Double) {
        let usage = process.usage()
        let reason = state.withLock { state -> KillReason? in
            guard let limits = state.limits, !state.hasEnded, state.killReason == nil else { return nil }
            if let usage {
                state.peakMemoryBytes = max(state.peakMemoryBytes, usage.memoryBytes)
                if usage.memoryBytes > limits.memoryBytes { return .memory }
                if usage.threads > Self.threadLimit { return .violation("\(usage.threads) threads") }
            }
            if now - state.started > limits.wallSeconds { return .wallTime }
            if (state.servingSince ?? now) - state.lastSign > limits.stallSeconds { return .stall }
            return nil
        }
        if let reason { kill(reason) }
    }
}
