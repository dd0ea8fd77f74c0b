/// One compressed picture, as far as cutting needs to know it.
package struct CodedPicture: Sendable, Equatable {
    /// Whether decoding, or a copied run, can begin with it.
    package enum Entry: Sendable, Equatable {
        case none
        /// Nothing behind it in decode order is shown before it or refers to anything before it: an IDR picture.
        case closed
        /// It is intact by itself, but pictures that follow it in decode order and are shown before it (its leading
        /// pictures) refer to what came before: an I picture of an open GOP.
        case open
        /// As `open`, but a stream can begin with it: it is written as one whose past is of no matter (HEVC's BLA).
        case brokenLink
    }

    /// When it is shown, in ticks of its stream, from the container's start.
    package var time: Int64
    package var entry: Entry
    /// An edit list may hide pictures that others need.
    package var isShown: Bool

    package init(time: Int64, entry: Entry, isShown: Bool = true) {
        (self.time, self.entry, self.isShown) = (time, entry, isShown)
    }
}

/// The pictures of a stream in decode order, read on as they are asked for.
package protocol CodedPictures {
    /// - Parameter index: counted in decode order; what lies before the current window may be forgotten.
    /// - Returns: `nil` behind the last one.
    mutating func picture(at index: Int) throws -> CodedPicture?
}

/// How far a stream shows its pictures in another order than they are decoded in.
package struct ReorderDepth: Sendable, Equatable {
    /// At most so many pictures come before another in decode order, and are shown after it.
    /// Source: ITU-T H.264 §E.2.1, max_num_reorder_frames.
    package let pictures: Int

    package init(_ pictures: Int) { self.pictures = pictures }
}
