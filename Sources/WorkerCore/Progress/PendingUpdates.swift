/// Updates that are still to be told: the latest of each job, in the order in which jobs came to have one.
package struct PendingUpdates {
    private let limit: Int
    private var updates: [JobID: ProgressUpdate] = [:]
    private var order: [JobID] = []
    package private(set) var dropped = 0

    /// - Parameter limit: of jobs. Beyond it the oldest that still runs is forgotten first; it will say more by itself.
    package init(limit: Int) { self.limit = max(1, limit) }

    package var isEmpty: Bool { updates.isEmpty }
    package var count: Int { updates.count }

    package mutating func put(_ update: ProgressUpdate) {
        if let known = updates[update.job] {
            let isNewer = (update.epoch, update.sequence) > (known.epoch, known.sequence)
            if isNewer { updates[update.job] = update }
            return
        }
        if updates.count >= limit { forget() }
        updates[update.job] = update
        order.append(update.job)
    }

    package mutating func take(_ count: Int) -> [ProgressUpdate] {
        let jobs = order.prefix(count)
        order.removeFirst(jobs.count)
        return jobs.compactMap { updates.removeValue(forKey: $0) }
    }

    private mutating func forget() {
        let victim = order.firstIndex { updates[$0]?.state.isFinal == false } ?? order.startIndex
        updates[order.remove(at: victim)] = nil
        dropped += 1
    }
}
