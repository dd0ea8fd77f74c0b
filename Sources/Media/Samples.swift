internal import CFFmpeg
internal import CFFmpegShims

/// A queue of planar float samples, one lane a channel. Positions count from the first sample still held.
package struct Samples: ~Copyable {
    package let channels: Int
    package private(set) var count = 0
    private var start = 0
    private var capacity: Int
    private var lanes: UnsafeMutablePointer<Float>

    package init(channels: Int) {
        precondition(channels > 0, "samples need a channel")
        self.channels = channels
        capacity = 16384
        lanes = .allocate(capacity: channels * capacity)
    }

    deinit { lanes.deallocate() }

    /// One channel's samples; valid until the next change.
    package subscript(channel channel: Int) -> UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(start: lanes + channel * capacity + start, count: count)
    }

    /// Appends room for `extra` samples and returns where each channel's part begins.
    mutating func grow(
        by extra: Int, _ body: (_ lane: (Int) -> UnsafeMutablePointer<Float>) throws(MediaError) -> Int
    )
        throws(MediaError)
    {
        reserve(extra)
        let base = lanes
        let (capacity, offset) = (capacity, start + count)
        count += try body { base + $0 * capacity + offset }
    }

    package mutating func append(copyOf frame: borrowing Frame) {
        let added = frame.sampleCount
        reserve(added)
        for channel in 0..<channels {
            guard let source = frame.samples(channel: channel).baseAddress else { continue }
            (lanes + channel * capacity + start + count).update(from: source, count: added)
        }
        count += added
    }

    package mutating func appendSilence(_ added: Int) {
        guard added > 0 else { return }
        reserve(added)
        for channel in 0..<channels {
            (lanes + channel * capacity + start + count).update(repeating: 0, count: added)
        }
        count += added
    }

    package mutating func removeFirst(_ removed: Int) {
        precondition(removed <= count, "more samples removed than held")
        start += removed
        count -= removed
        if count == 0 { start = 0 }
    }

    package mutating func removeLast(_ removed: Int) {
        precondition(removed <= count, "more samples removed than held")
        count -= removed
    }

    package mutating func removeAll() { (start, count) = (0, 0) }

    /// Moves the first samples into a frame of the same channel count, at its sample 0.
    package mutating func move(_ moved: Int, into frame: borrowing Frame) {
        for channel in 0..<channels {
            guard let source = self[channel: channel].baseAddress else { continue }
            frame.samples(channel: channel).baseAddress?.update(from: source, count: moved)
        }
        removeFirst(moved)
    }

    /// Appends the first samples of another queue of as many channels, and removes them there.
    package mutating func append(_ moved: Int, from other: inout Samples) {
        precondition(other.channels == channels && moved <= other.count, "the queues do not match")
        reserve(moved)
        for channel in 0..<channels {
            guard let source = other[channel: channel].baseAddress else { continue }
            (lanes + channel * capacity + start + count).update(from: source, count: moved)
        }
        count += moved
        other.removeFirst(moved)
    }

    private mutating func reserve(_ extra: Int) {
        guard start + count + extra > capacity else { return }
        let needed = count + extra
        // Sliding back is enough when at least half is free; otherwise the lanes double.
        let newCapacity = needed * 2 <= capacity ? capacity : max(capacity * 2, needed * 2)
        let fresh = UnsafeMutablePointer<Float>.allocate(capacity: channels * newCapacity)
        for channel in 0..<channels {
            (fresh + channel * newCapacity).update(from: lanes + channel * capacity + start, count: count)
        }
        lanes.deallocate()
        (lanes, capacity, start) = (fresh, newCapacity, 0)
    }
}
