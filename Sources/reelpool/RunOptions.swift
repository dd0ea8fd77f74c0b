internal import ArgumentParser
internal import Dispatch
internal import Engine
internal import LocalFiles
internal import Media
internal import Model
internal import Synchronization

/// What every command that works for a while has: threads, progress, JSON, and a clean stop on SIGINT and SIGTERM.
struct RunOptions: ParsableArguments {
    enum ProgressStyle: String, ExpressibleByArgument, CaseIterable { case auto, bar, json, none }

    @Flag(help: "Print the result, or the error, as JSON.")
    var json = false

    @Option(help: "Threads for decoding, filters and encoding together; default: all cores.")
    var threads: Int?

    @Option(help: "Progress on standard error: bar, json (one object a line), none; auto: a bar on a terminal.")
    var progress: ProgressStyle = .auto

    /// The means of one run.
    struct Job {
        var threads: ThreadBudget
        var meter: ProgressMeter
        var cancellation: Cancellation
    }

    func validate() throws {
        if let threads, !(1...256).contains(threads) { throw ValidationError("--threads takes 1 to 256.") }
    }

    /// The process is about to end on another thread.
    private static func waitForExit() async {
        await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
    }

    /// Runs blocking work on a thread of its own, so that Swift's pool stays free and signals are heard.
    ///
    /// - Parameter work: returns what to print on standard output.
    func perform(subject: String, _ work: @escaping (Job) throws -> String) async throws {
        let cancellation = Cancellation()
        let display = ProgressDisplay(style: progress)
        let json = json
        // Whoever comes first, the work's own end or the stop that cannot wait, speaks; the other is silent.
        let settled = Settled()
        StopSignals.listen(stop: { cancellation.raise() }) {
            guard settled.claim() else { return }
            display.finish()
            let failure = Failure(code: .cancelled, message: "the work was cancelled; nothing was written")
            FailureOutput.print(failure, json: json, subject: json ? nil : subject)
            StagedFiles.abandon(exitStatus: failure.category.exitStatus)
        }
        let job = UncheckedJob(
            job: Job(
                threads: ThreadBudget(total: threads ?? availableCores()),
                meter: ProgressMeter(report: { display.show($0) }), cancellation: cancellation),
            work: work)
        let result: Result<String, any Error> = await withCheckedContinuation { continuation in
            DispatchQueue(label: "reelpool.job").async {
                continuation.resume(returning: Result { try job.work(job.job) })
            }
        }
        guard settled.claim() else { return await Self.waitForExit() }
        display.finish()
        do {
            print(try result.get())
        } catch {
            throw ExitCode.failed(error, json: json, subject: json ? nil : subject)
        }
    }
}

/// True for one caller only.
private final class Settled: Sendable {
    private let isTaken = Atomic(false)
    func claim() -> Bool { !isTaken.exchange(true, ordering: .acquiringAndReleasing) }
}

/// SAFETY: handed once to one queue and used only there.
private struct UncheckedJob: @unchecked Sendable {
    let job: RunOptions.Job
    let work: (RunOptions.Job) throws -> String
}
