/// The picture of a segment that is shown last, of those that were placed so far in whatever order; all in ticks.
struct LastPicture {
    private(set) var time: Int64
    /// As its packet says; 0 where it does not.
    var duration: Int64 = 0
    /// The time of the picture before it.
    private var earlier: Int64?

    /// - Parameter time: of the first picture, which may still be added.
    init(time: Int64) {
        self.time = time
    }

    /// How long it is shown: as its packet says, else as long as the one before; 0 where there is none.
    var shown: Int64 { duration > 0 ? duration : earlier.map { time - $0 } ?? 0 }

    mutating func add(_ time: Int64, duration: Int64 = 0) {
        if time > self.time {
            (earlier, self.time, self.duration) = (self.time, time, duration)
        } else if time == self.time {
            self.duration = duration
        } else {
            earlier = max(time, earlier ?? time)
        }
    }
}
