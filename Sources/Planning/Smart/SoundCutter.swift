/// A run of source packets that follow on one another, placed on the grid.
package struct PlacedSound: Hashable, Sendable {
    /// The samples of the programme that it fills.
    package var audible: Range<Int64>
    /// The frames that its packets complete.
    package var packets: Range<Int64>
    /// The samples that come out otherwise than they went in: fades, mutes, bleeps. They may reach beyond `audible`.
    package var altered: [Range<Int64>]
    package var grid: PacketGrid

    package init(
        audible: Range<Int64>, packets: Range<Int64>, altered: [Range<Int64>] = [], on grid: PacketGrid
    ) {
        (self.audible, self.packets, self.altered, self.grid) = (audible, packets, altered, grid)
    }

    /// Whether a frame sounds as the source's packets make it: its packet is there and those that decoding it takes, it
    /// lies within what is kept, and nothing is done to it.
    package func isClean(_ frame: Int64) -> Bool {
        let samples = grid.samples(ofFrame: frame)
        return packets.contains(frame) && packets.contains(frame - grid.history)
            && audible.lowerBound <= samples.lowerBound && samples.upperBound <= audible.upperBound
            && !altered.contains { !$0.isEmpty && $0.overlaps(samples) }
    }

    /// The clean frames in order, as ranges.
    package var cleanFrames: [Range<Int64>] {
        let first = max(packets.lowerBound + grid.history, grid.frame(atOrAfter: audible.lowerBound))
        let end = min(packets.upperBound, grid.frame(ofSample: audible.upperBound))
        guard first < end else { return [] }
        var ranges: [Range<Int64>] = []
        var start = first
        for range in altered.sorted(by: { $0.lowerBound < $1.lowerBound }) where !range.isEmpty {
            let before = min(end, grid.frame(ofSample: range.lowerBound))
            if start < before { ranges.append(start..<before) }
            start = max(start, grid.frame(atOrAfter: range.upperBound))
        }
        if start < end { ranges.append(start..<end) }
        return ranges
    }
}

/// How packets of the output come about, in order and without gaps.
package enum SoundPart: Hashable, Sendable {
    /// The packets that the placed sound of this index has at these frames.
    case copy(packets: Range<Int64>, of: Int)
    /// Packets encoded anew.
    case encode(packets: Range<Int64>)

    package var packets: Range<Int64> {
        switch self {
        case .copy(let packets, _), .encode(let packets): packets
        }
    }
}

/// Decides which packets are copied and which are encoded.
package enum SoundCutter {
    /// Fewer packets in a row are not worth two joins, which cost as much to make.
    package static let leastCopied: Int64 = 6

    /// - Parameters:
    ///   - sounds: in the programme's order, not overlapping.
    ///   - end: the programme's length in samples.
    package static func parts(_ sounds: [PlacedSound], end: Int64, on grid: PacketGrid) -> [SoundPart] {
        let packets = grid.packets(end: end)
        var parts: [SoundPart] = []
        var next = packets.lowerBound
        for (index, sound) in sounds.enumerated() {
            for frames in sound.cleanFrames {
                // Both neighbours overlap in clean frames: the first one and the last one are where they join.
                let first = max(next + 1, frames.lowerBound)
                let last = min(frames.upperBound, packets.upperBound) - 1
                guard last - first >= leastCopied else { continue }
                let copied = first..<last
                parts.append(.encode(packets: next..<copied.lowerBound))
                parts.append(.copy(packets: copied, of: index))
                next = copied.upperBound
            }
        }
        if next < packets.upperBound { parts.append(.encode(packets: next..<packets.upperBound)) }
        return parts
    }
}
