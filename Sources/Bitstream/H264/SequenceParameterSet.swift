extension H264 {
    /// seq_parameter_set_data( ), and the unit it was read from. Source: §7.3.2.1.1.
    package struct SequenceParameterSet: Hashable, Sendable {
        /// The NAL unit, its header first, with emulation prevention.
        package let unit: [UInt8]

        /// profile_idc
        package var profile = 0
        /// constraint_set0_flag to constraint_set5_flag, from the highest bit down, and two reserved bits.
        package var constraints: UInt8 = 0
        /// level_idc: ten times the level.
        package var level = 0
        package var id = 0
        /// chroma_format_idc: 1 for 4:2:0.
        package var chromaFormat = 1
        package var hasSeparateColourPlanes = false
        package var bitDepthLuma = 8
        package var bitDepthChroma = 8
        /// qpprime_y_zero_transform_bypass_flag
        package var allowsLossless = false
        /// seq_scaling_matrix_present_flag
        package var hasScalingMatrix = false

        package var log2MaxFrameNum = 4
        /// pic_order_cnt_type
        package var pictureOrderType = 0
        package var log2MaxPictureOrderLSB = 4
        /// delta_pic_order_always_zero_flag
        package var isPictureOrderDeltaZero = false
        package var offsetForNonReference = 0
        package var offsetForTopToBottom = 0
        package var offsetsForReferences: [Int] = []

        /// max_num_ref_frames
        package var maxReferenceFrames = 0
        /// gaps_in_frame_num_value_allowed_flag
        package var allowsGaps = false

        package var widthInMacroblocks = 0
        /// pic_height_in_map_units_minus1 + 1: macroblocks in a frame, or in a field.
        package var heightInMapUnits = 0
        /// frame_mbs_only_flag: no picture is interlaced.
        package var isFramesOnly = true
        package var isMacroblockAdaptive = false
        package var infersDirect8x8 = false
        package var cropping = Cropping()
        package var usability: VideoUsability?

        /// What the picture is cut by, in luma samples.
        package struct Cropping: Hashable, Sendable {
            package var left = 0
            package var right = 0
            package var top = 0
            package var bottom = 0
        }

        init(unit: [UInt8]) { self.unit = unit }
    }
}

extension H264.SequenceParameterSet {
    package var maxFrameNum: Int { 1 << log2MaxFrameNum }
    package var maxPictureOrderLSB: Int { 1 << log2MaxPictureOrderLSB }
    /// ChromaArrayType
    var chromaArrayType: Int { hasSeparateColourPlanes ? 0 : chromaFormat }

    package var heightInMacroblocks: Int { isFramesOnly ? heightInMapUnits : 2 * heightInMapUnits }
    /// In luma samples.
    package var codedWidth: Int { 16 * widthInMacroblocks }
    /// In luma samples, of a frame.
    package var codedHeight: Int { 16 * heightInMacroblocks }
    /// In luma samples, without what is cropped.
    package var croppedWidth: Int { codedWidth - cropping.left - cropping.right }
    /// In luma samples, without what is cropped.
    package var croppedHeight: Int { codedHeight - cropping.top - cropping.bottom }

    /// Whether a constraint_setN_flag is set.
    package func constraint(_ index: Int) -> Bool { constraints & (0x80 >> UInt8(index)) != 0 }

    /// One of the profiles whose pictures are all intra. Source: §A.2.8 to §A.2.11, §E.2.1.
    package var isIntraProfile: Bool { profile == 44 || [100, 110, 122, 244].contains(profile) && constraint(3) }

    /// MaxDpbFrames of the level and size. Source: §A.3.1, Table A-1.
    package var maxDecodedFramesOfLevel: Int {
        let isLevel1b = level == 9 || level == 11 && constraint(3) && [66, 77, 88].contains(profile)
        let macroblocks =
            switch level {
            case 10: 396
            case 11: isLevel1b ? 396 : 900
            case ...9: 396
            case 12, 13, 20: 2376
            case 21: 4752
            case 22, 30: 8100
            case 31: 18000
            case 32: 20480
            case 40, 41: 32768
            case 42: 34816
            case 50: 110_400
            case 51, 52: 184_320
            default: 696_320
            }
        return min(16, macroblocks / max(1, widthInMacroblocks * heightInMacroblocks))
    }

    /// How many frames a decoder keeps at most: max_dec_frame_buffering, or what is inferred for it (§E.2.1).
    package var maxDecodedFrames: Int {
        if let restriction = usability?.restriction { return restriction.maxDecodedFrames }
        return isIntraProfile ? 0 : max(maxDecodedFramesOfLevel, maxReferenceFrames)
    }

    /// How many frames at most precede another in decoding order and follow it when shown: max_num_reorder_frames, or
    /// the bound that is inferred for it.
    package var maxReorderedFrames: Int {
        if pictureOrderType == 2 { return 0 }
        return usability?.restriction?.maxReorderedFrames ?? maxDecodedFrames
    }
}
