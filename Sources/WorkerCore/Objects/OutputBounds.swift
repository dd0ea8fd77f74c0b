/// What is known of an output before its first byte.
package struct OutputBounds: Sendable, Equatable {
    /// So many bytes from the beginning may be written again at the end, such as the space for an MP4's index. The rest
    /// is written once, in order.
    package var headBytes: Int64
    /// The most that it may come to.
    package var limitBytes: Int64

    package init(headBytes: Int64 = 0, limitBytes: Int64) {
        (self.headBytes, self.limitBytes) = (headBytes, limitBytes)
    }
}
