extension HEVC {
    /// seq_parameter_set_rbsp( ), as far as joining streams takes it. Source: §7.3.2.2.1.
    package struct SequenceParameterSet: Hashable, Sendable {
        /// The NAL unit, its header first, with emulation prevention.
        package private(set) var unit: [UInt8]
        package private(set) var videoID = 0
        /// sps_max_sub_layers_minus1 + 1
        package private(set) var subLayers = 1
        package private(set) var nestsTemporalLayers = false
        /// general_profile_space to general_level_idc: twelve bytes, as the container's record has them.
        package private(set) var profileTierLevel: [UInt8] = []
        package private(set) var id = 0
        /// chroma_format_idc: 1 for 4:2:0.
        package private(set) var chromaFormat = 1
        /// In luma samples.
        package private(set) var codedWidth = 0
        package private(set) var codedHeight = 0
        /// What the picture is cut by, in luma samples: left, right, top, bottom.
        package private(set) var cropping = [0, 0, 0, 0]
        package private(set) var bitDepthLuma = 8
        package private(set) var bitDepthChroma = 8
        package private(set) var log2MaxPictureOrderLSB = 4
        /// Of the highest temporal layer: sps_max_dec_pic_buffering_minus1 + 1, and sps_max_num_reorder_pics.
        package private(set) var maxDecodedPictures = 1
        package private(set) var maxReorderedPictures = 0

        /// Where the id lies in the RBSP, in bits.
        private var idRange = 0..<0

        package init(_ unit: [UInt8]) throws(Obstacle) {
            guard unit.count > 2, UnitType(header: unit[0]) == .sequenceSet else { throw .damaged }
            self.unit = unit
            var set = self
            let rbsp = unit.dropFirst(2).withUnsafeBytes { NALUnits.unescaped($0) }
            let isSound = rbsp.withUnsafeBytes { bytes in
                var reader = BitReader(bytes, isEscaped: false)
                set.read(from: &reader)
                return !reader.hasFailed
            }
            guard isSound, set.croppedWidth > 0, set.croppedHeight > 0, rbsp.count >= 13 else { throw .damaged }
            set.profileTierLevel = Array(rbsp[1..<13])
            self = set
        }

        private mutating func read(from reader: inout BitReader) {
            videoID = reader.u(4)
            subLayers = 1 + reader.u(3)
            nestsTemporalLayers = reader.flag()
            skipProfileTierLevel(&reader)
            let start = reader.bitPosition
            id = reader.ue(0...15)
            idRange = start..<reader.bitPosition
            chromaFormat = reader.ue(0...3)
            let hasSeparateColourPlanes = chromaFormat == 3 && reader.flag()
            codedWidth = reader.ue(1...65535)
            codedHeight = reader.ue(1...65535)
            if reader.flag() {
                let unitX = !hasSeparateColourPlanes && (chromaFormat == 1 || chromaFormat == 2) ? 2 : 1
                let unitY = !hasSeparateColourPlanes && chromaFormat == 1 ? 2 : 1
                cropping = [unitX, unitX, unitY, unitY].map { $0 * reader.ue(0...65535) }
            }
            bitDepthLuma = 8 + reader.ue(0...8)
            bitDepthChroma = 8 + reader.ue(0...8)
            log2MaxPictureOrderLSB = 4 + reader.ue(0...12)
            for _ in 0..<(reader.flag() ? subLayers : 1) {
                maxDecodedPictures = 1 + reader.ue(0...15)
                maxReorderedPictures = reader.ue(0...15)
                _ = reader.ue()
            }
        }

        /// Source: §7.3.3.
        private func skipProfileTierLevel(_ reader: inout BitReader) {
            reader.skip(bytes: 12)
            guard subLayers > 1 else { return }
            var bits = 0
            for _ in 1..<subLayers {
                let (hasProfile, hasLevel) = (reader.flag(), reader.flag())
                bits += (hasProfile ? 88 : 0) + (hasLevel ? 8 : 0)
            }
            for _ in subLayers...8 { _ = reader.u(2) }
            reader.skip(bytes: bits / 8)
        }

        package var croppedWidth: Int { codedWidth - cropping[0] - cropping[1] }
        package var croppedHeight: Int { codedHeight - cropping[2] - cropping[3] }
        package var profile: Int { profileTierLevel.first.map { Int($0 & 0x1F) } ?? 0 }
        /// general_level_idc: thirty times the level.
        package var level: Int { profileTierLevel.last.map { Int($0) } ?? 0 }
        /// general_interlaced_source_flag without general_progressive_source_flag.
        package var isInterlaced: Bool { profileTierLevel.count > 5 && profileTierLevel[5] & 0xC0 == 0x40 }

        /// The same set under another id, and for another video parameter set.
        package func renumbered(id: Int, video: Int) throws(Obstacle) -> Self {
            let rbsp = unit.dropFirst(2).withUnsafeBytes { NALUnits.unescaped($0) }
            guard let end = H264.stopBit(of: rbsp), end >= idRange.upperBound else { throw .damaged }
            var writer = BitWriter()
            writer.u(video, 4)
            writer.append(rbsp, bits: 4..<idRange.lowerBound)
            writer.ue(id)
            writer.append(rbsp, bits: idRange.upperBound..<end)
            writer.finishRBSP()
            return try Self(NALUnits.unit(header: Array(unit.prefix(2)), rbsp: writer.bytes))
        }
    }

    /// pic_parameter_set_rbsp( ), of which only the ids matter. Source: §7.3.2.3.1.
    package struct PictureParameterSet: Hashable, Sendable {
        /// The NAL unit, its header first, with emulation prevention.
        package let unit: [UInt8]
        package let id: Int
        package let sequenceID: Int
        private let bodyPosition: Int

        package init(_ unit: [UInt8]) throws(Obstacle) {
            guard unit.count > 2, UnitType(header: unit[0]) == .pictureSet else { throw .damaged }
            self.unit = unit
            let (id, sequenceID, position, hasFailed) = unit.dropFirst(2).withUnsafeBytes { bytes in
                var reader = BitReader(bytes, isEscaped: true)
                let (id, sequenceID) = (reader.ue(0...63), reader.ue(0...15))
                return (id, sequenceID, reader.bitPosition, reader.hasFailed)
            }
            guard !hasFailed else { throw .damaged }
            (self.id, self.sequenceID, bodyPosition) = (id, sequenceID, position)
        }

        /// The same set under another id, and for another sequence parameter set.
        package func renumbered(id: Int, sequence: Int) throws(Obstacle) -> Self {
            let rbsp = unit.dropFirst(2).withUnsafeBytes { NALUnits.unescaped($0) }
            guard let end = H264.stopBit(of: rbsp), end >= bodyPosition else { throw .damaged }
            var writer = BitWriter()
            writer.ue(id)
            writer.ue(sequence)
            writer.append(rbsp, bits: bodyPosition..<end)
            writer.finishRBSP()
            return try Self(NALUnits.unit(header: Array(unit.prefix(2)), rbsp: writer.bytes))
        }
    }
}
