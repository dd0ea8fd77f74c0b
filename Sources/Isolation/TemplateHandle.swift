internal import CLinux
internal import Glibc
internal import Model

/// A running template, from the daemon's side.
///
/// `fork` is called by one thread at a time, which the owner sees to.
package final class TemplateHandle: Sendable {
    /// Loading some two hundred libraries takes 0.1 s on an idle machine.
    private static let startMilliseconds: Int32 = 30_000
    private static let forkMilliseconds: Int32 = 10_000

    private let channel: MessageSocket
    package let process: ProcessHandle

    /// Starts a template and waits until it has loaded everything.
    ///
    /// Call it on a thread that lives as long as this process: the kernel takes that thread's end for the parent's death.
    /// - Parameters:
    ///   - program: its path; it is called as `program template --channel-fd 3`.
    ///   - environment: `NAME=value`; all that it and its children get.
    package init(program: String, environment: [String]) throws(IsolationError) {
        (channel, process) = try Self.spawn(program, environment)
        _ = rp_receive_timeout(channel.number, Self.startMilliseconds)
        guard case .message(let message) = channel.receive(), message.kind == .hello else {
            process.kill()
            let exit = process.reap()
            throw IsolationError(
                .sandboxUnavailable, "\(program) does not come up",
                detail: exit.signal.map { "signal \($0)" } ?? "exit status \(exit.status)")
        }
        _ = rp_receive_timeout(channel.number, Self.forkMilliseconds)
    }

    /// The other end is closed here when this returns, so that the template's death closes the channel.
    private static func spawn(
        _ program: String, _ environment: [String]
    ) throws(IsolationError) -> (MessageSocket, ProcessHandle) {
        let (mine, its) = try MessageSocket.pair()
        let arguments = [program, "template", "--channel-fd", "3"]
        let identifier = withCStrings(arguments) { arguments in
            withCStrings(environment) { environment in rp_spawn(program, arguments, environment, its.number) }
        }
        guard identifier > 0 else {
            throw IsolationError("\(program) cannot be started", reason: -identifier, code: .sandboxUnavailable)
        }
        return (mine, ProcessHandle(child: identifier, leadsGroup: false))
    }

    deinit {
        // It ends by itself when the channel closes; whatever it is doing, nobody wants it any more.
        process.kill()
        _ = process.reap()
    }

    /// Forks a child that has one end of a channel and shared memory.
    ///
    /// - Parameter cpuSeconds: after which the kernel ends it, should all else fail; `nil` for none.
    /// - Throws: when the template is gone or broken; another is needed then.
    package func fork(
        channel theirs: MessageSocket, memory: Descriptor, cpuSeconds: Int?
    ) throws(IsolationError) -> ProcessHandle {
        var request = rp_fork_request(
            version: UInt32(RP_FORK_VERSION), reserved: 0, cpu_seconds: UInt64(max(0, cpuSeconds ?? 0)))
        let descriptors = [theirs.number, memory.number]
        let size = MemoryLayout<rp_fork_request>.size
        let sent = rp_send(channel.number, &request, size, descriptors, 2)
        guard sent == size else { throw IsolationError("the template is gone", reason: Int32(-min(0, sent))) }
        var answer: Int32 = 0
        let received = rp_receive(channel.number, &answer, MemoryLayout<Int32>.size, nil, nil)
        guard received == MemoryLayout<Int32>.size else {
            throw IsolationError("the template does not answer", reason: Int32(-min(0, received)))
        }
        guard answer > 0 else { throw IsolationError("the template cannot fork", reason: -answer) }
        return ProcessHandle(child: answer, leadsGroup: true)
    }
}

/// Lends an array of C strings with a null at its end.
private func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var copies: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
    copies.append(nil)
    defer { for copy in copies { free(copy) } }
    return copies.withUnsafeBufferPointer { body($0.baseAddress.unsafelyUnwrapped) }
}
