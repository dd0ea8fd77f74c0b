/// Times that come in decode order, on their way to the order they are shown in.
package struct ReorderWindow: Sendable {
    private let depth: ReorderDepth
    /// Times that may still be followed by earlier ones, sorted.
    package private(set) var unsettled: [Int64] = []
    /// The last time that is known to be followed by no earlier one.
    package private(set) var settled: Int64?

    package init(depth: ReorderDepth) { self.depth = depth }

    /// - Returns: the time that is now known to be shown next, once there are more than may be reordered.
    /// - Throws: `SmartObstacle.unusualOrder` when it comes later than the depth allows, or twice.
    package mutating func add(_ time: Int64) throws(SmartObstacle) -> Int64? {
        guard settled.map({ $0 < time }) ?? true else { throw .unusualOrder }
        let position = unsettled.firstIndex { $0 >= time } ?? unsettled.count
        guard position == unsettled.count || unsettled[position] != time else { throw .unusualOrder }
        unsettled.insert(time, at: position)
        guard unsettled.count > depth.pictures else { return nil }
        settled = unsettled.removeFirst()
        return settled
    }
}
