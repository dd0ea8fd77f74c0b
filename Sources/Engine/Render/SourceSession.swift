internal import Media
internal import Model
internal import Planning

/// A source opened for rendering: its reader, its picture conformer, and the sound around the current position.
final class SourceSession: SoundFrames {
    let reader: SourceReader
    let conformer: PictureConformer?
    /// Decoded sound that a following segment may begin in, oldest first.
    private var recentSound: [AudioFrame] = []
    private var nextRecent = 0
    private var soundEnded = false

    /// Kept behind the position: more than any codec frame and resampler needs.
    private static let recentSeconds = Rational(1, 2)

    init(_ reader: SourceReader, conformer: PictureConformer?) {
        (self.reader, self.conformer) = (reader, conformer)
    }

    /// Moves to a segment's start, for a caller that looks at no picture before it.
    func begin(at start: Rational) throws {
        try position(at: start)
        reader.passOver(before: start)
    }

    /// Moves to the picture at a time, or an earlier one.
    func position(at start: Rational) throws {
        if try reader.position(atOrBefore: start) {
            recentSound.removeAll()
            soundEnded = false
        }
        nextRecent = 0
    }

    var soundTimeBase: Rational { reader.audio?.timeBase ?? .one }

    /// The next run of samples of the current segment, beginning with those that were kept.
    func nextSound() throws -> AudioFrame? {
        if nextRecent < recentSound.count {
            nextRecent += 1
            return recentSound[nextRecent - 1]
        }
        guard !soundEnded, let frame = try reader.nextAudio() else {
            soundEnded = true
            return nil
        }
        recentSound.append(frame)
        nextRecent = recentSound.count
        forgetOldSound(before: frame)
        return frame
    }

    private func forgetOldSound(before newest: AudioFrame) {
        guard let timeBase = reader.audio?.timeBase, recentSound.count > 64 else { return }
        let limit = newest.time - Self.recentSeconds.ticks(in: timeBase)
        let kept = recentSound.firstIndex { $0.time >= limit } ?? 0
        recentSound.removeFirst(kept)
        nextRecent -= kept
    }
}
