internal import Isolation
internal import Model

/// The daemon's side of the channel: answers what a process asks, as far as that is its business.
///
/// Every number that comes over the channel is checked against what the task allows. Shared memory is copied once, and
/// only the copy is looked at.
final class Conversation {
    /// What the conversation leads to outside of it.
    struct Hooks {
        var violation: (String) -> Void
        var unprotected: (String) -> Void
        var outputTooLarge: () -> Void
        var beginServing: () -> Void
        var endServing: () -> Void
        var progress: (ProgressEvent) -> Void
    }

    private struct Output {
        var sink: any RereadableSink
        var end: Int64 = 0
    }

    private let job: ChildJob
    private let files: any ChildFiles
    private let channel: MessageSocket
    private let memory: SharedMemory
    private let hooks: Hooks

    private var task: [UInt8] = []
    private var sources: [Int: any ByteSource] = [:]
    private var outputs: [Int: Output] = [:]
    private var result: [UInt8] = []
    private var copy = [UInt8](repeating: 0, count: ChannelLayout.slotBytes)
    private var progressMeter = FloodGate()
    private var lastProgress: ProgressEvent?

    private(set) var sandbox: SandboxReport?
    private(set) var bytesRead: Int64 = 0
    private(set) var bytesWritten: Int64 = 0
    /// What it came to; `nil` when the process was gone before it said.
    private(set) var outcome: ChildOutcome?

    init(_ job: ChildJob, files: any ChildFiles, channel: MessageSocket, memory: SharedMemory, hooks: Hooks) {
        (self.job, self.files, self.channel, self.memory, self.hooks) = (job, files, channel, memory, hooks)
    }

    /// Goes on until the process ends, or should.
    func hold() {
        do {
            task = try job.task.encoded()
        } catch {
            outcome = .failed(Failure(error))
            return
        }
        while outcome == nil {
            switch channel.receive() {
            case .closed: return
            case .nonsense: return hooks.violation("not a message")
            case .message(let message):
                guard answer(message) else { return }
            }
        }
    }

    /// - Returns: `false` when the conversation is over.
    private func answer(_ message: ChannelMessage) -> Bool {
        switch (message.kind, sandbox) {
        case (.hello, nil): greet(message)
        case (.read, _?): read(message)
        case (.write, _?): write(message)
        case (.create, _?): create(message)
        case (.progress, _?): progress(message)
        case (.end, _?): end(message)
        default: refuse("a message out of place: \(message.kind)")
        }
    }

    private func refuse(_ what: String) -> Bool {
        hooks.violation(what)
        return false
    }

    private func send(_ message: ChannelMessage) -> Bool {
        switch channel.sendAtOnce(message) {
        case .delivered: true
        // There is room for far more answers than an honest process has questions open.
        case .refused: refuse("it does not listen")
        case .closed: false
        }
    }

    /// Runs what may block or fail on this side. A failure ends the job, with its own classification.
    private func serve(_ work: () throws -> Void) -> Bool {
        hooks.beginServing()
        defer { hooks.endServing() }
        do {
            try work()
            return true
        } catch {
            outcome = .failed(Failure(error))
            return false
        }
    }

    // MARK: Messages

    private func greet(_ message: ChannelMessage) -> Bool {
        let report = SandboxReport(greeting: message)
        sandbox = report
        guard report.isComplete || !job.requiresSandbox else {
            hooks.unprotected("missing: " + report.missing.map(\.rawValue).joined(separator: ", "))
            return false
        }
        return send(ChannelMessage(.begin, count: Int64(task.count)))
    }

    private func read(_ message: ChannelMessage) -> Bool {
        guard Int(message.slot) < ChannelLayout.readSlots, let slot = memory.slot(Int(message.slot)),
            message.count > 0, message.count <= Int64(slot.count), message.offset >= 0,
            message.offset <= Int64.max - message.count
        else { return refuse("a read outside of what there is") }
        let target = UnsafeMutableRawBufferPointer(rebasing: slot[..<Int(message.count)])
        var count = 0
        if message.resource == ChannelMessage.document {
            count = readTask(into: target, at: message.offset)
        } else {
            bytesRead += message.count
            guard bytesRead <= job.limits.readBytes else { return refuse("it reads without end") }
            let resource = Int(message.resource & ~ChannelMessage.outputFlag)
            let isOutput = message.resource & ChannelMessage.outputFlag != 0
            guard isOutput ? outputs[resource] != nil : resource < job.task.sources.count else {
                return refuse("a read of what was not offered")
            }
            let isServed = serve {
                let source = isOutput ? outputs[resource]?.sink : try source(resource)
                count = try source?.read(into: target, at: message.offset) ?? 0
            }
            guard isServed else { return false }
        }
        return send(ChannelMessage(.filled, slot: Int(message.slot), count: Int64(max(0, min(count, target.count)))))
    }

    private func readTask(into target: UnsafeMutableRawBufferPointer, at offset: Int64) -> Int {
        guard offset < Int64(task.count) else { return 0 }
        let part = task[Int(offset)...].prefix(target.count)
        target.copyBytes(from: part)
        return part.count
    }

    private func source(_ index: Int) throws -> any ByteSource {
        if let open = sources[index] { return open }
        let source = try files.openSource(index)
        sources[index] = source
        return source
    }

    private func write(_ message: ChannelMessage) -> Bool {
        let number = Int(message.slot)
        guard number >= ChannelLayout.readSlots, let slot = memory.slot(number), message.count > 0,
            message.count <= Int64(slot.count), message.offset >= 0, message.offset <= Int64.max - message.count
        else { return refuse("a write outside of what there is") }
        let (count, end) = (Int(message.count), message.offset + message.count)
        copy.withUnsafeMutableBytes { copy in
            copy.copyMemory(from: UnsafeRawBufferPointer(rebasing: slot[..<count]))
        }
        if message.resource == ChannelMessage.document {
            guard message.offset == Int64(result.count), end <= Int64(ChannelLayout.documentLimitBytes) else {
                return refuse("a result that is none")
            }
            result += copy[..<count]
        } else {
            let index = Int(message.resource)
            guard var output = outputs[index] else { return refuse("a write to what was not begun") }
            output.end = max(output.end, end)
            outputs[index] = output
            bytesWritten += message.count
            guard isWithinOutputLimit(end) else {
                hooks.outputTooLarge()
                return false
            }
            let isServed = serve {
                try copy.withUnsafeBytes { bytes in
                    try output.sink.write(UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: message.offset)
                }
            }
            guard isServed else { return false }
        }
        return send(ChannelMessage(.written, slot: number))
    }

    /// Files are as long as their last byte is far: a hole counts.
    private func isWithinOutputLimit(_ end: Int64) -> Bool {
        guard end <= job.limits.outputBytes else { return false }
        var total: Int64 = 0
        for output in outputs.values {
            let (sum, overflow) = total.addingReportingOverflow(output.end)
            guard !overflow, sum <= job.limits.outputBytes else { return false }
            total = sum
        }
        return true
    }

    private func create(_ message: ChannelMessage) -> Bool {
        let index = Int(message.resource)
        guard index < job.task.outputs.count, index < ChannelLayout.maximumOutputs else {
            return refuse("an output that was not offered")
        }
        guard progressMeter.passes(at: MonotonicClock.seconds) else { return refuse("a flood of outputs") }
        guard message.count >= 0, message.count <= ChannelLayout.maximumHeadBytes else {
            return refuse("a head that is none")
        }
        outputs[index] = nil
        let isServed = serve {
            let sink = try files.makeOutput(job.task.outputs[index], headBytes: message.count)
            outputs[index] = Output(sink: sink)
        }
        return isServed && send(ChannelMessage(.created, resource: message.resource))
    }

    private func progress(_ message: ChannelMessage) -> Bool {
        guard progressMeter.passes(at: MonotonicClock.seconds) else { return refuse("a flood of progress") }
        guard let event = message.progress else { return refuse("progress that cannot be") }
        // The same again is no sign of life.
        guard
            event.phase != lastProgress?.phase || event.frames != lastProgress?.frames
                || event.fraction != lastProgress?.fraction
        else { return true }
        lastProgress = event
        hooks.progress(event)
        return true
    }

    private func end(_ message: ChannelMessage) -> Bool {
        guard message.count == Int64(result.count) else { return refuse("an end without its result") }
        guard message.slot == 0 else {
            guard let failure = Failure(childJSON: result) else { return refuse("a failure that is none") }
            outcome = .failed(failure)
            return false
        }
        let made = (0..<Int64(job.task.outputs.count)).filter { message.offset & (1 << $0) != 0 }.map { Int($0) }
        guard made.allSatisfy({ outputs[$0] != nil }) else { return refuse("outputs that were not made") }
        do {
            let decoded = try ChildResult(job.task, json: result)
            outcome = .finished(decoded, outputs: made.map { job.task.outputs[$0] })
            return false
        } catch {
            return refuse("a result that is none")
        }
    }
}

/// Lets through what comes as often as an honest process sends it.
private struct FloodGate {
    /// A meter reports ten times a second, and at each change of phase.
    private static let perSecond = 200

    private var second = 0.0
    private var count = 0

    mutating func passes(at now: Double) -> Bool {
        if now - second >= 1 { (second, count) = (now, 0) }
        count += 1
        return count <= Self.perSecond
    }
}
