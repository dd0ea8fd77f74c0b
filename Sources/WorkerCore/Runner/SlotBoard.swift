/// What a worker has on its hands, and what still fits: a plain value, so that its rules can be tested by themselves.
package struct SlotBoard: Sendable {
    package struct Entry: Sendable {
        package var job: JobRecord
        package var memoryBytes: Int64
        /// When the lease was last known to hold, by the worker's clock.
        package var renewedAt: Double
        package var stopReason: StopReason?
    }

    /// `noop` jobs at a time: they cost nothing but the store's work.
    package static let noopLimit = 400

    package let slots: Int
    package let memoryBytes: Int64
    package private(set) var running: [Lease: Entry] = [:]

    package init(slots: Int, memoryBytes: Int64) { (self.slots, self.memoryBytes) = (slots, memoryBytes) }

    private var worked: some Sequence<Entry> { running.values.lazy.filter { $0.job.kind != .noop } }

    package var busySlots: Int { worked.reduce(0) { count, _ in count + 1 } }
    package var freeSlots: Int { max(0, slots - busySlots) }
    package var freeMemoryBytes: Int64 { max(0, memoryBytes - worked.reduce(0) { $0 + $1.memoryBytes }) }
    package var freeNoops: Int { max(0, Self.noopLimit - (running.count - busySlots)) }

    package mutating func start(_ job: JobRecord, memoryBytes: Int64, at now: Double) {
        running[Lease(job: job.id, epoch: job.epoch)] = Entry(job: job, memoryBytes: memoryBytes, renewedAt: now)
    }

    package mutating func end(_ lease: Lease) { running[lease] = nil }

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
