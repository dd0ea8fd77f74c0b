internal import CLinux
internal import Model

/// Memory of a fixed size that two processes see.
///
/// SAFETY: which of both may touch a slot is agreed upon by messages; a peer that breaks the agreement spoils only the
/// bytes, which are copied before anybody looks at them.
package final class SharedMemory: @unchecked Sendable {
    private let start: UnsafeMutableRawPointer
    package let byteCount: Int

    /// - Returns: the memory, and the descriptor by which another process gets at it.
    package static func make(bytes: Int) throws(IsolationError) -> (SharedMemory, Descriptor) {
        let number = rp_shared_memory(bytes)
        guard number >= 0 else { throw IsolationError("no shared memory can be made", reason: -number) }
        let descriptor = Descriptor(owning: number)
        guard let start = rp_map_shared(number, bytes) else {
            throw IsolationError(.outOfMemory, "shared memory cannot be mapped")
        }
        return (SharedMemory(mapped: start, bytes: bytes), descriptor)
    }

    /// Takes over memory that is mapped already.
    init(mapped start: UnsafeMutableRawPointer, bytes: Int) { (self.start, byteCount) = (start, bytes) }

    deinit { rp_unmap(start, byteCount) }

    /// A slot's bytes; `nil` when there is no such slot. Valid while this object lives.
    package func slot(_ index: Int) -> UnsafeMutableRawBufferPointer? {
        let offset = index.multipliedReportingOverflow(by: ChannelLayout.slotBytes)
        guard index >= 0, !offset.overflow, offset.partialValue + ChannelLayout.slotBytes <= byteCount else {
            return nil
        }
        return UnsafeMutableRawBufferPointer(start: start + offset.partialValue, count: ChannelLayout.slotBytes)
    }
}
