internal import HTTPTransfer
package import Model
package import WorkerCore

/// Random access to bytes that a network brings, in ranges as large as how they are read makes worth while.
///
/// All of them are of one version of the object; another that takes its place is `source_changed`. Used on one thread at a
/// time, which it may block.
package final class RangedSource: VersionedSource {
    /// What a stream may bring before it is wanted.
    private static let roomBytes: Int64 = 8 << 20

    private let object: RangedObject
    private let ahead: ReadAhead
    private var cache: BlockCache
    private var pattern = ReadPattern()
    private let interruption: Interruption?
    private let listening: Int?

    /// Fetches the beginning, by which the size is known: a request that only asks for it would be one more, and is not
    /// covered by a URL that was signed for reading.
    package init(
        _ store: any RangeStore, pool: CachePool = CachePool(), interruption: Interruption? = nil
    ) throws(Failure) {
        let (stop, ahead) = (TransferStop(), ReadAhead())
        let listening = interruption?.listen {
            stop.raise()
            ahead.close()
        }
        (self.interruption, self.listening, self.ahead) = (interruption, listening, ahead)
        do throws(Failure) {
            let first = try RangedObject.first(store, count: ReadPattern.smallestWindow, stop: stop)
            object = RangedObject(store: store, version: first.version, stop: stop)
            cache = BlockCache(pool, sizeBytes: first.version.sizeBytes)
            cache.insert(first.bytes, at: 0)
        } catch {
            if let listening { interruption?.stopListening(listening) }
            throw error
        }
    }

    deinit {
        end()
        if let listening { interruption?.stopListening(listening) }
    }

    package var sizeBytes: Int64? { object.version.sizeBytes }
    package var version: ObjectVersion { object.version }
    package var versionText: String? {
        (version.etag ?? version.modified).map { "\(version.sizeBytes) \($0)" }
    }

    package func expectWhole() { pattern.isWhole = true }

    /// Stops what is being fetched, and waits until it has stopped.
    package func close() {
        end()
        ahead.join()
    }

    private func end() {
        object.stop.raise()
        ahead.close()
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        let size = object.version.sizeBytes
        guard offset >= 0, offset < size, !buffer.isEmpty else { return 0 }
        let wanted = Int(min(Int64(buffer.count), size - offset))
        let advice = pattern.note(offset: offset, count: wanted)
        var done = 0
        while done < wanted {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done..<wanted])
            let count = cache.copy(from: offset + Int64(done), into: rest)
            done += count
            if count == 0 { try load(offset + Int64(done), atLeast: wanted - done, window: advice.window) }
        }
        if advice.streamBytes > 0 { stream(from: offset + Int64(wanted), advice.streamBytes) }
        return wanted
    }

    /// Brings the byte at an offset, which is missing, and some behind it.
    private func load(_ offset: Int64, atLeast count: Int, window: Int) throws(Failure) {
        switch ahead.take(holding: offset) {
        case .nothing: break
        case .pieces(let pieces):
            keep(pieces)
            if let last = pieces.last, offset < last.end { return }
        // A failure is told when its bytes are wanted, and then by another try.
        case .failure(let failure, let pieces):
            keep(pieces)
            if failure.code == .sourceChanged || failure.code == .cancelled { throw failure }
        }
        var end = min(cache.start(behind: offset), offset + Int64(max(window, min(count, ReadPattern.largestWindow))))
        end = min(end, ahead.start(behind: offset) ?? end)
        cache.insert(try object.piece(offset..<end), at: offset)
    }

    private func keep(_ pieces: [ReadAhead.Piece]) {
        for piece in pieces { cache.insert(piece.bytes, at: piece.offset) { ahead.reuse($0) } }
    }

    /// Has more on its way when what is there, or is coming, will soon be read.
    private func stream(from position: Int64, _ count: Int64) {
        let start = here(from: position)
        guard start < object.version.sizeBytes, start - position <= min(count, Self.roomBytes) / 2 else { return }
        let end = min(start + count, cache.start(behind: start))
        let object = object
        ahead.begin(
            start..<min(end, ahead.start(behind: start) ?? end), roomBytes: Int(Self.roomBytes), object.stream)
    }

    /// Where the first byte is missing from an offset on, those on their way being as good as there.
    private func here(from offset: Int64) -> Int64 {
        var (end, last) = (offset, Int64(-1))
        while end != last { (last, end) = (end, ahead.end(from: cache.end(from: end))) }
        return end
    }
}

/// One version of an object.
private struct RangedObject: Sendable {
    let store: any RangeStore
    let version: ObjectVersion
    let stop: TransferStop

    static func first(
        _ store: any RangeStore, count: Int, stop: TransferStop
    ) throws(Failure) -> (bytes: [UInt8], version: ObjectVersion) {
        let (bytes, version) = try bytes(store, 0, count, nil, stop)
        guard version.sizeBytes > 0 else { throw Failure(code: .emptyFile, message: "\(store.shownName) is empty") }
        guard bytes.count == Int(min(Int64(count), version.sizeBytes)) else { throw truncated(store) }
        return (bytes, version)
    }

    func piece(_ range: Range<Int64>) throws(Failure) -> [UInt8] {
        let bytes = try Self.bytes(store, range.lowerBound, range.count, version, stop).bytes
        guard bytes.count == range.count else { throw Self.truncated(store) }
        return bytes
    }

    @Sendable func stream(
        _ range: Range<Int64>, _ stop: TransferStop, _ take: @escaping (UnsafeRawBufferPointer) throws -> Void
    ) -> Failure? {
        do throws(Failure) {
            try store.stream(range, version: version, stop: stop, take: take)
            return nil
        } catch {
            return error
        }
    }

    private static func truncated(_ store: any RangeStore) -> Failure {
        Failure(code: .transferFailed, message: "\(store.shownName) is shorter than it says")
    }

    private static func bytes(
        _ store: any RangeStore, _ offset: Int64, _ count: Int, _ version: ObjectVersion?, _ stop: TransferStop
    ) throws(Failure) -> (bytes: [UInt8], version: ObjectVersion) {
        var answer: Result<ObjectVersion, Failure>?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            let room = UnsafeMutableRawBufferPointer(buffer).prefix(count)
            do throws(Failure) {
                let (count, found) = try store.fetch(
                    at: offset, into: UnsafeMutableRawBufferPointer(rebasing: room), version: version, stop: stop)
                filled = count
                answer = .success(found)
            } catch {
                answer = .failure(error)
            }
        }
        guard let answer else { return (bytes, ObjectVersion(sizeBytes: 0, etag: nil)) }
        return (bytes, try answer.get())
    }
}
