internal import CLinux
internal import Glibc
internal import Synchronization

/// How a process ended.
package struct ProcessExit: Sendable, Equatable {
    /// `nil` when it exited by itself.
    package var signal: Int32?
    package var status: Int32
    package var cpuSeconds: Double
    /// With all that it shared with the template.
    package var peakResidentBytes: Int64
}

/// What a living process uses, as /proc tells.
package struct ProcessUsage: Sendable, Equatable {
    /// Its own memory: anonymous, shared and swapped out, with the tables that map it; not the program's and the libraries' pages, which the template
    /// and its forks have in common.
    package var memoryBytes: Int64
    package var threads: Int
}

/// A child of this process, killed and reaped by its id and no other.
///
/// A child's id stays its own until it is reaped, so that a kill cannot meet a stranger.
package final class ProcessHandle: Sendable {
    private enum State {
        case running
        case reaped(ProcessExit)
    }

    private static let memoryLines: [StaticString] = ["RssAnon:", "RssShmem:", "VmSwap:", "VmPTE:"]

    package let identifier: Int32
    private let leadsGroup: Bool
    private let status: Descriptor?
    private let state = Mutex(State.running)

    /// - Parameters:
    ///   - identifier: of a child of this process that nobody else reaps.
    ///   - leadsGroup: whether its process group is to die with it. A template's is not: a child that was just forked is
    ///     in it still.
    package init(child identifier: Int32, leadsGroup: Bool) {
        (self.identifier, self.leadsGroup) = (identifier, leadsGroup)
        // Kept open: it means this process whatever comes later.
        let number = open("/proc/\(identifier)/status", O_RDONLY | O_CLOEXEC)
        status = number >= 0 ? Descriptor(owning: number) : nil
    }

    deinit {
        kill()
        _ = reap()
    }

    /// Whether /proc tells what it uses. It does of the dead too, until they are reaped.
    package var isObservable: Bool { status != nil }

    /// Kills it at once; harmless when it is gone.
    package func kill() {
        state.withLock { state in
            if case .running = state { rp_kill(identifier, leadsGroup) }
        }
    }

    /// Waits for its end, which must be near.
    package func reap() -> ProcessExit {
        if case .reaped(let exit) = state.withLock({ $0 }) { return exit }
        // Not under the lock: a kill may be what ends it. Only the thread that runs the job comes here.
        var result = rp_exit()
        let failed = rp_reap(identifier, &result) != 0
        return state.withLock { state in
            if case .reaped(let exit) = state { return exit }
            let exit =
                failed
                ? ProcessExit(signal: nil, status: -1, cpuSeconds: 0, peakResidentBytes: 0)
                : ProcessExit(
                    signal: result.signal == 0 ? nil : result.signal, status: result.status,
                    cpuSeconds: result.cpu_seconds, peakResidentBytes: result.peak_resident_bytes)
            state = .reaped(exit)
            return exit
        }
    }

    /// `nil` when the process is gone, or /proc is not there.
    package func usage() -> ProcessUsage? {
        guard let status else { return nil }
        return withUnsafeTemporaryAllocation(byteCount: 8192, alignment: 1) { buffer in
            let count = pread(status.number, buffer.baseAddress, buffer.count, 0)
            guard count > 0 else { return nil }
            let text = StatusText(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            guard let threads = text.number(after: "Threads:") else { return nil }
            let kilobytes = Self.memoryLines.reduce(0) { $0 + (text.number(after: $1) ?? 0) }
            return ProcessUsage(memoryBytes: kilobytes * 1024, threads: Int(threads))
        }
    }
}

/// /proc/PID/status: a line for each value, its name first. Source: proc_pid_status(5).
private struct StatusText {
    private let bytes: UnsafeRawBufferPointer
    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    func number(after name: StaticString) -> Int64? {
        name.withUTF8Buffer { name in
            var start = 0
            while start < bytes.count {
                let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
                let line = bytes[start..<end]
                if line.starts(with: name) {
                    return line.dropFirst(name.count).reduce(into: Int64?.none) { value, byte in
                        if (0x30...0x39).contains(byte) { value = (value ?? 0) &* 10 &+ Int64(byte - 0x30) }
                    }
                }
                start = end + 1
            }
            return nil
        }
    }
}
