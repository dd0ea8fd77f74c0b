package import Isolation
internal import Model
internal import Synchronization

/// Keeps a template running, and forks jobs' processes off it.
///
/// A template is replaced when it dies, and after so many forks, because all forks of one share its address layout.
/// Processes that were forked live on: they belong to the daemon.
package final class CodecTemplate: Sendable {
    package struct Settings: Sendable {
        /// Path of `reelpool-codec`.
        package var program: String
        package var forksPerTemplate = 100
        /// `NAME=value`. Nothing that a job may not know: every process of a job has it in its memory.
        package var environment: [String] = []
        /// - Parameter fonts: the folder of the fonts that captions may name; `nil` for the usual one.
        package init(program: String, fonts: String? = nil) {
            self.program = program
            if let fonts { environment.append("REELPOOL_FONTS=\(fonts)") }
        }
    }

    private struct State {
        var current: TemplateHandle?
        var forks = 0
        var isStopped = false
    }

    /// The template that takes over next: being started, or ready.
    private struct Successor {
        var handle: TemplateHandle?
        var isStarting = false
        var isUnwanted = false
    }

    private let settings: Settings
    /// Held while forking: one at a time.
    private let state = Mutex(State())
    /// A lock of its own, held for moments only: whoever forks may be waiting for what is being started.
    private let successor = Mutex(Successor())

    package init(_ settings: Settings) { self.settings = settings }

    /// Starts a template now, so that the first job need not wait and faults show at once.
    package func start() throws {
        try state.withLock { state in
            if state.current == nil { try replace(&state) }
        }
    }

    /// Ends the template; jobs that run go on.
    package func stop() {
        let current = state.withLock { state -> TemplateHandle? in
            state.isStopped = true
            defer { state.current = nil }
            return state.current
        }
        let next = successor.withLock { successor in
            successor.isUnwanted = true
            return successor.handle.take()
        }
        let handles = [current, next]
        // Ended and reaped here, not under the lock.
        withExtendedLifetime(handles) {}
    }

    deinit { stop() }

    /// The template's process, for observation; `nil` when none runs.
    package var processIdentifier: Int32? { state.withLock { $0.current?.process.identifier } }

    /// A process that has everything loaded, is shut in, and waits for its job.
    ///
    /// Blocks for some milliseconds, and for some hundred when a template must be started first.
    /// - Parameter cpuSeconds: after which the kernel ends the process, should the daemon not; `nil` for none.
    package func fork(cpuSeconds: Int? = nil) throws -> CodecChild {
        try state.withLock { state in
            guard !state.isStopped else {
                throw Failure(code: .drained, message: "the worker is being shut down")
            }
            if state.current == nil || state.forks >= settings.forksPerTemplate { try replace(&state) }
            do {
                return try fork(&state, cpuSeconds)
            } catch is IsolationError {
                // The template died; once is bad luck.
                try replace(&state)
                return try fork(&state, cpuSeconds)
            }
        }
    }

    /// What a job's process finds to shut itself in with on this machine, tried out by one. Blocks for some milliseconds.
    package func inspectSandbox() throws -> SandboxReport {
        for _ in 0..<2 {
            if let report = try fork().greeting() { return report }
        }
        throw IsolationError(.sandboxUnavailable, "a process for a job does not come up")
    }

    private func fork(_ state: inout State, _ cpuSeconds: Int?) throws -> CodecChild {
        guard let current = state.current else {
            throw IsolationError(.sandboxUnavailable, "there is no template")
        }
        let started = MonotonicClock.seconds
        let (memory, descriptor) = try SharedMemory.make(bytes: ChannelLayout.totalBytes)
        let (channel, process) = try Self.fork(current, descriptor, cpuSeconds)
        state.forks += 1
        if state.forks == max(1, settings.forksPerTemplate - Self.headStart) { startSuccessor() }
        return CodecChild(
            process: process, channel: channel, memory: memory, forkSeconds: MonotonicClock.seconds - started)
    }

    /// Forks before the last one at which the next template is started, so that nobody waits for it.
    private static let headStart = 10

    /// The child's end is closed here when this returns, so that its death closes the channel.
    private static func fork(
        _ template: TemplateHandle, _ memory: Descriptor, _ cpuSeconds: Int?
    ) throws -> (MessageSocket, ProcessHandle) {
        let (mine, its) = try MessageSocket.pair()
        return (mine, try template.fork(channel: its, memory: memory, cpuSeconds: cpuSeconds))
    }

    private func replace(_ state: inout State) throws {
        state.current = nil
        state.forks = 0
        // What is being started there is ready when the thread is free again.
        if successor.withLock({ $0.isStarting }) { try SpawningThread.shared.run {} }
        if let next = successor.withLock({ $0.handle.take() }), next.process.usage() != nil {
            state.current = next
        } else {
            state.current = try SpawningThread.shared.run { [settings] in try Self.spawn(settings) }
        }
    }

    private func startSuccessor() {
        let mustStart = successor.withLock { successor in
            guard !successor.isStarting, successor.handle == nil else { return false }
            successor.isStarting = true
            return true
        }
        guard mustStart else { return }
        do throws(IsolationError) {
            try SpawningThread.shared.enqueue { [weak self, settings] in
                // When it fails, the fork that needs it tries again and tells why.
                let handle = try? Self.spawn(settings)
                self?.successor.withLock { successor in
                    successor.isStarting = false
                    if !successor.isUnwanted { successor.handle = handle }
                }
            }
        } catch {
            successor.withLock { $0.isStarting = false }
        }
    }

    /// A template that is killed while it loads is started again: once is bad luck, as with a fork.
    private static func spawn(_ settings: Settings) throws -> TemplateHandle {
        do {
            return try TemplateHandle(program: settings.program, environment: settings.environment)
        } catch {
            return try TemplateHandle(program: settings.program, environment: settings.environment)
        }
    }
}
