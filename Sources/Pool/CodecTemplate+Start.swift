internal import CodecHost
internal import Isolation
internal import Logging
internal import Model

extension CodecTemplate {
    /// Starts it, and looks at how well jobs are isolated here.
    ///
    /// - Throws: `sandbox_unavailable` where a part is missing and `requiresSandbox`.
    func startIsolated(requiresSandbox: Bool, log: Logger) throws {
        try start()
        let report = try inspectSandbox()
        if report.isComplete {
            log.info("jobs are fully isolated", metadata: ["landlock_abi": "\(report.landlockABI)"])
            return
        }
        let missing = report.missing.map(\.rawValue).joined(separator: ", ")
        guard !requiresSandbox else {
            throw Failure(
                code: .sandboxUnavailable, message: "jobs cannot be isolated completely here: \(missing) is missing")
        }
        log.warning("jobs are not isolated completely", metadata: ["missing": "\(missing)"])
    }
}
