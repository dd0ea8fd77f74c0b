/// The slots that the child fills: each collects a run of one output's bytes, is sent, and comes back.
final class WriteRing {
    private enum State { case free, filling, pending }

    private struct Slot {
        var state = State.free
        var output: UInt32 = 0
        var offset: Int64 = 0
        var count = 0
        var opened: UInt64 = 0
    }

    private var slots = [Slot](repeating: Slot(), count: ChannelLayout.writeSlots)
    private var clock: UInt64 = 0
    private var replaced: Int?

    /// Slot numbers are counted over the whole memory.
    private static let first = ChannelLayout.readSlots

    /// A slot that takes bytes of an output at a position, and how many it has already; `nil` when all are in use.
    ///
    /// Where the output's bytes so far end elsewhere, their slot is to be sent first: `takeReplaced` has it.
    func open(_ output: UInt32, at position: Int64) -> (slot: Int, used: Int)? {
        if let filling = slots.firstIndex(where: { $0.state == .filling && $0.output == output }) {
            let slot = slots[filling]
            if slot.offset + Int64(slot.count) == position { return (filling + Self.first, slot.count) }
            guard let free = slots.firstIndex(where: { $0.state == .free }) else { return nil }
            slots[filling].state = .pending
            replaced = filling + Self.first
            begin(free, output, position)
            return (free + Self.first, 0)
        }
        guard let free = slots.firstIndex(where: { $0.state == .free }) else { return nil }
        begin(free, output, position)
        return (free + Self.first, 0)
    }

    private func begin(_ index: Int, _ output: UInt32, _ position: Int64) {
        clock += 1
        slots[index] = Slot(state: .filling, output: output, offset: position, count: 0, opened: clock)
    }

    func takeReplaced() -> Int? {
        defer { replaced = nil }
        return replaced
    }

    /// - Returns: whether the slot is full, and now to be sent.
    func add(_ count: Int, to number: Int) -> Bool {
        let index = number - Self.first
        slots[index].count += count
        guard slots[index].count == ChannelLayout.slotBytes else { return false }
        slots[index].state = .pending
        return true
    }

    func contents(of number: Int) -> (output: UInt32, offset: Int64, count: Int) {
        let slot = slots[number - Self.first]
        return (slot.output, slot.offset, slot.count)
    }

    /// Ends an output's slot in progress, which is then to be sent.
    func closeFilling(_ output: UInt32) -> Int? {
        close(slots.firstIndex { $0.state == .filling && $0.output == output })
    }

    /// Ends the slot in progress that was begun first, of whatever output.
    func closeOldest() -> Int? {
        close(slots.indices.filter { slots[$0].state == .filling }.min { slots[$0].opened < slots[$1].opened })
    }

    private func close(_ index: Int?) -> Int? {
        guard let index else { return nil }
        slots[index].state = .pending
        return index + Self.first
    }

    /// Drops what was collected of an output and not sent.
    func forget(_ output: UInt32) {
        for index in slots.indices where slots[index].state == .filling && slots[index].output == output {
            slots[index].state = .free
        }
    }

    func free(_ number: Int) {
        let index = number - Self.first
        if slots.indices.contains(index), slots[index].state == .pending { slots[index].state = .free }
    }

    var hasPending: Bool { slots.contains { $0.state == .pending } }
}
