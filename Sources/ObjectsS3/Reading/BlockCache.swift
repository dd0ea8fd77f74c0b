internal import Synchronization

/// Memory for what was read, that all sources of a job share.
package final class CachePool: Sendable {
    /// Of one source.
    static let sourceBytes = 16 << 20
    /// Of all together; each has one block however many there are.
    static let jobBytes = 64 << 20

    private let used = Mutex(0)

    package init() {}

    fileprivate func change(by bytes: Int) { used.withLock { $0 += bytes } }
    fileprivate var isFull: Bool { used.withLock { $0 > Self.jobBytes } }
}

/// Pieces of an object that were read, which never overlap.
struct BlockCache: ~Copyable {
    private struct Block {
        var offset: Int64
        var bytes: [UInt8]
        var lastUse: UInt64
        var end: Int64 { offset + Int64(bytes.count) }
    }

    /// An index at the end is read whenever the object is opened again.
    private static let keptTailBytes: Int64 = 4 << 20
    private static let mostBlocks = 512

    private let pool: CachePool
    private let sizeBytes: Int64
    /// In order of offsets.
    private var blocks: [Block] = []
    private var bytes = 0
    private var clock: UInt64 = 0

    init(_ pool: CachePool, sizeBytes: Int64) { (self.pool, self.sizeBytes) = (pool, sizeBytes) }

    deinit { pool.change(by: -bytes) }

    /// - Returns: how many bytes are there from an offset on, in one block; 0 for none.
    mutating func copy(from offset: Int64, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard let index = index(holding: offset) else { return 0 }
        clock += 1
        blocks[index].lastUse = clock
        let start = Int(offset - blocks[index].offset)
        let count = min(buffer.count, blocks[index].bytes.count - start)
        blocks[index].bytes.withUnsafeBytes { bytes in
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]))
        }
        return count
    }

    /// Where the first byte is missing from an offset on.
    func end(from offset: Int64) -> Int64 {
        var end = offset
        while let index = index(holding: end) { end = blocks[index].end }
        return end
    }

    /// Where the first block begins behind an offset; the object's end if there is none.
    func start(behind offset: Int64) -> Int64 {
        blocks.first { $0.offset > offset }?.offset ?? sizeBytes
    }

    /// - Parameters:
    ///   - offset: of bytes that are not there yet, none of them.
    ///   - free: is given what had to go for them, to be used again.
    mutating func insert(_ new: [UInt8], at offset: Int64, free: ([UInt8]) -> Void = { _ in }) {
        guard !new.isEmpty else { return }
        clock += 1
        let index = blocks.firstIndex { $0.offset > offset } ?? blocks.endIndex
        blocks.insert(Block(offset: offset, bytes: new, lastUse: clock), at: index)
        bytes += new.count
        pool.change(by: new.count)
        while bytes > CachePool.sourceBytes || blocks.count > Self.mostBlocks || pool.isFull {
            guard let gone = giveUpOne(but: offset) else { return }
            free(gone)
        }
    }

    /// The one that was of no use for longest, first of those in the middle.
    private mutating func giveUpOne(but kept: Int64) -> [UInt8]? {
        let others = blocks.indices.filter { blocks[$0].offset != kept }
        let middle = others.filter { !isEdge(blocks[$0]) }
        guard let oldest = (middle.isEmpty ? others : middle).min(by: { blocks[$0].lastUse < blocks[$1].lastUse })
        else { return nil }
        let gone = blocks.remove(at: oldest).bytes
        bytes -= gone.count
        pool.change(by: -gone.count)
        return gone
    }

    private func isEdge(_ block: Block) -> Bool {
        block.offset == 0 || block.offset >= sizeBytes - Self.keptTailBytes
    }

    private func index(holding offset: Int64) -> Int? {
        blocks.firstIndex { $0.offset <= offset && offset < $0.end }
    }
}
