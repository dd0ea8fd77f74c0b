internal import Bitstream
internal import Media
internal import Model
internal import Planning

/// H.264: one sequence parameter set for all, the source's; seams by libx264 under a picture parameter set of their
/// own.
final class H264Codec: SplicedPacketCodec {
    private let source: H264.DecoderConfiguration
    private let profile: H264.SeamProfile
    var splice: H264.Splice?
    let depth: ReorderDepth

    init(_ demuxer: borrowing Demuxer, stream: Int) throws {
        let observed = demuxer.reorderDepth(ofStream: stream)
        let extradata = demuxer.configuration(ofStream: stream)
        (source, profile) = try PictureCodecs.translating { () throws(SpliceObstacle) in
            let source = try H264.DecoderConfiguration(extradata: extradata)
            return (source, try H264.SeamProfile(source, reorderedFrames: observed))
        }
        // The seams' pictures and the source's are cropped alike, or would have to be cut to size.
        guard profile.left == 0, profile.top == 0 else { throw SmartObstacle.changesPicture("how it is cropped") }
        let told = source.sequence.usability?.restriction?.maxReorderedFrames
        depth = ReorderDepth(max(observed, told ?? observed))
    }

    func isSame(as other: any PictureCodec) -> Bool {
        guard let other = other as? H264Codec else { return false }
        return source == other.source && depth == other.depth
    }

    // MARK: Seams

    func seamEncoder(_ quality: SeamQuality, nominalFrameRate: Rational) throws -> SeamEncoder {
        var settings = VideoEncoderSettings(
            encoder: "libx264", width: profile.width, height: profile.height,
            pixelFormat: source.sequence.bitDepthLuma > 8 ? .yuv420p10 : .yuv420p, timeBase: nominalFrameRate.inverse)
        guard Encoder.exists(settings.encoder) else { throw SmartObstacle.codec("H.264 without libx264") }
        settings.nominalFrameRate = nominalFrameRate
        settings.options = profile.options
        // At one quality it is nearer to its source than slower presets, which save bytes; those of seams are few.
        settings.options["preset"] = VideoSettings.Preset.ultrafast.rawValue
        // Every picture at once, in the order shown.
        settings.options["tune"] = "zerolatency"
        settings.options["bf"] = "0"
        // The source's set allows more, which would cost time and a picture's memory each.
        settings.options["refs"] = "1"
        // Not by rate factor, which without looking ahead spends far more than it takes on what hardly moves. The
        // quantizer alone bounds how far a picture can be from its source. Source: x264 counts from 0 at any depth.
        let deeper = 6 * (source.sequence.bitDepthLuma - 8)
        settings.options["qp"] = "\(quality.crf(usual: 20) + deeper)"
        settings.options["forced-idr"] = "1"
        return try SeamEncoder(settings)
    }

    func join(_ encoder: [UInt8]) throws -> [UInt8] {
        let source = source
        let splice = try PictureCodecs.translating { () throws(SpliceObstacle) in
            H264.Splice(
                try H264.SeamSets(
                    source: source, encoder: H264.DecoderConfiguration(extradata: encoder)))
        }
        self.splice = splice
        return splice.configuration.record
    }

    func beginSeam(before next: WindowPacket?) throws {
        let following = try next.map { try unit($0.packet) }
        try spliced { (splice) throws(SpliceObstacle) in try splice.beginSeam(before: following) }
    }

    // MARK: Copies

    func unit(_ packet: borrowing Packet) throws -> H264.AccessUnit {
        let (bytes, source) = (packet.bytes, source)
        return try PictureCodecs.translating { () throws(SpliceObstacle) in try H264.AccessUnit(bytes, source) }
    }

    func entry(_ packet: borrowing Packet) throws -> CodedPicture.Entry {
        let unit = try unit(packet)
        if unit.isIDR { return .closed }
        return unit.canBeginPiece(isKeyframe: packet.isKey) ? .open : .none
    }

    func isDisposable(_ packet: borrowing Packet) -> Bool {
        guard let unit = try? unit(packet) else { return false }
        return !unit.isReference
    }

    func addPayload(of packet: borrowing Packet, isWritten: Bool, to hash: inout PayloadHash) throws {
        guard let configuration = isWritten ? splice?.configuration : source else { return }
        let bytes = packet.bytes
        let unit = try PictureCodecs.translating { () throws(SpliceObstacle) in
            try H264.AccessUnit(bytes, configuration)
        }
        for slice in unit.slices {
            if configuration.pictureSet(slice.header.pictureSetID)?.usesCABAC ?? false {
                hash.add(UnsafeRawBufferPointer(rebasing: bytes[unit.payload(of: slice, in: bytes)]))
            } else {
                // Another header may move it by bits.
                unit.data(of: slice, in: bytes, usesCABAC: false).withUnsafeBytes { hash.add($0) }
            }
        }
    }
}
