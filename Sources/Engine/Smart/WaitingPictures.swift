internal import Media
internal import Model
internal import Planning

/// The pictures of a seam that its encoder has not given back yet, in the order they are shown.
final class WaitingPictures {
    private var pictures: [VideoFrame] = []
    private var taken = 0

    func add(_ frame: borrowing Frame, at time: Int64) throws {
        pictures.append(VideoFrame(try frame.reference(), time: time))
    }

    /// - Returns: what the encoder's next packet was made from, and whether it is the seam's first.
    func next() throws -> (picture: VideoFrame, isFirst: Bool) {
        guard !pictures.isEmpty else { throw SmartObstacle.verification("the encoder made pictures of its own") }
        taken += 1
        return (pictures.removeFirst(), taken == 1)
    }

    var isEmpty: Bool { pictures.isEmpty }
    /// Nothing was added so far.
    var isUnused: Bool { pictures.isEmpty && taken == 0 }
}
