package import Model
package import WorkerCore

/// An output that leaves for its store while it is written, in parts that nobody sees before it is complete.
///
/// The first part stays in memory until the end, because what a container writes last stands there. The others leave as
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

    private var first: [UInt8] = []
    private var holdsFirst = false
    /// The part that is not full yet, and where it begins.
    private var filling: [UInt8] = []
    private var fillingStart: Int64
    private var holdsFilling = false
    /// What stands before it, if that has left.
    private var tail: [UInt8] = []
    private var end: Int64 = 0

    init(_ upload: OpenUpload, plan: PartPlan, context: JobContext) {
        (self.upload, self.plan, self.context) = (upload, plan, context)
        (uri, fillingStart) = (upload.uri, Int64(plan.partBytes))
        let sender = upload.sender
        self.sender = sender
        listening = context.interruption.listen { sender.cancel() }
    }

    deinit {
        context.interruption.stopListening(listening)
        if holdsFirst { context.budget.giveBack(plan.partBytes, sent: false) }
        if holdsFilling { context.budget.giveBack(plan.partBytes, sent: false) }
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
        if offset < Int64(plan.partBytes) { done = writeFirst(bytes, at: Int(offset)) }
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            done += try append(rest, at: offset + Int64(done))
        }
    }

    private func writeFirst(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Int {
        if !holdsFirst {
            takeMemory()
            holdsFirst = true
        }
        let count = min(bytes.count, plan.partBytes - offset)
        fillFirst(upTo: offset + count)
        first.withUnsafeMutableBytes { first in
            UnsafeMutableRawBufferPointer(rebasing: first[offset..<offset + count])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        }
        end = max(end, Int64(offset + count))
        return count
    }

    /// What was left out is zero.
    private func fillFirst(upTo count: Int) {
        guard first.count < count else { return }
        // Small outputs stay small, and others do not copy themselves over and over.
        if count > 1 << 20 { first.reserveCapacity(plan.partBytes) }
        first.append(contentsOf: repeatElement(0, count: count - first.count))
    }

    private func append(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(Failure) -> Int {
        guard offset == fillingStart + Int64(filling.count) else {
            throw Failure(
                code: .outputNotWritable, message: "\(uri) can only be written in order",
                detail: "at \(offset), after \(end)")
        }
        fillFirst(upTo: plan.partBytes)
        if !holdsFilling {
            takeMemory()
            holdsFilling = true
            filling.reserveCapacity(plan.partBytes)
        }
        let count = min(bytes.count, plan.partBytes - filling.count)
        filling.append(contentsOf: bytes[..<count])
        end = offset + Int64(count)
        if filling.count == plan.partBytes { try sendFilling() }
        return count
    }

    private func sendFilling() throws(Failure) {
        let part = filling
        tail = Array(part.suffix(Self.tailBytes))
        filling = []
        holdsFilling = false
        let number = Int(fillingStart / Int64(plan.partBytes)) + 1
        fillingStart += Int64(part.count)
        try sender.send(number, part, taken: plan.partBytes)
    }

    /// Sends what is left, the first part last.
    ///
    /// - Returns: all parts, when the store has them.
    package func finishParts() throws(Failure) -> [UploadedPart] {
        if !filling.isEmpty { try sendFilling() }
        let bytes = first
        first = []
        if !holdsFirst { takeMemory() }
        holdsFirst = false
        try sender.send(1, bytes, taken: plan.partBytes)
        return try sender.finish()
    }

    /// It is about to be completed: from now on it is not aborted any more when it is let go.
    package func seal() { upload.seal() }

    private func takeMemory() { context.budget.take(plan.partBytes, limit: plan.memoryBytes) }

    // MARK: Reading back

    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        guard offset >= 0, offset < end, !buffer.isEmpty else { return 0 }
        if offset < Int64(plan.partBytes) {
            return Self.copy(first, from: Int(offset), into: buffer)
        }
        let tailStart = fillingStart - Int64(tail.count)
        guard offset >= tailStart else {
            throw Failure(code: .readFailed, message: "\(uri) has left for its store, and cannot be read back")
        }
        var done = 0
        if offset < fillingStart { done = Self.copy(tail, from: Int(offset - tailStart), into: buffer) }
        let position = offset + Int64(done) - fillingStart
        guard done < buffer.count, position >= 0, position < Int64(filling.count) else { return done }
        return done
            + Self.copy(
                filling, from: Int(position), into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...]))
    }

    private static func copy(_ bytes: [UInt8], from start: Int, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard start < bytes.count else { return 0 }
        let count = min(buffer.count, bytes.count - start)
        bytes.withUnsafeBytes { bytes in
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]))
        }
        return count
    }
}
