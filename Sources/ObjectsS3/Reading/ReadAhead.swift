internal import Model
internal import WorkerCore

/// Fetches pieces ahead of a reader, a few at a time, each on a thread of its own. No two overlap.
final class ReadAhead: Sendable {
    typealias Fetch = @Sendable (_ range: Range<Int64>) -> Result<[UInt8], Failure>
    typealias Fetched = (range: Range<Int64>, result: Result<[UInt8], Failure>)

    private struct Piece {
        var range: Range<Int64>
        /// `nil` while it is on its way.
        var result: Result<[UInt8], Failure>?
    }

    private struct State {
        var pieces: [Piece] = []
        var threads = 0
        var isClosed = false
    }

    /// One connection seldom fills the way to a store: each piece begins with a wait for its first byte.
    private static let mostPieces = 3

    private let state = Watched(State())
    private let fetch: Fetch

    init(_ fetch: @escaping Fetch) { self.fetch = fetch }

    /// Where those bytes end, from an offset on, that are on their way or have come.
    func end(from offset: Int64) -> Int64 {
        state.change { state in
            var end = offset
            while let piece = state.pieces.first(where: { $0.range.contains(end) }) { end = piece.range.upperBound }
            return end
        }
    }

    /// Where the first piece begins behind an offset.
    func start(behind offset: Int64) -> Int64? {
        state.change { state in state.pieces.map(\.range.lowerBound).filter { $0 > offset }.min() }
    }

    /// - Parameter range: of bytes that are in no other piece.
    /// - Returns: `false` while there are as many pieces as there may be.
    func begin(_ range: Range<Int64>) -> Bool {
        let begins = state.change { state -> Bool in
            guard state.pieces.count < Self.mostPieces, !state.isClosed else { return false }
            state.pieces.append(Piece(range: range))
            state.threads += 1
            return true
        }
        guard begins else { return false }
        OwnThread.start(named: "reelpool.ahead") { [self] in
            let result = fetch(range)
            state.change { state in
                if let index = state.pieces.firstIndex(where: { $0.range == range }) {
                    state.pieces[index].result = result
                }
                state.threads -= 1
            }
        }
        return true
    }

    /// Waits for the piece that has this byte, if there is one.
    func take(holding offset: Int64) -> Fetched? {
        state.wait { state -> Fetched?? in
            guard let index = state.pieces.firstIndex(where: { $0.range.contains(offset) }) else { return .some(nil) }
            guard let result = state.pieces[index].result else { return nil }
            return .some((state.pieces.remove(at: index).range, result))
        }
    }

    /// Those that have come and lie elsewhere: whoever they were fetched for reads at another place by now.
    func takeAll(but range: Range<Int64>) -> [Fetched] {
        state.change { state in
            let others = state.pieces.filter { $0.result != nil && !$0.range.overlaps(range) }
            state.pieces.removeAll { $0.result != nil && !$0.range.overlaps(range) }
            return others.compactMap { piece in piece.result.map { (piece.range, $0) } }
        }
    }

    /// Nothing is begun any more.
    func close() { state.change { $0.isClosed = true } }

    /// Returns when all threads have ended, soon after what they fetch was stopped.
    func join() { state.wait { $0.threads > 0 ? nil : () } }
}
