/// The slots that the daemon fills: which bytes they hold, and what is worth asking for next.
final class ReadWindow {
    private struct Slot {
        /// `stale`: asked for, and no longer wanted.
        enum State { case free, pending, stale, ready }

        var state = State.free
        var resource: UInt32 = 0
        var offset: Int64 = 0
        /// Asked for while pending, received when ready.
        var count = 0
        var asked = 0
        var lastUse: UInt64 = 0
    }

    /// How a resource is being read.
    struct Pattern {
        /// The least to ask for when something is missing.
        var requestBytes: Int
        /// Slots to fill beyond what was read.
        var aheadSlots: Int
    }

    private struct Stream {
        var next: Int64 = 0
        var streak = 0
    }

    /// What reading here and there asks for: an index is read in runs of a few kilobytes.
    private static let smallestRequest = 64 << 10
    /// Reads in sequence before anything is read ahead.
    private static let streakForReadAhead = 3
    private static let mostAhead = 5

    private var slots = [Slot](repeating: Slot(), count: ChannelLayout.readSlots)
    private var streams: [UInt32: Stream] = [:]
    private var clock: UInt64 = 0

    /// Follows the reads of a resource.
    func note(_ resource: UInt32, offset: Int64, count: Int) -> Pattern {
        var stream = streams[resource] ?? Stream()
        stream.streak = offset == stream.next ? min(stream.streak + 1, 16) : 0
        stream.next = offset + Int64(count)
        streams[resource] = stream
        let isSequential = stream.streak >= Self.streakForReadAhead
        return Pattern(
            requestBytes: isSequential ? ChannelLayout.slotBytes : Self.smallestRequest,
            aheadSlots: isSequential ? min(Self.mostAhead, stream.streak - Self.streakForReadAhead + 1) : 0)
    }

    /// The slot that holds a byte, or will.
    func slot(_ resource: UInt32, holding position: Int64) -> Int? {
        clock += 1
        for index in slots.indices {
            let slot = slots[index]
            guard slot.resource == resource, slot.state == .pending || slot.state == .ready, position >= slot.offset
            else { continue }
            // An empty answer says that the end is where it was asked for.
            if position < slot.offset + Int64(slot.count) || slot.count == 0 && position == slot.offset {
                slots[index].lastUse = clock
                return index
            }
        }
        return nil
    }

    /// A slot for a request: a free one, or the one that was of no use for longest; `nil` while all are awaited.
    ///
    /// - Parameter resource: with `from`, what must not be given up for it.
    func takeSlot(keeping resource: UInt32? = nil, from offset: Int64 = 0) -> Int? {
        if let free = slots.firstIndex(where: { $0.state == .free }) { return free }
        let candidates = slots.indices.filter { index in
            let slot = slots[index]
            guard slot.state == .ready else { return false }
            return slot.resource != resource || slot.offset + Int64(slot.count) <= offset
        }
        return candidates.min { slots[$0].lastUse < slots[$1].lastUse }
    }

    func begin(_ index: Int, _ resource: UInt32, offset: Int64, count: Int) {
        clock += 1
        slots[index] = Slot(
            state: .pending, resource: resource, offset: offset, count: count, asked: count, lastUse: clock)
    }

    func finish(_ index: Int, count: Int) {
        guard slots.indices.contains(index) else { return }
        switch slots[index].state {
        case .pending:
            slots[index].count = max(0, min(count, slots[index].count))
            slots[index].state = .ready
        case .stale: slots[index].state = .free
        case .free, .ready: break
        }
    }

    func isPending(_ index: Int) -> Bool { slots[index].state == .pending }
    func end(of index: Int) -> Int64 { slots[index].offset + Int64(slots[index].count) }

    /// Where in a filled slot the bytes from `position` on are; `nil` when there are none.
    func bytes(in index: Int, from position: Int64) -> Range<Int>? {
        let slot = slots[index]
        guard slot.state == .ready, position >= slot.offset, position < slot.offset + Int64(slot.count) else {
            return nil
        }
        return Int(position - slot.offset)..<slot.count
    }

    /// Whether a filled slot holds less than was asked for.
    func isShort(_ index: Int) -> Bool { slots[index].state == .ready && slots[index].count < slots[index].asked }

    /// Whether a filled slot says that nothing is there.
    func isEnd(_ index: Int, at position: Int64) -> Bool {
        let slot = slots[index]
        return slot.state == .ready && slot.count == 0 && slot.offset == position
    }

    /// Forgets bytes that were overwritten.
    func invalidate(_ resource: UInt32, _ range: Range<Int64>) {
        for index in slots.indices {
            let slot = slots[index]
            let touches = slot.offset < range.upperBound && range.lowerBound < slot.offset + Int64(max(1, slot.count))
            // An end that was seen may have moved.
            guard slot.resource == resource, touches || slot.count == 0 else { continue }
            switch slot.state {
            case .pending: slots[index].state = .stale
            case .ready: slots[index].state = .free
            case .free, .stale: break
            }
        }
    }
}
