/// Gives pictures that come in decode order their decode times, and says when each is over.
///
/// The n-th picture is decoded when the n-th is shown, less a delay of as many pictures as may be reordered: so decode
/// times rise, none is after its picture's own time, and both keep the source's spacing.
package struct DecodeTimes: Sendable {
    private let depth: Int
    private var window: ReorderWindow
    /// The usual distance between pictures in ticks, for the decode times before the first picture.
    private let step: Int64
    private var first: Int64?
    private var count = 0

    package init(depth: ReorderDepth, step: Int64) {
        (self.depth, self.step) = (depth.pictures, max(1, step))
        window = ReorderWindow(depth: depth)
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
        let settled = window.settled
        let next = try window.add(time)
        count += 1
        guard let next else { return (first - Int64(depth - count + 1) * step, nil) }
        // The first picture decoded is the first shown: what comes before it has no time.
        guard settled != nil || next == first else { throw .unusualOrder }
        return (next, settled.map { Neighbours(earlier: $0, later: next) })
    }

    /// The remaining neighbours, when no picture comes any more.
    ///
    /// - Parameter end: when the last picture is over.
    package func finish(at end: Int64) -> [Neighbours] {
        let order = [window.settled].compactMap(\.self) + window.unsettled + [end]
        return zip(order, order.dropFirst()).map { Neighbours(earlier: $0, later: $1) }
    }
}
