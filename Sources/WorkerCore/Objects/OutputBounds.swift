/// What is known of an output before its first byte.
package struct OutputBounds: Sendable, Equatable {
    /// So many bytes from the beginning may be written out of order and again until the end, such as the space for an
    /// MP4's index; where nothing was written they are zero. The rest is written once, in order, and a write may
    /// begin in the head and go on into the rest. At most 65 MiB.
    package var headBytes: Int64
    /// The most that it may come to.
    package var limitBytes: Int64

    package init(headBytes: Int64 = 0, limitBytes: Int64) {
        (self.headBytes, self.limitBytes) = (headBytes, limitBytes)
    }
}
