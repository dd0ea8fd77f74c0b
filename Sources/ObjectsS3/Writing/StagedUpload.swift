package import Model
package import WorkerCore

/// An output that leaves for its store while it is written, in parts that nobody sees before it is complete.
///
/// The first parts stay in memory until the end, because what a container writes last stands there. The others leave as
/// soon as they are full, so that a write waits when the store is slower than the encoder.
package final class StagedUpload: StagedObject {
    /// Of what was written last, so much can be read back.
    private static let tailBytes = 1 << 20

    package let uri: String
    private let upload: OpenUpload
    private let plan: PartPlan
    private let context: JobContext
    private let sender: PartSender
    private let listening: Int

    /// The first parts, as far as anything was written into them; nothing of one is zero all over.
    private var held: [PartBuffer?]
    /// The part that is not full yet, where it begins, and how full it is.
    private var filling: PartBuffer?
    private var fillingStart: Int64
    private var fillingCount = 0
    /// What stands before it, if that has left.
    private var tail: PartBuffer?
    private var end: Int64 = 0

    init(_ upload: OpenUpload, plan: PartPlan, context: JobContext) {
        (self.upload, self.plan, self.context) = (upload, plan, context)
        (uri, fillingStart) = (upload.uri, Int64(plan.heldBytes))
        held = Array(repeating: nil, count: plan.held)
        let sender = upload.sender
        self.sender = sender
        listening = context.interruption.listen { sender.cancel() }
    }

    deinit {
        context.interruption.stopListening(listening)
        for part in held + [filling] { context.budget.giveBack(part?.charged ?? 0) }
        upload.letGo()
    }

    package var sizeBytes: Int64? { end }
    /// The store's name of it.
    package var uploadID: String { upload.uploadID }

    // MARK: Writing

    package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        guard offset >= 0, offset <= plan.mostBytes - Int64(bytes.count) else {
            throw Failure(
                code: .outputTooLarge, message: "\(uri) would have more than \(plan.mostBytes >> 20) MB")
        }
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let position = offset + Int64(done)
            done +=
                position < Int64(plan.heldBytes) ? try hold(rest, at: Int(position)) : try append(rest, at: position)
        }
    }

    private func hold(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(Failure) -> Int {
        let index = offset / plan.partBytes
        if held[index] == nil { held[index] = try PartBuffer(plan.partBytes) }
        let count = write(bytes, at: offset % plan.partBytes, into: held[index])
        end = max(end, Int64(offset + count))
        return count
    }

    private func append(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(Failure) -> Int {
        guard offset == fillingStart + Int64(fillingCount) else {
            throw Failure(
                code: .outputNotWritable, message: "\(uri) can only be written in order",
                detail: "at \(offset), after \(end)")
        }
        if filling == nil { filling = try context.budget.buffer(plan.partBytes) }
        let count = write(bytes, at: fillingCount, into: filling)
        fillingCount += count
        end = offset + Int64(count)
        if fillingCount == plan.partBytes { try sendFilling() }
        return count
    }

    /// Waits for the memory that the bytes touch, as long as some will come back.
    private func write(_ bytes: UnsafeRawBufferPointer, at offset: Int, into part: PartBuffer?) -> Int {
        guard let part else { return 0 }
        let more = part.charge(for: bytes.count)
        if more > 0 { context.budget.take(more, limit: plan.memoryBytes) }
        return part.write(bytes, at: offset)
    }

    private func sendFilling() throws(Failure) {
        guard let part = filling else { return }
        let count = fillingCount
        let kept = min(count, Self.tailBytes)
        if tail == nil { tail = try PartBuffer(Self.tailBytes) }
        part.withBytes(count - kept..<count) { _ = tail?.write($0, at: Self.tailBytes - kept) }
        let number = Int(fillingStart / Int64(plan.partBytes)) + 1
        (filling, fillingCount) = (nil, 0)
        fillingStart += Int64(count)
        try sender.send(number, part, count: count)
    }

    /// Sends what is left, the first part last.
    ///
    /// - Returns: all parts, when the store has them.
    package func finishParts() throws(Failure) -> [UploadedPart] {
        if fillingCount > 0 { try sendFilling() }
        let size = Int64(plan.partBytes)
        // An output of nothing has one part, too.
        let last = max(0, min(plan.held, Int((end + size - 1) / size)) - 1)
        for index in (0...last).reversed() {
            let part: PartBuffer
            if let written = held[index] { part = written } else { part = try PartBuffer(plan.partBytes) }
            held[index] = nil
            try sender.send(index + 1, part, count: Int(max(0, min(size, end - Int64(index) * size))))
        }
        return try sender.finish()
    }

    /// It is about to be completed: from now on it is not aborted any more when it is let go.
    package func seal() { upload.seal() }

    // MARK: Reading back

    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        guard offset >= 0, offset < end, !buffer.isEmpty else { return 0 }
        if offset < Int64(plan.heldBytes) { return readHeld(into: buffer, at: Int(offset)) }
        let tailStart = fillingStart - (tail == nil ? 0 : Int64(Self.tailBytes))
        guard offset >= max(tailStart, Int64(plan.heldBytes)) else {
            throw Failure(code: .readFailed, message: "\(uri) has left for its store, and cannot be read back")
        }
        var done = 0
        if offset < fillingStart {
            done = tail?.read(from: Int(offset - tailStart), upTo: Self.tailBytes, into: buffer) ?? 0
        }
        let position = offset + Int64(done) - fillingStart
        guard done < buffer.count, position >= 0, let filling else { return done }
        let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
        return done + filling.read(from: Int(position), upTo: fillingCount, into: rest)
    }

    private func readHeld(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) -> Int {
        let (index, start) = (offset / plan.partBytes, offset % plan.partBytes)
        let there = Int(min(Int64(plan.partBytes), end - Int64(index * plan.partBytes)))
        if let part = held[index] { return part.read(from: start, upTo: there, into: buffer) }
        let room = UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(max(0, there - start)))
        room.initializeMemory(as: UInt8.self, repeating: 0)
        return room.count
    }
}
