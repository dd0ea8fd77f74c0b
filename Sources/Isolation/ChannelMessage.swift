package import Model

/// What travels between a job's process and the one that serves it. All messages have one size; bytes go through shared
/// memory, in slots that messages name.
///
/// The process asks and tells; the daemon answers, in the order of the questions, and may end the conversation by
/// killing. docs/sandbox.md has the whole conversation.
package struct ChannelMessage: Sendable, Equatable {
    package enum Kind: UInt8, Sendable {
        /// Child: shut in, what that consists of, and ready for its task.
        case hello = 1
        /// Daemon: there is a task of `count` bytes.
        case begin
        /// Child: fill `slot` with `count` bytes of `resource` from `offset` on.
        case read
        /// Daemon: `slot` has `count` bytes; fewer than asked for only at the end.
        case filled
        /// Child: `count` bytes in `slot` belong to output `resource` at `offset`.
        case write
        /// Daemon: `slot` was taken and may be used again.
        case written
        /// Child: begin output `resource`, or begin it again; its first `count` bytes may be written twice.
        case create
        case created
        case progress
        /// Child: the end; `count` bytes of result were written, and `offset` has a bit for each output that counts.
        case end
    }

    /// Of the task as a source, and of the result as an output.
    package static let document = UInt32.max
    /// Set in `resource` when an output is read back.
    package static let outputFlag: UInt32 = 1 << 31

    package static let byteCount = 64

    package var kind: Kind
    package var slot: UInt16 = 0
    package var resource: UInt32 = 0
    package var offset: Int64 = 0
    package var count: Int64 = 0
    package var values = SIMD4<Double>()

    package init(
        _ kind: Kind, slot: Int = 0, resource: UInt32 = 0, offset: Int64 = 0, count: Int64 = 0,
        values: SIMD4<Double> = SIMD4()
    ) {
        (self.kind, self.slot, self.resource) = (kind, UInt16(truncatingIfNeeded: slot), resource)
        (self.offset, self.count, self.values) = (offset, count, values)
    }

    /// `nil` when the bytes are no message.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.byteCount, let kind = Kind(rawValue: bytes[0]) else { return nil }
        self.kind = kind
        slot = bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)
        resource = bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
        offset = bytes.loadUnaligned(fromByteOffset: 8, as: Int64.self)
        count = bytes.loadUnaligned(fromByteOffset: 16, as: Int64.self)
        for index in 0..<4 {
            values[index] = bytes.loadUnaligned(fromByteOffset: 32 + 8 * index, as: Double.self)
        }
    }

    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withUnsafeTemporaryAllocation(byteCount: Self.byteCount, alignment: 8) { buffer in
            // Nothing of this process's memory leaves with the gaps.
            buffer.initializeMemory(as: UInt8.self, repeating: 0)
            buffer.storeBytes(of: kind.rawValue, toByteOffset: 0, as: UInt8.self)
            buffer.storeBytes(of: slot, toByteOffset: 2, as: UInt16.self)
            buffer.storeBytes(of: resource, toByteOffset: 4, as: UInt32.self)
            buffer.storeBytes(of: offset, toByteOffset: 8, as: Int64.self)
            buffer.storeBytes(of: count, toByteOffset: 16, as: Int64.self)
            for index in 0..<4 { buffer.storeBytes(of: values[index], toByteOffset: 32 + 8 * index, as: Double.self) }
            return body(UnsafeRawBufferPointer(buffer))
        }
    }
}

// MARK: Progress

extension ChannelMessage {
    private static let phases: [ProgressEvent.Phase] = [.probing, .decoding, .encoding, .finishing, .completed]

    package init(progress event: ProgressEvent) {
        self.init(
            .progress, slot: Self.phases.firstIndex(of: event.phase) ?? 0, count: Int64(event.frames),
            values: [event.fraction, event.framesPerSecond, event.speed, event.remainingSeconds ?? -1])
    }

    /// `nil` when a value cannot be true.
    package var progress: ProgressEvent? {
        guard kind == .progress, Int(slot) < Self.phases.count, count >= 0, count <= Int64(Int32.max),
            (0...1).contains(values[0]), (0..<1e12).contains(values[1]), (0..<1e12).contains(values[2]),
            values[3] == -1 || (0..<1e9).contains(values[3])
        else { return nil }
        return ProgressEvent(
            phase: Self.phases[Int(slot)], fraction: values[0], frames: Int(count), framesPerSecond: values[1],
            speed: values[2], remainingSeconds: values[3] < 0 ? nil : values[3])
    }
}

// MARK: Slots

/// How the shared memory is divided: first slots that the daemon fills, then slots that the child fills.
package enum ChannelLayout {
    /// Large enough that messages cost little beside copying, small enough that all slots stay in a core's cache.
    package static let slotBytes = 256 << 10
    package static let readSlots = 8
    package static let writeSlots = 8
    package static let totalBytes = slotBytes * (readSlots + writeSlots)
    /// A result or a task larger than this is no result and no task.
    package static let documentLimitBytes = 64 << 20
    /// Sources of one edit, behind which a divided render's chunks may come; and outputs of one task, which have a bit
    /// each in the last message.
    package static let maximumSources = 256
    package static let maximumOutputs = 32
    /// What an output may have written again, which some stores keep in memory until the end.
    package static let maximumHeadBytes: Int64 = 65 << 20
}
