internal import Glibc
internal import Model

/// Memory for one part, straight from the system: it is zero when it is new, takes room only where it is touched, and is
/// gone with its owner.
///
/// SAFETY: written by its output's one thread, and by nobody after it was handed on, until it is used again.
final class PartBuffer: @unchecked Sendable {
    private static let step = 1 << 20

    let size: Int
    /// What it takes of its job's memory.
    private(set) var charged = 0
    private var written = 0
    private let memory: UnsafeMutableRawPointer

    init(_ size: Int) throws(Failure) {
        let pages = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let pages, pages != MAP_FAILED else {
            throw Failure(code: .outOfMemory, message: "there is no memory for \(size >> 20) MB of an output")
        }
        (self.size, memory) = (size, pages)
    }

    deinit { munmap(memory, size) }

    /// It has been sent, and may be filled again. What it takes, it keeps.
    func restart() { written = 0 }

    /// - Returns: how much more it takes when so many bytes are written into it.
    func charge(for count: Int) -> Int {
        written = min(size, written + count)
        let now = min(size, (written + Self.step - 1) / Self.step * Self.step)
        defer { charged = max(charged, now) }
        return max(0, now - charged)
    }

    /// - Returns: how many of them fitted.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Int {
        let count = min(bytes.count, size - offset)
        if let start = bytes.baseAddress, count > 0 {
            memory.advanced(by: offset).copyMemory(from: start, byteCount: count)
        }
        return count
    }

    /// - Returns: how many there were before `end`.
    func read(from offset: Int, upTo end: Int, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = max(0, min(buffer.count, end - offset))
        if let start = buffer.baseAddress, count > 0 {
            start.copyMemory(from: memory.advanced(by: offset), byteCount: count)
        }
        return count
    }

    /// - Parameter body: is given the first bytes, which are there as long as it runs.
    func withBytes<Value>(_ range: Range<Int>, _ body: (UnsafeRawBufferPointer) -> Value) -> Value {
        withExtendedLifetime(self) {
            body(UnsafeRawBufferPointer(start: memory.advanced(by: range.lowerBound), count: range.count))
        }
    }
}
