internal import Model

/// A place among a source's packets of sound, going forward from a segment's run-in.
struct SoundCursor {
    /// Kept behind it, since a following segment may begin there: more than a second of any codec's packets.
    private static let keptPackets = 64

    let window: PacketWindow
    private var next: Int

    /// - Parameter time: the source time to begin at, in seconds: the last packet at or before it is the first one.
    init(_ window: PacketWindow, from time: Rational) throws {
        self.window = window
        next = window.earliestSound
        let first = time.ticks(in: window.soundTimeBase)
        while let following = try window.sound(at: next + 1), following.time <= first { next += 1 }
        window.forgetSound(before: next)
    }

    /// The packet that `advance` gives next, left in place.
    func peek() throws -> HeldSound? { try window.sound(at: next) }

    /// - Returns: `nil` behind the last one.
    mutating func advance() throws -> HeldSound? {
        guard let held = try window.sound(at: next) else { return nil }
        next += 1
        window.forgetSound(before: next - Self.keptPackets)
        return held
    }
}
