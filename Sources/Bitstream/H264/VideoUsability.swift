extension H264 {
    /// vui_parameters( ): what a set tells of the picture beyond how to decode it. Source: §E.1.1.
    package struct VideoUsability: Hashable, Sendable {
        /// The sample aspect ratio: width and height of a sample, or Table E-1's number.
        package var aspectRatio: AspectRatio?
        package var isOverscanAppropriate: Bool?
        package var signal: Signal?
        /// chroma_sample_loc_type of the top and the bottom field.
        package var chromaLocations: [Int]?
        package var timing: Timing?
        package var nalHRD: HypotheticalDecoder?
        package var vclHRD: HypotheticalDecoder?
        package var isLowDelay = false
        /// pic_struct_present_flag
        package var hasPictureStructure = false
        package var restriction: Restriction?

        package enum AspectRatio: Hashable, Sendable {
            /// aspect_ratio_idc
            case listed(Int)
            case samples(width: Int, height: Int)
        }

        /// video_signal_type. Source: Tables E-2 to E-5.
        package struct Signal: Hashable, Sendable {
            package var videoFormat = 5
            package var isFullRange = false
            package var primaries = 2
            package var transfer = 2
            package var matrix = 2
        }

        /// Ticks of `unitsInTick / timeScale` seconds; a frame lasts two.
        package struct Timing: Hashable, Sendable {
            package var unitsInTick = 0
            package var timeScale = 0
            package var isFixedRate = false
        }

        /// hrd_parameters( ). Source: §E.1.2.
        package struct HypotheticalDecoder: Hashable, Sendable {
            package var bitRateScale = 0
            package var bufferSizeScale = 0
            package var schedules: [Schedule] = []
            /// How many bits these take in SEI messages.
            package var initialDelayLength = 24
            package var removalDelayLength = 24
            package var outputDelayLength = 24
            package var timeOffsetLength = 24

            package struct Schedule: Hashable, Sendable {
                package var bitRateValue = 0
                package var bufferSizeValue = 0
                package var isConstant = false
            }
        }

        /// What bitstream_restriction_flag announces.
        package struct Restriction: Hashable, Sendable {
            package var allowsVectorsBeyondPicture = true
            package var maxBytesPerPictureDenominator = 2
            package var maxBitsPerMacroblockDenominator = 1
            package var log2MaxHorizontalVector = 15
            package var log2MaxVerticalVector = 15
            /// max_num_reorder_frames
            package var maxReorderedFrames = 0
            /// max_dec_frame_buffering
            package var maxDecodedFrames = 0
        }
    }
}

extension H264.VideoUsability {
    init(_ reader: inout BitReader) {
        if reader.flag() {
            let listed = reader.u(8)
            aspectRatio = listed == 255 ? .samples(width: reader.u(16), height: reader.u(16)) : .listed(listed)
        }
        if reader.flag() { isOverscanAppropriate = reader.flag() }
        if reader.flag() { signal = Signal(&reader) }
        if reader.flag() { chromaLocations = [reader.ue(0...5), reader.ue(0...5)] }
        if reader.flag() {
            timing = Timing(unitsInTick: reader.u(32), timeScale: reader.u(32), isFixedRate: reader.flag())
        }
        if reader.flag() { nalHRD = HypotheticalDecoder(&reader) }
        if reader.flag() { vclHRD = HypotheticalDecoder(&reader) }
        if nalHRD != nil || vclHRD != nil { isLowDelay = reader.flag() }
        hasPictureStructure = reader.flag()
        if reader.flag() { restriction = Restriction(&reader) }
    }
}

extension H264.VideoUsability.Signal {
    init(_ reader: inout BitReader) {
        videoFormat = reader.u(3)
        isFullRange = reader.flag()
        guard reader.flag() else { return }
        primaries = reader.u(8)
        transfer = reader.u(8)
        matrix = reader.u(8)
    }
}

extension H264.VideoUsability.HypotheticalDecoder {
    init(_ reader: inout BitReader) {
        let count = 1 + reader.ue(0...31)
        bitRateScale = reader.u(4)
        bufferSizeScale = reader.u(4)
        for _ in 0..<count where !reader.hasFailed {
            schedules.append(
                Schedule(
                    bitRateValue: 1 + reader.ue(), bufferSizeValue: 1 + reader.ue(), isConstant: reader.flag()))
        }
        initialDelayLength = 1 + reader.u(5)
        removalDelayLength = 1 + reader.u(5)
        outputDelayLength = 1 + reader.u(5)
        timeOffsetLength = reader.u(5)
    }
}

extension H264.VideoUsability.Restriction {
    init(_ reader: inout BitReader) {
        allowsVectorsBeyondPicture = reader.flag()
        maxBytesPerPictureDenominator = reader.ue()
        maxBitsPerMacroblockDenominator = reader.ue()
        log2MaxHorizontalVector = reader.ue(0...31)
        log2MaxVerticalVector = reader.ue(0...31)
        maxReorderedFrames = reader.ue(0...16)
        maxDecodedFrames = reader.ue(0...16)
    }
}
