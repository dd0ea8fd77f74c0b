package import Model

/// A part of a segment whose pictures are all copied where they can be, or all encoded because something is laid over
/// them.
package struct SmartStretch: Sendable, Equatable {
    /// In seconds of the source.
    package var start: Rational
    /// `nil` is the source's end.
    package var end: Rational?
    package var isLayered: Bool
}

extension PlannedSegment {
    /// What is encoded at once is held at once: longer stretches are several.
    private static let longestLayered = Rational(20)
    private static let longestSource = Rational(1_000_000)

    /// The segment, by whether something is laid over it: in order, without gaps.
    package var stretches: [SmartStretch] {
        var stretches: [SmartStretch] = []
        var position = start
        func add(to next: Rational?, isLayered: Bool) {
            if let next, next <= position { return }
            stretches.append(SmartStretch(start: position, end: next, isLayered: isLayered))
            position = next ?? position
        }
        for stretch in layers {
            add(to: stretch.start, isLayered: false)
            // An end that nobody knows lies years away.
            while stretch.end - position > Self.longestLayered, stretch.end - position < Self.longestSource {
                add(to: position + Self.longestLayered, isLayered: true)
            }
            add(to: stretch.end, isLayered: true)
        }
        add(to: end, isLayered: false)
        return merged(stretches)
    }

    /// Neighbours over which different things are laid are one, while they are short.
    private func merged(_ stretches: [SmartStretch]) -> [SmartStretch] {
        stretches.reduce(into: []) { result, stretch in
            guard let last = result.last, last.isLayered, stretch.isLayered, let end = stretch.end,
                end - last.start <= Self.longestLayered
            else { return result.append(stretch) }
            result[result.count - 1].end = end
        }
    }
}
