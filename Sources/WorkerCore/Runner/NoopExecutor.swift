package import Model

/// Does nothing, and says so: what is left is the pool's own cost.
package struct NoopExecutor: TaskExecutor {
    package init() {}

    package func run(
        _ attempt: Attempt, report: @escaping @Sendable (ProgressEvent) -> Void
    ) async -> AttemptResult { .succeeded("{}") }
}
