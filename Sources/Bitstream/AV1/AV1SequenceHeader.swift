/// What smart rendering has to know of AV1: where decoding can begin, and what a sequence header asks of an encoder.
///
/// Section numbers are those of the AV1 Bitstream & Decoding Process Specification, version 1.0.0 with errata 1.
package enum AV1 {
    package typealias Obstacle = SpliceObstacle

    /// sequence_header_obu( ). Source: §5.5.
    package struct SequenceHeader: Hashable, Sendable {
        /// Its bits, without trailing zero bytes: two streams with the same can be joined.
        package private(set) var payload: [UInt8]
        package private(set) var profile = 0
        package private(set) var isReducedStill = false
        package private(set) var operatingPoints = 1
        package private(set) var hasDecoderModel = false
        package private(set) var width = 0
        package private(set) var height = 0
        /// idLen, 0 where frames have no ids.
        package private(set) var frameIDBits = 0
        package private(set) var bitDepth = 8
        package private(set) var isMonochrome = false
        package private(set) var subsamplingX = 1
        package private(set) var subsamplingY = 1
        package private(set) var hasFilmGrain = false
        /// seq_force_screen_content_tools and seq_force_integer_mv: 2 leaves it to each frame.
        package private(set) var screenContentTools = 2
        package private(set) var integerVectors = 2
        /// OrderHintBits, 0 without order hints.
        package private(set) var orderHintBits = 0
        package private(set) var tools = Tools()

        /// What frames may use, as an encoder is told.
        package struct Tools: Hashable, Sendable {
            package var has128Superblocks = false
            package var filterIntra = false
            package var intraEdgeFilter = false
            package var interIntraCompound = false
            package var maskedCompound = false
            package var warpedMotion = false
            package var dualFilter = false
            package var distanceWeights = false
            package var referenceVectors = false
            package var superResolution = false
            package var cdef = false
            package var restoration = false
        }

        /// - Parameter payload: of the OBU, without its header.
        package init(payload: some Collection<UInt8>) throws(Obstacle) {
            var payload = Array(payload)
            while payload.last == 0 { payload.removeLast() }
            self.payload = payload
            var header = self
            let isSound = payload.withUnsafeBytes { bytes in
                var reader = BitReader(bytes, isEscaped: false)
                header.read(&reader)
                return !reader.hasFailed
            }
            guard isSound else { throw .damaged }
            self = header
        }

        /// What keeps a stream with this header from being copied next to pictures encoded here.
        package var obstacle: Obstacle? {
            if operatingPoints > 1 { return .layers }
            if isReducedStill { return .profile }
            if hasDecoderModel { return .decoderModel }
            if isMonochrome || subsamplingX != 1 || subsamplingY != 1 { return .chromaFormat }
            if bitDepth != 8, bitDepth != 10 { return .bitDepth }
            return hasFilmGrain ? .filmGrain : nil
        }

        /// A container's record (`av1C`), or plain OBUs, with this header and nothing else in it. Some encoders give
        /// containers a header that they do not go by.
        package func record(like configuration: [UInt8]) -> [UInt8] {
            var size: [UInt8] = []
            var rest = payload.count
            repeat {
                size.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
                rest >>= 7
            } while rest > 0
            // obu_type 1, with obu_has_size_field
            return (configuration.first == 0x81 ? Array(configuration.prefix(4)) : []) + [0x0A] + size + payload
        }

        private mutating func read(_ reader: inout BitReader) {
            profile = reader.u(3)
            _ = reader.flag()
            isReducedStill = reader.flag()
            if isReducedStill {
                _ = reader.u(5)
            } else {
                readOperatingPoints(&reader)
            }
            let (widthBits, heightBits) = (reader.u(4) + 1, reader.u(4) + 1)
            (width, height) = (reader.u(widthBits) + 1, reader.u(heightBits) + 1)
            if !isReducedStill, reader.flag() {
                // delta_frame_id_length_minus_2, additional_frame_id_length_minus_1
                frameIDBits = reader.u(4) + 2
                frameIDBits += reader.u(3) + 1
            }
            tools.has128Superblocks = reader.flag()
            tools.filterIntra = reader.flag()
            tools.intraEdgeFilter = reader.flag()
            if !isReducedStill { readInterTools(&reader) }
            tools.superResolution = reader.flag()
            tools.cdef = reader.flag()
            tools.restoration = reader.flag()
            readColour(&reader)
            hasFilmGrain = reader.flag()
        }

        private mutating func readOperatingPoints(_ reader: inout BitReader) {
            var delayBits = 0
            if reader.flag() {
                // num_units_in_display_tick, time_scale
                _ = (reader.u(32), reader.u(32))
                if reader.flag() { Self.skipVariableLength(&reader) }
                hasDecoderModel = reader.flag()
                if hasDecoderModel {
                    delayBits = reader.u(5) + 1
                    _ = (reader.u(32), reader.u(10))
                }
            }
            let hasDisplayDelay = reader.flag()
            operatingPoints = reader.u(5) + 1
            for _ in 0..<operatingPoints {
                _ = reader.u(12)
                if reader.u(5) > 7 { _ = reader.flag() }
                if hasDecoderModel, reader.flag() { _ = (reader.u(delayBits), reader.u(delayBits), reader.flag()) }
                if hasDisplayDelay, reader.flag() { _ = reader.u(4) }
            }
        }

        private mutating func readInterTools(_ reader: inout BitReader) {
            tools.interIntraCompound = reader.flag()
            tools.maskedCompound = reader.flag()
            tools.warpedMotion = reader.flag()
            tools.dualFilter = reader.flag()
            let hasOrderHint = reader.flag()
            if hasOrderHint {
                tools.distanceWeights = reader.flag()
                tools.referenceVectors = reader.flag()
            }
            screenContentTools = reader.flag() ? 2 : reader.u(1)
            integerVectors = screenContentTools > 0 && !reader.flag() ? reader.u(1) : 2
            if hasOrderHint { orderHintBits = reader.u(3) + 1 }
        }

        /// color_config( ). Source: §5.5.2.
        private mutating func readColour(_ reader: inout BitReader) {
            let isDeep = reader.flag()
            bitDepth = profile == 2 && isDeep ? (reader.flag() ? 12 : 10) : (isDeep ? 10 : 8)
            isMonochrome = profile != 1 && reader.flag()
            var description = (2, 2, 2)
            if reader.flag() { description = (reader.u(8), reader.u(8), reader.u(8)) }
            if isMonochrome {
                _ = reader.flag()
                return
            }
            if description == (1, 13, 0) {
                (subsamplingX, subsamplingY) = (0, 0)
            } else {
                _ = reader.flag()
                switch profile {
                case 0: break
                case 1: (subsamplingX, subsamplingY) = (0, 0)
                default:
                    subsamplingX = bitDepth == 12 ? reader.u(1) : 1
                    subsamplingY = bitDepth == 12 && subsamplingX == 1 ? reader.u(1) : 0
                }
                if subsamplingX == 1, subsamplingY == 1 { _ = reader.u(2) }
            }
            _ = reader.flag()
        }

        /// uvlc( ). Source: §4.10.3.
        private static func skipVariableLength(_ reader: inout BitReader) {
            var zeros = 0
            while !reader.hasFailed, !reader.flag() { zeros += 1 }
            if zeros < 32 { _ = reader.u(zeros) }
        }
    }
}
