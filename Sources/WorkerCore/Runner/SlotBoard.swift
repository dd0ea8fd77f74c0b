/// What a worker has on its hands, and what still fits: a plain value, so that its rules can be tested by themselves.
package struct SlotBoard: Sendable {
    package struct Entry: Sendable {
        package var job: JobRecord
        package var memoryBytes: Int64
        /// When the lease was last known to hold, by the worker's clock.
        package var renewedAt: Double
        package var stopReason: StopReason?
    }

    /// A chunk of another's job.
    package struct Help: Sendable {
        package var memoryBytes: Int64
        package var stop: StopSwitch
    }

    /// `noop` jobs at a time: they cost nothing but the store's work.
    package static let noopLimit = 400

    package let slots: Int
    package let memoryBytes: Int64
    package private(set) var running: [Lease: Entry] = [:]
    /// By a number of this board's own.
    package private(set) var helping: [Int: Help] = [:]
    private var helps = 0

    package init(slots: Int, memoryBytes: Int64) { (self.slots, self.memoryBytes) = (slots, memoryBytes) }

    private var worked: some Sequence<Entry> { running.values.lazy.filter { $0.job.kind != .noop } }

    package var busySlots: Int { workedCount + helping.count }
    private var workedCount: Int { worked.reduce(0) { count, _ in count + 1 } }
    package var freeSlots: Int { max(0, slots - busySlots) }
    package var freeMemoryBytes: Int64 {
        let helped = helping.values.reduce(0) { $0 + $1.memoryBytes }
        return max(0, memoryBytes - helped - worked.reduce(0) { $0 + $1.memoryBytes })
    }
    package var freeNoops: Int { max(0, Self.noopLimit - (running.count - workedCount)) }

    package mutating func start(_ job: JobRecord, memoryBytes: Int64, at now: Double) {
        running[Lease(job: job.id, epoch: job.epoch)] = Entry(job: job, memoryBytes: memoryBytes, renewedAt: now)
    }

    package mutating func end(_ lease: Lease) { running[lease] = nil }

    /// - Returns: its number.
    package mutating func startHelp(memoryBytes: Int64, stop: StopSwitch) -> Int {
        helps += 1
        helping[helps] = Help(memoryBytes: memoryBytes, stop: stop)
        return helps
    }

    package mutating func endHelp(_ number: Int) { helping[number] = nil }

    package mutating func renewed(_ leases: [Lease], at moment: Double) {
        for lease in leases { running[lease]?.renewedAt = moment }
    }

    /// Marks what is to stop; each lease comes out once.
    package mutating func stop(_ leases: some Sequence<Lease>, because reason: StopReason) -> [Lease] {
        leases.filter { lease in
            guard let entry = running[lease], entry.stopReason == nil else { return false }
            running[lease]?.stopReason = reason
            return true
        }
    }

    /// Leases that were not renewed since `moment`: they may have run out by the store's clock.
    package func unrenewed(since moment: Double) -> [Lease] {
        running.filter { $0.value.renewedAt < moment }.map(\.key)
    }
}
