/// Decides which pictures of a segment are copied, and which are decoded and encoded anew around its ends.
///
/// A segment is [start, end) in presentation time. It is made of a *head* (pictures before the first one that a copy
/// can
/// begin with), a *copied run* (in decode order, without the leading pictures of its first one), and a *tail* (pictures
/// that are decoded together with ones beyond the end). Each may be empty. All is decided on times in ticks.
package struct SegmentCutter: Sendable {
    /// The first and the behind-last tick.
    package let range: Range<Int64>
    package let depth: ReorderDepth

    package init(_ range: Range<Int64>, depth: ReorderDepth) { (self.range, self.depth) = (range, depth) }

    /// Pictures that are encoded anew.
    package struct Seam: Sendable, Equatable {
        /// Their times, in the order they are shown.
        package var times: [Int64]
        /// Decode order: from the picture that decoding begins with to the one behind the last that is needed.
        package var decoded: Range<Int>

        package init(times: [Int64], decoded: Range<Int>) { (self.times, self.decoded) = (times, decoded) }
    }

    package struct Head: Sendable, Equatable {
        package var seam: Seam?
        /// Where copying begins; `nil` where all of the segment is in the seam.
        package var entry: Int?
        /// When the first picture behind the segment is shown; only known here where nothing is copied, and `nil` at
        /// the source's end.
        package var endTime: Int64?
        /// When the segment's first picture is shown; `nil` when no picture lies in the range.
        package var first: Int64?
    }

    /// - Parameters:
    ///   - index: a picture that decoding can begin with, shown at or before the range's first tick.
    ///   - copies: whether anything may be copied; without, all of the segment is in the seam.
    package func head(
        _ pictures: inout some CodedPictures, decodingFrom index: Int, copies: Bool = true
    ) throws -> Head {
        var position = index
        var times: [Int64] = []
        var lastNeeded = index
        while let picture = try pictures.picture(at: position) {
            guard picture.isShown || picture.time < range.lowerBound || !times.isEmpty else {
                throw SmartObstacle.hiddenPictures
            }
            if isBeyond(picture) { break }
            if copies, picture.entry != .none, picture.time >= range.lowerBound,
                let head = try head(
                    before: position, picture, times: times, lastNeeded: lastNeeded, decodingFrom: index, &pictures)
            {
                return head
            }
            if picture.time >= range.lowerBound {
                times.append(picture.time)
                lastNeeded = position
            }
            position += 1
        }
        // No place to begin a copy: the whole segment is a seam. What is decoded late may still belong to it.
        let rest = try settle(&pictures, from: position, limit: range.upperBound)
        for picture in rest.earlier where picture.time >= range.lowerBound {
            times.append(picture.time)
            lastNeeded = picture.index
        }
        times.sort()
        return Head(
            seam: times.isEmpty ? nil : Seam(times: times, decoded: index..<lastNeeded + 1), entry: nil,
            endTime: rest.next, first: times.first)
    }

    /// The head in front of a candidate, or `nil` where no copy may begin with it.
    private func head(
        before position: Int, _ entry: CodedPicture, times: [Int64], lastNeeded: Int, decodingFrom index: Int,
        _ pictures: inout some CodedPictures
    ) throws -> Head? {
        var times = times
        var lastNeeded = lastNeeded
        if entry.entry != .closed {
            let leading = try settle(&pictures, from: position + 1, limit: entry.time)
            for picture in leading.earlier where picture.time >= range.lowerBound {
                times.append(picture.time)
                lastNeeded = picture.index
            }
            // H.264's may only follow a seam, which makes it possible (its numbers jump).
            guard entry.entry == .brokenLink || !times.isEmpty else { return nil }
        }
        // Times that are shown after the entry belong to pictures that it cannot replace.
        guard times.allSatisfy({ $0 < entry.time }) else { return nil }
        times.sort()
        return Head(
            seam: times.isEmpty ? nil : Seam(times: times, decoded: index..<lastNeeded + 1), entry: position,
            endTime: nil, first: times.first ?? entry.time)
    }

    package enum Run: Sendable, Equatable {
        /// Copy the pictures up to this one in decode order (exclusive), but for leading ones.
        case copy(upTo: Int)
        /// Copying ends here. `endTime` is when the first picture behind the segment is shown, `nil` at the source's
        /// end.
        case stop(tail: Seam?, endTime: Int64?)
    }

    /// What comes next of a copied run: a stretch after which everything is shown later than all before it, so that a
    /// copy can end there; or the end.
    ///
    /// - Parameters:
    ///   - position: in decode order; everything shown before it is decoded before it.
    ///   - entry: what the run began with; pictures shown before it are its leading ones.
    ///   - decodingFrom: the last picture before `position`, or at the run's beginning, that decoding can begin with.
    package func run(
        _ pictures: inout some CodedPictures, at position: Int, entryTime: Int64, decodingFrom entry: Int
    ) throws -> Run {
        var highest = Int64.min
        var index = position
        var contents: [(index: Int, picture: CodedPicture)] = []
        while let picture = try pictures.picture(at: index) {
            contents.append((index, picture))
            highest = max(highest, picture.time)
            index += 1
            if try settle(&pictures, from: index, limit: highest).earlier.isEmpty { break }
            if contents.count > Self.longestRun { throw SmartObstacle.unusualOrder }
        }
        let kept = contents.filter { $0.picture.time >= entryTime }
        guard !contents.isEmpty else { return .stop(tail: nil, endTime: nil) }
        guard let beyond = kept.filter({ isBeyond($0.picture) }).map(\.picture.time).min() else {
            return .copy(upTo: index)
        }
        let tail = kept.filter { !isBeyond($0.picture) }
        guard let last = tail.map(\.index).max() else { return .stop(tail: nil, endTime: beyond) }
        return .stop(
            tail: Seam(times: tail.map(\.picture.time).sorted(), decoded: entry..<last + 1), endTime: beyond)
    }

    /// Far more than any encoder's; bounds what must be held.
    private static let longestRun = 64

    private func isBeyond(_ picture: CodedPicture) -> Bool {
        picture.time >= range.upperBound || picture.time >= range.lowerBound && !picture.isShown
    }

    /// Looks ahead until no picture shown before `limit` can come any more.
    ///
    /// - Returns: those that still come before it, in decode order, and the earliest time at or behind it.
    private func settle(
        _ pictures: inout some CodedPictures, from position: Int, limit: Int64
    ) throws -> (earlier: [(index: Int, time: Int64)], next: Int64?) {
        var earlier: [(index: Int, time: Int64)] = []
        var next: Int64?
        var later = 0
        var index = position
        while later <= depth.pictures, let picture = try pictures.picture(at: index) {
            if picture.time < limit, picture.isShown {
                earlier.append((index, picture.time))
            } else if picture.time >= limit {
                next = min(next ?? .max, picture.time)
                // Nothing behind an IDR picture is shown before it.
                if picture.entry == .closed { break }
                later += 1
            }
            index += 1
        }
        return (earlier, next)
    }
}
