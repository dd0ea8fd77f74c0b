internal import Model

/// The memory for parts of all outputs of a job together.
final class UploadBudget: Sendable {
    /// Fresh pages cost as much as what is written into them, so that parts which were sent are filled again.
    private static let mostSpare = 2

    private struct State {
        /// What spare ones take is among them.
        var bytes = 0
        var spare: [PartBuffer] = []
        var mostBytes = 0
        /// Of those, what will be given back without the writer's doing.
        var leaving = 0
    }

    private let state = Watched(State())

    var bytes: Int { state.change { $0.bytes } }
    var mostBytes: Int { state.change { $0.mostBytes } }

    /// - Returns: memory for a part, in which there may be anything.
    func buffer(_ size: Int) throws(Failure) -> PartBuffer {
        let used = state.change { state in
            state.spare.firstIndex { $0.size == size }.map { state.spare.remove(at: $0) }
        }
        guard let used else { return try PartBuffer(size) }
        used.restart()
        return used
    }

    /// Takes memory; waits for it as long as there is some that will come back.
    func take(_ bytes: Int, limit: Int) {
        state.wait { state -> Void? in
            while state.bytes + bytes > limit, let spare = state.spare.popLast() { state.bytes -= spare.charged }
            guard state.bytes + bytes <= limit || state.leaving == 0 else { return nil }
            state.bytes += bytes
            state.mostBytes = max(state.mostBytes, state.bytes)
            return ()
        }
    }

    /// Memory that was taken is on its way to the store.
    func send(_ bytes: Int) { state.change { $0.leaving += bytes } }

    /// The store has what it holds, or is not to have it any more.
    func giveBack(sent part: PartBuffer) {
        state.change { state in
            state.leaving -= part.charged
            if state.spare.count < Self.mostSpare { state.spare.append(part) } else { state.bytes -= part.charged }
        }
    }

    /// It was not sent, and goes.
    func giveBack(_ bytes: Int) { state.change { $0.bytes -= bytes } }
}
