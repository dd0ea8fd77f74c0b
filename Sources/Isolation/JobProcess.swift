internal import CLinux
internal import Glibc
internal import Model

/// A forked process as the template sees it being born: shut in already, with its channel and its memory.
package struct ForkedChild {
    package let memory: SharedMemory
    let report: rp_sandbox_report
    let channel: Int32
}

/// The template's side of forking.
package enum TemplateLoop {
    /// The descriptor by which a template is talked to.
    package static let channel: Int32 = 3

    /// Forks a child for each request until the daemon closes the channel or dies.
    ///
    /// - Returns: in a child, what it needs to go on; in the template `nil`, at its end.
    /// - Throws: when this process has several threads: only the calling one would live on in a fork, and whatever
    ///   locks the others held would stay locked.
    package static func serve() throws(IsolationError) -> ForkedChild? {
        guard DedicatedThread.count == 1 else {
            throw IsolationError(.internalFault, "a template must have one thread when it begins to serve")
        }
        var child = rp_child()
        let status = rp_template_serve(channel, &child)
        guard status >= 0 else { throw IsolationError("the template failed", reason: -status) }
        guard status == 1, let start = child.memory else { return nil }
        return ForkedChild(
            memory: SharedMemory(mapped: start, bytes: child.memory_bytes), report: child.report,
            channel: child.channel)
    }

    /// Tells the daemon that everything is loaded.
    package static func announce() throws(IsolationError) {
        let message = ChannelMessage(.hello)
        let sent = message.withBytes { rp_send(channel, $0.baseAddress, $0.count, nil, 0) }
        guard sent == ChannelMessage.byteCount else { throw IsolationError("nobody listens", reason: Int32(-sent)) }
    }
}

/// Ends this process at once: no handlers, no destructors, which belong to the template.
package func endProcess(status: Int32) -> Never { _exit(status) }
