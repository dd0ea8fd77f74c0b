internal import Model
internal import WorkerCore

/// Fetches one piece ahead of a reader, on a thread of its own.
final class ReadAhead: Sendable {
    typealias Fetch = @Sendable (_ range: Range<Int64>) -> Result<[UInt8], Failure>

    private enum Piece {
        case none
        case wanted(Range<Int64>)
        case coming(Range<Int64>)
        case done(Range<Int64>, Result<[UInt8], Failure>)
    }

    private struct State {
        var piece = Piece.none
        var hasThread = false
        var isClosed = false
    }

    private let state = Watched(State())
    private let fetch: Fetch

    init(_ fetch: @escaping Fetch) { self.fetch = fetch }

    /// Where the piece is that is on its way or has come.
    var range: Range<Int64>? {
        state.change { state in
            switch state.piece {
            case .none: nil
            case .wanted(let range), .coming(let range), .done(let range, _): range
            }
        }
    }

    /// Nothing, while another piece is on its way or has not been taken.
    func begin(_ range: Range<Int64>) {
        let startsThread = state.change { state -> Bool in
            guard case .none = state.piece, !state.isClosed else { return false }
            state.piece = .wanted(range)
            defer { state.hasThread = true }
            return !state.hasThread
        }
        if startsThread { OwnThread.start(named: "reelpool.ahead") { [self] in work() } }
    }

    /// - Parameter offset: waits for the piece if it has this byte; `nil` waits for none.
    func take(holding offset: Int64? = nil) -> (range: Range<Int64>, result: Result<[UInt8], Failure>)? {
        state.wait { state -> (range: Range<Int64>, result: Result<[UInt8], Failure>)?? in
            switch state.piece {
            case .none: return .some(nil)
            case .wanted(let range), .coming(let range):
                guard let offset, range.contains(offset) else { return .some(nil) }
                return nil
            case .done(let range, let result):
                state.piece = .none
                return .some((range, result))
            }
        }
    }

    /// Nothing is fetched any more, and the thread ends.
    func close() { state.change { $0.isClosed = true } }

    /// Returns when the thread has ended, soon after what it fetches was stopped.
    func join() { state.wait { $0.hasThread ? nil : () } }

    private func work() {
        while true {
            let next = state.wait { state -> Range<Int64>?? in
                if state.isClosed {
                    if case .wanted(let range) = state.piece {
                        state.piece = .done(
                            range, .failure(Failure(code: .cancelled, message: "the transfer was stopped")))
                    }
                    state.hasThread = false
                    return .some(nil)
                }
                guard case .wanted(let range) = state.piece else { return nil }
                state.piece = .coming(range)
                return range
            }
            guard let range = next else { return }
            let result = fetch(range)
            state.change { $0.piece = .done(range, result) }
        }
    }
}
