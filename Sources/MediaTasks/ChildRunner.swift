internal import CodecHost
internal import Model
internal import WorkerCore

/// Has processes do what attempts consist of.
protocol ChildRuns: Sendable {
    /// Fails jobs whose processes could not shut themselves in.
    var requiresSandbox: Bool { get }

    /// - Returns: what the process made, and the names of the outputs that count.
    /// - Throws: why it ended without; at once when the switch is pressed.
    func run(
        _ job: ChildJob, _ files: JobFiles, _ stop: StopSwitch, _ interruption: Interruption,
        _ report: @escaping @Sendable (ProgressEvent) -> Void
    ) async throws -> (ChildResult, outputs: [String])
}

/// Forks a process for each, and kills it when the attempt is to stop.
struct ChildRunner: ChildRuns {
    let template: CodecTemplate
    let requiresSandbox: Bool

    func run(
        _ job: ChildJob, _ files: JobFiles, _ stop: StopSwitch, _ interruption: Interruption,
        _ report: @escaping @Sendable (ProgressEvent) -> Void
    ) async throws -> (ChildResult, outputs: [String]) {
        if let reason = stop.reason { throw reason.failure }
        let template = template
        let child = try await OwnThread.run(named: "reelpool.fork") { try template.fork() }
        stop.listen { reason in
            child.kill(reason.killReason)
            interruption.raise()
        }
        defer { stop.listen { _ in interruption.raise() } }
        let ending = await child.run(job, files: files, progress: report)
        if case .finished(let result, let outputs) = ending.outcome { return (result, outputs) }
        throw ending.outcome.failure ?? Failure(code: .internalFault, message: "a process ended without a reason")
    }
}

extension StopReason {
    fileprivate var killReason: KillReason {
        switch self {
        case .cancelled: .cancelled
        case .drained: .drained
        case .leaseLost: .leaseLost
        }
    }
}
