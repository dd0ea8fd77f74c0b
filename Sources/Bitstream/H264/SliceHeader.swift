extension H264 {
    /// slice_header( ). Source: §7.3.3.
    package struct SliceHeader: Hashable, Sendable {
        /// nal_ref_idc: 0 for pictures that no other refers to.
        package var referenceIDC = 0
        /// IdrPicFlag
        package var isIDR = false

        package var firstMacroblock = 0
        /// slice_type, 0 to 9.
        package var typeCode = 0
        package var pictureSetID = 0
        package var colourPlane = 0
        package var frameNum = 0
        package var isField = false
        package var isBottomField = false
        package var idrPicID = 0
        /// pic_order_cnt_lsb
        package var pictureOrderLSB = 0
        package var pictureOrderDeltaBottom = 0
        /// delta_pic_order_cnt[0] and [1], of POC type 1.
        package var pictureOrderDelta0 = 0
        package var pictureOrderDelta1 = 0
        package var redundantCount = 0
        /// direct_spatial_mv_pred_flag
        package var usesSpatialDirect = false
        /// num_ref_idx_active_override_flag
        package var overridesReferenceCounts = false
        /// num_ref_idx_l0_active_minus1 + 1, or the picture parameter set's; and list 1's.
        package var referenceCount0 = 0
        package var referenceCount1 = 0
        /// ref_pic_list_modification( ) of list 0; `nil` where its flag is not set.
        package var modification0: [ListModification]?
        package var modification1: [ListModification]?
        package var weights: WeightTable?
        package var marking = Marking.none
        package var cabacInit = 0
        package var qpDelta = 0
        package var isSwitchingSP = false
        package var qsDelta = 0
        /// disable_deblocking_filter_idc and the two offsets, halved.
        package var deblocking = 0
        package var deblockingAlpha = 0
        package var deblockingBeta = 0

        /// Where slice_data( ) begins: in bits of the RBSP.
        package var dataPosition = 0
        /// The offset of the byte of the NAL unit where slice_data( ) begins.
        package var dataOffset = 0

        package enum Kind: Int, Sendable {
            case p = 0
            case b = 1
            case i = 2
            case sp = 3
            case si = 4
        }

        /// One command of ref_pic_list_modification( ). Source: Table 7-7.
        package enum ListModification: Hashable, Sendable {
            /// abs_diff_pic_num_minus1 + 1, to be subtracted.
            case subtract(Int)
            /// abs_diff_pic_num_minus1 + 1, to be added.
            case add(Int)
            case longTerm(Int)
        }

        /// pred_weight_table( ). Source: §7.3.3.2.
        package struct WeightTable: Hashable, Sendable {
            package var lumaDenominator = 0
            package var chromaDenominator = 0
            /// For each entry of list 0, then of list 1.
            package var entries: [Entry] = []

            package struct Entry: Hashable, Sendable {
                /// Weight and offset, where they are not the default.
                package var luma: [Int]?
                /// Of Cb, then of Cr.
                package var chroma: [Int]?
            }
        }

        /// dec_ref_pic_marking( ). Source: §7.3.3.3.
        package enum Marking: Hashable, Sendable {
            /// Not a reference picture.
            case none
            case idr(dropsPriorPictures: Bool, isLongTerm: Bool)
            case slidingWindow
            case adaptive([Operation])

            /// memory_management_control_operation. Source: Table 7-9.
            package enum Operation: Hashable, Sendable {
                /// 1: difference_of_pic_nums_minus1 + 1.
                case unmark(Int)
                /// 2: long_term_pic_num
                case unmarkLongTerm(Int)
                /// 3: difference_of_pic_nums_minus1 + 1, and long_term_frame_idx.
                case makeLongTerm(Int, index: Int)
                /// 4: max_long_term_frame_idx_plus1
                case limitLongTerm(Int)
                /// 5
                case unmarkAll
                /// 6: long_term_frame_idx
                case keepAsLongTerm(Int)
            }
        }
    }
}

extension H264.SliceHeader {
    package var kind: Kind { Kind(rawValue: typeCode % 5) ?? .i }
    package var isIntra: Bool { kind == .i || kind == .si }
    package var isReference: Bool { referenceIDC != 0 }
    /// Whether it resets frame numbers and the order of pictures as an IDR picture does (operation 5).
    package var resetsAll: Bool {
        if case .adaptive(let operations) = marking { return operations.contains(.unmarkAll) }
        return false
    }
}
