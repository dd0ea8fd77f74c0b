package import Model

/// Chunks that live as long as this object: what is looked at once, and what is made anew while others are joined.
package final class MemoryChunks: ChunkStore {
    private var objects: [String: [UInt8]] = [:]

    package init() {}

    package func open(_ name: String) throws -> (any ByteSource)? { objects[name].map { MemoryBytes($0, name) } }
    package func create(_ name: String) throws -> any StagedOutput { MemoryBytes([], name) }

    package func commit(_ object: any StagedOutput) throws {
        guard let object = object as? MemoryBytes else { return }
        objects[object.destination] = object.bytes
    }

    package func remove(_ name: String) throws { objects[name] = nil }
}

/// Bytes that are written and read like a file's.
package final class MemoryBytes: StagedOutput {
    private(set) var bytes: [UInt8]
    package let destination: String

    package init(_ bytes: [UInt8], _ destination: String) { (self.bytes, self.destination) = (bytes, destination) }

    package var sizeBytes: Int64? { Int64(bytes.count) }

    package func write(_ more: UnsafeRawBufferPointer, at offset: Int64) throws {
        let (begin, end) = (Int(offset), Int(offset) + more.count)
        if end > bytes.count { bytes += [UInt8](repeating: 0, count: end - bytes.count) }
        bytes.replaceSubrange(begin..<end, with: more)
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        guard offset >= 0, offset < Int64(bytes.count) else { return 0 }
        let part = bytes[Int(offset)...].prefix(buffer.count)
        buffer.copyBytes(from: part)
        return part.count
    }
}
