/// The memory for parts of all outputs of a job together.
final class UploadBudget: Sendable {
    private struct State {
        var bytes = 0
        var mostBytes = 0
        /// Of those, what will be given back without the writer's doing.
        var leaving = 0
    }

    private let state = Watched(State())

    var bytes: Int { state.change { $0.bytes } }
    var mostBytes: Int { state.change { $0.mostBytes } }

    /// Takes memory; waits for it as long as there is some that will come back.
    func take(_ bytes: Int, limit: Int) {
        state.wait { state -> Void? in
            guard state.bytes + bytes <= limit || state.leaving == 0 else { return nil }
            state.bytes += bytes
            state.mostBytes = max(state.mostBytes, state.bytes)
            return ()
        }
    }

    /// Memory that was taken is on its way to the store.
    func send(_ bytes: Int) { state.change { $0.leaving += bytes } }

    func giveBack(_ bytes: Int, sent: Bool) {
        state.change { state in
            state.bytes -= bytes
            if sent { state.leaving -= bytes }
        }
    }
}
