import Planning
import TestSupport

/// A stream of pictures made up at random: groups with B pyramids or without, closed or open, evenly spaced or not.
struct CodedStream: CodedPictures {
    var pictures: [CodedPicture]
    var depth: ReorderDepth
    /// The furthest picture that was looked at.
    var furthest = 0

    mutating func picture(at index: Int) -> CodedPicture? {
        furthest = max(furthest, index)
        return index < pictures.count ? pictures[index] : nil
    }

    init(_ random: inout some RandomNumberGenerator, groups: Int) {
        let bCount = Int.random(in: 0...3, using: &random)
        let open = Bool.random(using: &random) && bCount > 0
        let uneven = Bool.random(using: &random)
        let pyramid = bCount > 1 && Bool.random(using: &random)
        // Presentation order first: which picture begins a group, and times.
        var kinds: [CodedPicture.Entry] = []
        for group in 0..<groups {
            let length = Int.random(in: 1...24, using: &random)
            kinds.append(open && group > 0 ? .open : .closed)
            kinds += Array(repeating: .none, count: length - 1)
        }
        var time: Int64 = 0
        var times: [Int64] = []
        for _ in kinds {
            times.append(time)
            time += uneven ? Int64.random(in: 1...9, using: &random) : 4
        }
        pictures = []
        // Anchors in presentation order; up to bCount pictures between two of them come behind the later one.
        var anchors: [Int] = []
        var position = 0
        while position < kinds.count {
            anchors.append(position)
            var next = min(position + 1 + Int.random(in: 0...bCount, using: &random), kinds.count)
            if let entry = (position + 1..<max(position + 1, min(next + 1, kinds.count))).first(where: {
                kinds[$0] != .none
            }) {
                // A closed group's first picture follows at once on an anchor; an open one's may have pictures before
                // it.
                next = kinds[entry] == .closed ? min(next, entry) : entry
                if kinds[entry] == .closed, next < entry { next = min(next, entry - 1) }
            }
            position = max(position + 1, next)
        }
        var previous = -1
        for anchor in anchors {
            if kinds[anchor] == .closed {
                // What lies between comes before it, one after the other.
                for index in (previous + 1)..<anchor { pictures.append(CodedPicture(time: times[index], entry: .none)) }
                pictures.append(CodedPicture(time: times[anchor], entry: .closed))
            } else {
                pictures.append(CodedPicture(time: times[anchor], entry: kinds[anchor]))
                var between = Array((previous + 1)..<anchor)
                if pyramid, between.count > 1 {
                    let middle = between.remove(at: between.count / 2)
                    between.insert(middle, at: 0)
                }
                for index in between { pictures.append(CodedPicture(time: times[index], entry: .none)) }
            }
            previous = anchor
        }
        for index in (previous + 1)..<max(previous + 1, kinds.count) {
            pictures.append(CodedPicture(time: times[index], entry: .none))
        }
        let order = pictures.map(\.time)
        depth = ReorderDepth(
            order.indices.map { index in order[..<index].count { $0 > order[index] } }.max() ?? 0)
    }

    /// The last picture at or before `time` that decoding can begin with.
    func entry(before time: Int64) -> Int? {
        pictures.indices.last { pictures[$0].entry != .none && pictures[$0].time <= time }
    }
}

func newSeed() -> UInt64 { .random(in: 0..<1_000_000) }
