internal import CLinux
internal import Glibc
package import Model

/// A job's process talking to the daemon: asks for bytes, hands bytes over, tells how far it is.
///
/// For one thread. A daemon that is gone or does not keep to the protocol ends the process at once: nobody would hear
/// of an error, and there is nothing to clean up.
package final class ParentLink {
    private let channel: Int32
    private let memory: SharedMemory
    private let reads = ReadWindow()
    private let writes = WriteRing()
    private var outputsCreated = 0
    private var committed: Int64 = 0

    package init(_ child: consuming ForkedChild) {
        (channel, memory) = (child.channel, child.memory)
        let report = child.report
        send(
            ChannelMessage(
                .hello, slot: Int(report.landlock_abi), resource: report.applied, offset: Int64(report.nanoseconds)))
    }

    /// Waits for the task, and reads it.
    package func takeTask() -> [UInt8] {
        let begin = receive()
        guard begin.kind == .begin, begin.count >= 0, begin.count <= Int64(ChannelLayout.documentLimitBytes) else {
            endProcess(status: 1)
        }
        var task = [UInt8](repeating: 0, count: Int(begin.count))
        let count = task.withUnsafeMutableBytes {
            read(ChannelMessage.document, sizeBytes: begin.count, into: $0, at: 0)
        }
        guard count == task.count else { endProcess(status: 1) }
        return task
    }

    package func tell(_ progress: ProgressEvent) { send(ChannelMessage(progress: progress)) }

    /// Hands over the result and ends the process. The daemon ends it too, so this does not return.
    package func finish(_ result: [UInt8], succeeded: Bool) -> Never {
        result.withUnsafeBytes { write(ChannelMessage.document, $0, at: 0) }
        flush()
        send(
            ChannelMessage(
                .end, slot: succeeded ? 0 : 1, offset: succeeded ? committed : 0, count: Int64(result.count)))
        endProcess(status: 0)
    }

    // MARK: Reading

    /// Fills `buffer` from `offset` on, as far as the resource goes.
    ///
    /// - Parameter inParts: only parts of the resource may be read: nothing is asked for beyond an answer that was
    ///   shorter than the question, and nothing ahead.
    func read(
        _ resource: UInt32, sizeBytes: Int64?, inParts: Bool = false, into buffer: UnsafeMutableRawBufferPointer,
        at offset: Int64
    ) -> Int {
        // Broken media asks for the strangest places; beyond here sums would not fit.
        let limit = min(sizeBytes ?? .max, 1 << 60)
        guard offset >= 0, offset < limit else { return 0 }
        let pattern = reads.note(resource, offset: offset, count: buffer.count)
        var done = 0
        while done < buffer.count, offset + Int64(done) < limit {
            let position = offset + Int64(done)
            guard let slot = reads.slot(resource, holding: position) else {
                ask(resource, at: position, count: max(pattern.requestBytes, buffer.count - done), limit: limit)
                continue
            }
            waitForSlot(slot)
            guard let bytes = reads.bytes(in: slot, from: position) else {
                // Nothing at this position: the end.
                guard !reads.isEnd(slot, at: position) else { break }
                continue
            }
            let count = min(bytes.count, buffer.count - done)
            guard let source = memory.slot(slot)?[bytes].prefix(count) else { endProcess(status: 1) }
            UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + count])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: source))
            done += count
            if inParts, reads.isShort(slot) { break }
        }
        if inParts { return done }
        readAhead(resource, from: offset + Int64(done), limit: limit, slots: pattern.aheadSlots)
        return done
    }

    private func ask(_ resource: UInt32, at offset: Int64, count: Int, limit: Int64) {
        var slot = reads.takeSlot()
        while slot == nil {
            handle(receive())
            slot = reads.takeSlot()
        }
        guard let slot else { return }
        request(slot, resource, at: offset, count: count, limit: limit)
    }

    private func request(_ slot: Int, _ resource: UInt32, at offset: Int64, count: Int, limit: Int64) {
        let wanted = Int(min(Int64(min(count, ChannelLayout.slotBytes)), limit - offset))
        reads.begin(slot, resource, offset: offset, count: wanted)
        send(ChannelMessage(.read, slot: slot, resource: resource, offset: offset, count: Int64(wanted)))
    }

    /// Asks for what will be wanted next, without waiting for it.
    private func readAhead(_ resource: UInt32, from offset: Int64, limit: Int64, slots: Int) {
        var position = offset
        for _ in 0..<slots where position < limit {
            if let held = reads.slot(resource, holding: position) {
                position = reads.end(of: held)
            } else {
                guard let free = reads.takeSlot(keeping: resource, from: offset) else { return }
                request(free, resource, at: position, count: ChannelLayout.slotBytes, limit: limit)
                position = reads.end(of: free)
            }
        }
    }

    private func waitForSlot(_ slot: Int) {
        while reads.isPending(slot) { handle(receive()) }
    }

    // MARK: Writing

    /// Begins an output, or begins it again with nothing in it.
    func create(_ output: UInt32, headBytes: Int64) {
        writes.forget(output)
        reads.invalidate(output | ChannelMessage.outputFlag, 0..<Int64.max)
        committed &= ~(1 << Int64(output))
        let before = outputsCreated
        send(ChannelMessage(.create, resource: output, count: headBytes))
        while outputsCreated == before { handle(receive()) }
    }

    func write(_ output: UInt32, _ bytes: UnsafeRawBufferPointer, at offset: Int64) {
        var done = 0
        while done < bytes.count {
            let position = offset + Int64(done)
            guard let (slot, used) = writes.open(output, at: position) else {
                if let sent = writes.closeOldest() { sendSlot(sent) } else { handle(receive()) }
                continue
            }
            if let sent = writes.takeReplaced() { sendSlot(sent) }
            guard let target = memory.slot(slot) else { endProcess(status: 1) }
            let count = min(ChannelLayout.slotBytes - used, bytes.count - done)
            UnsafeMutableRawBufferPointer(rebasing: target[used..<used + count])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[done..<done + count]))
            if writes.add(count, to: slot) { sendSlot(slot) }
            done += count
        }
        reads.invalidate(output | ChannelMessage.outputFlag, offset..<offset + Int64(bytes.count))
    }

    /// Reads an output back, as far as its store can: what was written before is sent first, and the daemon keeps the
    /// order.
    func readBack(
        _ output: UInt32, sizeBytes: Int64, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) -> Int {
        if let slot = writes.closeFilling(output) { sendSlot(slot) }
        return read(
            output | ChannelMessage.outputFlag, sizeBytes: sizeBytes, inParts: true, into: buffer, at: offset)
    }

    func commit(_ output: UInt32) { committed |= 1 << Int64(output) }

    /// Waits until the daemon has taken everything that was written.
    private func flush() {
        while let slot = writes.closeOldest() { sendSlot(slot) }
        while writes.hasPending { handle(receive()) }
    }

    private func sendSlot(_ slot: Int) {
        let (output, offset, count) = writes.contents(of: slot)
        send(ChannelMessage(.write, slot: slot, resource: output, offset: offset, count: Int64(count)))
    }

    // MARK: Messages

    private func handle(_ message: ChannelMessage) {
        switch message.kind {
        case .filled: reads.finish(Int(message.slot), count: Int(clamping: message.count))
        case .written: writes.free(Int(message.slot))
        case .created: outputsCreated += 1
        default: endProcess(status: 1)
        }
    }

    // read and write, because the filter allows no other calls on sockets.

    private func send(_ message: ChannelMessage) {
        let sent = message.withBytes { bytes in
            while true {
                let count = Glibc.write(channel, bytes.baseAddress, bytes.count)
                if count >= 0 || errno != EINTR { return count }
            }
        }
        if sent != ChannelMessage.byteCount { endProcess(status: 1) }
    }

    private func receive() -> ChannelMessage {
        let message = withUnsafeTemporaryAllocation(byteCount: ChannelMessage.byteCount, alignment: 8) {
            buffer -> ChannelMessage? in
            while true {
                let count = Glibc.read(channel, buffer.baseAddress, buffer.count)
                if count == ChannelMessage.byteCount { return ChannelMessage(UnsafeRawBufferPointer(buffer)) }
                if count >= 0 || errno != EINTR { return nil }
            }
        }
        guard let message else { endProcess(status: 1) }
        return message
    }
}
