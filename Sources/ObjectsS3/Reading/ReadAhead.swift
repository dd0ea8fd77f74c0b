internal import HTTPTransfer
internal import Model
internal import Synchronization
internal import WorkerCore

/// What streams bring ahead of a reader, a few at a time, each on a thread of its own. No two bring the same bytes.
///
/// A stream waits when the reader is slower: what it has brought and nobody has taken is bounded, however long its range.
final class ReadAhead: Sendable {
    /// Brings a range, in order; may block.
    typealias Bring =
        @Sendable (
            _ range: Range<Int64>, TransferStop, _ take: @escaping (UnsafeRawBufferPointer) throws -> Void
        ) -> Failure?

    struct Piece {
        var offset: Int64
        var bytes: [UInt8]
        var end: Int64 { offset + Int64(bytes.count) }
    }

    enum Taken {
        /// No stream brings it.
        case nothing
        /// In order; the last one has it.
        case pieces([Piece])
        /// Its stream ended before it.
        case failure(Failure, [Piece])
    }

    private struct Lane {
        let number: Int
        let range: Range<Int64>
        let roomBytes: Int
        let stop = TransferStop()
        var pieces: [Piece] = []
        /// Everything before has been brought.
        var brought: Int64
        var isOver = false
        var failure: Failure?
        var lastUse: Int

        /// The first byte that is still to be taken.
        var start: Int64 { pieces.first?.offset ?? brought }
        /// Behind the last one.
        var end: Int64 { isOver ? brought : range.upperBound }
        var unread: Int { Int(brought - start) }
        var isEmpty: Bool { start >= end && isOver }
    }

    private struct State {
        var lanes: [Lane] = []
        var number = 0
        var threads = 0
        var isClosed = false
    }

    /// Two places of a file are often read in turn, such as its picture and its sound; each has one that ends and one that
    /// begins.
    private static let mostLanes = 4
    /// Small enough to be in a processor's cache still when the reader comes for it.
    private static let pieceBytes = 256 << 10
    private static let mostSpare = 8
    /// For bytes that are further off than this nobody waits.
    private static let patienceBytes: Int64 = 4 << 20

    private let state = Watched(State())
    /// Memory of pieces that were given back: fresh pages would cost as much as what is written into them.
    private let spare = Mutex<[[UInt8]]>([])

    // MARK: Where streams are

    /// Where those bytes end, from an offset on, that are on their way or have come.
    func end(from offset: Int64) -> Int64 {
        state.look { state in
            var end = offset
            while let lane = state.lanes.first(where: { $0.start <= end && end < $0.end }) { end = lane.end }
            return end
        }
    }

    /// Where the first stream begins behind an offset.
    func start(behind offset: Int64) -> Int64? {
        state.look { state in state.lanes.filter { $0.start < $0.end }.map(\.start).filter { $0 > offset }.min() }
    }

    // MARK: Bringing

    /// Begins a stream. Where there are as many as there may be, the one goes that nobody has taken from for longest.
    ///
    /// - Parameters:
    ///   - range: of bytes that no other brings.
    ///   - roomBytes: for what has come and is not taken.
    func begin(_ range: Range<Int64>, roomBytes: Int, _ bring: @escaping Bring) {
        let (lane, idle) = state.change { state -> (Lane?, TransferStop?) in
            guard !state.isClosed else { return (nil, nil) }
            // Those that ended before their range did are of no use any more.
            state.lanes.removeAll { $0.isEmpty }
            var idle: TransferStop?
            if state.lanes.count >= Self.mostLanes,
                let index = state.lanes.indices.min(by: { state.lanes[$0].lastUse < state.lanes[$1].lastUse })
            {
                idle = state.lanes.remove(at: index).stop
            }
            state.number += 1
            let lane = Lane(
                number: state.number, range: range, roomBytes: roomBytes, brought: range.lowerBound,
                lastUse: state.number)
            state.lanes.append(lane)
            state.threads += 1
            return (lane, idle)
        }
        idle?.raise()
        guard let lane else { return }
        OwnThread.start(named: "reelpool.ahead") { [self] in
            let failure = work(lane, bring)
            state.change { state in
                state.threads -= 1
                guard let index = state.lanes.firstIndex(where: { $0.number == lane.number }) else { return }
                (state.lanes[index].isOver, state.lanes[index].failure) = (true, failure)
                if state.lanes[index].isEmpty, failure == nil { state.lanes.remove(at: index) }
            }
        }
    }

    /// Memory of a piece that nobody needs any more.
    func reuse(_ bytes: [UInt8]) {
        guard bytes.capacity >= Self.pieceBytes else { return }
        spare.withLock { spare in
            if spare.count < Self.mostSpare { spare.append(bytes) }
        }
    }

    private func emptyPiece() -> [UInt8] {
        var piece = spare.withLock { $0.popLast() } ?? []
        piece.removeAll(keepingCapacity: true)
        piece.reserveCapacity(Self.pieceBytes)
        return piece
    }

    private func work(_ lane: Lane, _ bring: Bring) -> Failure? {
        let filling = Filling { [self] in emptyPiece() }
        let failure = bring(lane.range, lane.stop) { [self] bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let part = rest.prefix(Self.pieceBytes - filling.bytes.count)
                rest = rest.dropFirst(part.count)
                filling.add(UnsafeRawBufferPointer(rebasing: part))
                if filling.bytes.count == Self.pieceBytes { try hand(filling.take(), lane.number) }
            }
        }
        if !filling.bytes.isEmpty { try? hand(filling.take(), lane.number) }
        return failure
    }

    /// Waits until there is room.
    private func hand(_ bytes: [UInt8], _ number: Int) throws {
        let isWanted = state.wait { state -> Bool? in
            guard !state.isClosed, let index = state.lanes.firstIndex(where: { $0.number == number }) else {
                return false
            }
            let lane = state.lanes[index]
            guard lane.pieces.isEmpty || lane.unread + bytes.count <= lane.roomBytes else { return nil }
            state.lanes[index].pieces.append(Piece(offset: lane.brought, bytes: bytes))
            state.lanes[index].brought += Int64(bytes.count)
            return true
        }
        guard isWanted else { throw Failure(code: .cancelled, message: "nobody reads on") }
    }

    // MARK: Taking

    /// Waits for the piece that has this byte, if a stream brings it soon; those before it come along.
    func take(holding offset: Int64) -> Taken {
        var taken: [Piece] = []
        var isFar: TransferStop?
        let result = state.wait { state -> Taken? in
            guard let index = state.lanes.firstIndex(where: { $0.start <= offset && offset < $0.range.upperBound })
            else { return taken.isEmpty ? .nothing : .pieces(taken) }
            if offset >= state.lanes[index].brought + Self.patienceBytes {
                isFar = state.lanes.remove(at: index).stop
                return .nothing
            }
            state.number += 1
            state.lanes[index].lastUse = state.number
            let count = state.lanes[index].pieces.firstIndex { offset < $0.end }.map { $0 + 1 }
            taken += state.lanes[index].pieces.prefix(count ?? .max)
            state.lanes[index].pieces.removeFirst(count ?? state.lanes[index].pieces.count)
            let lane = state.lanes[index]
            if lane.isEmpty { state.lanes.remove(at: index) }
            if count != nil { return .pieces(taken) }
            guard lane.isOver else { return nil }
            return lane.failure.map { .failure($0, taken) } ?? .pieces(taken)
        }
        isFar?.raise()
        return result
    }

    /// Nothing is brought any more.
    func close() {
        let stops = state.change { state -> [TransferStop] in
            state.isClosed = true
            return state.lanes.map(\.stop)
        }
        for stop in stops { stop.raise() }
    }

    /// Returns when all threads have ended, soon after `close`.
    func join() { state.wait { $0.threads > 0 ? nil : () } }
}

/// A piece in the making, of one thread.
private final class Filling {
    private let makeEmpty: () -> [UInt8]
    private(set) var bytes: [UInt8] = []

    init(makeEmpty: @escaping () -> [UInt8]) { self.makeEmpty = makeEmpty }

    func add(_ more: UnsafeRawBufferPointer) {
        if bytes.isEmpty { bytes = makeEmpty() }
        bytes.append(contentsOf: more)
    }

    func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }
}
