/// Gives pictures that come in decode order their decode times, and says when each is over.
///
/// The n-th picture is decoded when the n-th is shown, less a delay of as many pictures as may be reordered: so decode
/// times rise, none is after its picture's own time, and both keep the source's spacing.
package struct DecodeTimes: Sendable {
    private let depth: Int
    /// The usual distance between pictures in ticks, for the decode times before the first picture.
    private let step: Int64
    /// Times of pictures that were decoded and of which it is open whether they are next to be shown, sorted.
    private var waiting: [Int64] = []
    private var first: Int64?
    private var count = 0
    /// The last time that is known to be followed by no earlier one.
    private var settled: Int64?

    package init(depth: ReorderDepth, step: Int64) {
        (self.depth, self.step) = (depth.pictures, max(1, step))
    }

    /// Two neighbours in presentation order.
    package struct Neighbours: Sendable, Equatable {
        package var earlier: Int64
        package var later: Int64
    }

    /// - Parameter time: of the next picture in decode order, in ticks of the output.
    /// - Returns: its decode time, and two neighbours if that made them known.
    /// - Throws: `SmartObstacle.unusualOrder` when it is shown earlier than the depth allows, or twice.
    package mutating func next(_ time: Int64) throws(SmartObstacle) -> (decodeTime: Int64, known: Neighbours?) {
        let first = self.first ?? time
        self.first = first
        let position = waiting.firstIndex { $0 >= time } ?? waiting.count
        guard position == waiting.count || waiting[position] != time else { throw .unusualOrder }
        waiting.insert(time, at: position)
        count += 1
        guard count > depth else { return (first - Int64(depth - count + 1) * step, nil) }
        let next = waiting.removeFirst()
        guard settled.map({ $0 < next }) ?? true, next <= time else { throw .unusualOrder }
        // The first picture decoded is the first shown: what comes before it has no time.
        guard settled != nil || next == first else { throw .unusualOrder }
        let known = settled.map { Neighbours(earlier: $0, later: next) }
        settled = next
        return (next, known)
    }

    /// The remaining neighbours, when no picture comes any more.
    ///
    /// - Parameter end: when the last picture is over.
    package mutating func finish(at end: Int64) -> [Neighbours] {
        var order = waiting + [end]
        if let settled { order.insert(settled, at: 0) }
        waiting = []
        return zip(order, order.dropFirst()).map { Neighbours(earlier: $0, later: $1) }
    }
}
