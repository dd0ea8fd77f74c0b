/// What smart rendering has to know of VP9: where decoding can begin, and what packets show.
///
/// Section numbers are those of the VP9 Bitstream & Decoding Process Specification, version 0.7.
package enum VP9 {
    package typealias Obstacle = SpliceObstacle

    /// What a container stores as one: a frame, or a superframe of hidden ones and one that is shown.
    package struct Packet: Hashable, Sendable {
        package let frames: [FrameHeader]

        /// - Throws: an obstacle when the packet is damaged, or does not show exactly one picture.
        package init(_ packet: UnsafeRawBufferPointer) throws(Obstacle) {
            var headers: [FrameHeader] = []
            for range in try Self.frameRanges(packet) {
                headers.append(try FrameHeader(UnsafeRawBufferPointer(rebasing: packet[range])))
            }
            let shown = headers.count(where: \.isShown)
            guard shown == 1 else { throw shown == 0 ? .damaged : .severalPictures }
            frames = headers
        }

        /// Of the first frame, where that is a keyframe: nothing from there on refers to anything before it.
        package var keyframe: FrameHeader.Keyframe? { frames.first?.keyframe }

        /// Sizes that its frames have by their own word; others take theirs from a picture that they refer to.
        package var sizes: [FrameHeader.Size] { frames.compactMap(\.size) }

        /// Source: Annex B, superframe_index( ).
        private static func frameRanges(_ packet: UnsafeRawBufferPointer) throws(Obstacle) -> [Range<Int>] {
            guard let marker = packet.last else { throw .damaged }
            guard marker >> 5 == 6 else { return [0..<packet.count] }
            let (count, width) = (Int(marker & 7) + 1, Int(marker >> 3 & 3) + 1)
            let start = packet.count - 2 - count * width
            guard start >= 0, packet[start] == marker else { return [0..<packet.count] }
            var ranges: [Range<Int>] = []
            var offset = 0
            for number in 0..<count {
                let entry = packet[(start + 1 + number * width)...].prefix(width)
                let size = entry.reversed().reduce(0) { $0 << 8 | Int($1) }
                guard offset + size <= start else { throw .damaged }
                if size > 0 { ranges.append(offset..<offset + size) }
                offset += size
            }
            return ranges
        }
    }

    /// The first bits of uncompressed_header( ). Source: §6.2.
    package struct FrameHeader: Hashable, Sendable {
        package struct Size: Hashable, Sendable {
            package var width: Int
            package var height: Int
        }

        /// color_config( ).
        package struct Format: Hashable, Sendable {
            package var profile: Int
            package var bitDepth = 8
            /// color_space: 1 BT.601, 2 BT.709, 3 SMPTE 170M, 4 SMPTE 240M, 5 BT.2020, 7 RGB; 0 does not say.
            package var colorSpace = 0
            package var isFullRange = false
            package var subsamplingX = 1
            package var subsamplingY = 1

            package var is420: Bool { subsamplingX == 1 && subsamplingY == 1 }
        }

        package struct Keyframe: Hashable, Sendable {
            package var format: Format
            package var size: Size
            /// What it is to be shown as large as; of a hint's rank.
            package var renderSize: Size
        }

        package private(set) var isShown = true
        /// It is a picture that was decoded before, and has no data of its own.
        package private(set) var showsExisting = false
        package private(set) var keyframe: Keyframe?
        package private(set) var size: Size?

        package init(_ bytes: UnsafeRawBufferPointer) throws(Obstacle) {
            var reader = BitReader(bytes, isEscaped: false)
            let isSound = read(&reader)
            guard isSound, !reader.hasFailed else { throw .damaged }
        }

        private mutating func read(_ reader: inout BitReader) -> Bool {
            guard reader.u(2) == 2 else { return false }
            let low = reader.u(1)
            let profile = reader.u(1) << 1 | low
            if profile == 3, reader.flag() { return false }
            showsExisting = reader.flag()
            if showsExisting {
                _ = reader.u(3)
                return true
            }
            let isKey = !reader.flag()
            isShown = reader.flag()
            let isResilient = reader.flag()
            if isKey {
                guard reader.u(24) == Self.syncCode else { return false }
                let format = Self.format(profile, &reader)
                let size = Self.size(&reader)
                self.size = size
                keyframe = Keyframe(
                    format: format, size: size, renderSize: reader.flag() ? Self.size(&reader) : size)
                return true
            }
            let isIntra = !isShown && reader.flag()
            if !isResilient { _ = reader.u(2) }
            if isIntra {
                guard reader.u(24) == Self.syncCode else { return false }
                if profile > 0 { _ = Self.format(profile, &reader) }
            }
            // refresh_frame_flags
            _ = reader.u(8)
            if !isIntra {
                // Three references with their sign biases; then the first whose size this frame has.
                _ = reader.u(12)
                for _ in 0..<3 where reader.flag() { return true }
            }
            size = Self.size(&reader)
            return true
        }

        private static let syncCode = 0x49_8342

        /// Source: §6.2.2.
        private static func format(_ profile: Int, _ reader: inout BitReader) -> Format {
            var format = Format(profile: profile)
            if profile >= 2 { format.bitDepth = reader.flag() ? 12 : 10 }
            format.colorSpace = reader.u(3)
            let hasSubsampling = profile == 1 || profile == 3
            if format.colorSpace != 7 {
                format.isFullRange = reader.flag()
                if hasSubsampling { (format.subsamplingX, format.subsamplingY) = (reader.u(1), reader.u(1)) }
            } else {
                (format.isFullRange, format.subsamplingX, format.subsamplingY) = (true, 0, 0)
            }
            if hasSubsampling { _ = reader.u(1) }
            return format
        }

        private static func size(_ reader: inout BitReader) -> Size {
            let width = reader.u(16) + 1
            return Size(width: width, height: reader.u(16) + 1)
        }
    }
}
