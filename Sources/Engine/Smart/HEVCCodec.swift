internal import Bitstream
internal import Media
internal import Model
internal import Planning

/// HEVC: the source's parameter sets and those of libx265, which makes the seams, in one record. Runs of copied pictures
/// and seams each begin a coded video sequence.
final class HEVCCodec: SplicedPacketCodec {
    private let source: HEVC.DecoderConfiguration
    private let profile: HEVC.SeamProfile
    private let video: VideoStream
    /// Of a sample as it is coded, whatever the container says.
    private let aspectRatio: Rational?
    var splice: HEVC.Splice?
    let depth: ReorderDepth

    /// - Parameter video: the stream's description.
    init(_ demuxer: borrowing Demuxer, _ video: VideoStream) throws {
        let extradata = demuxer.configuration(ofStream: video.index)
        (source, profile) = try PictureCodecs.translating { () throws(SpliceObstacle) in
            let source = try HEVC.DecoderConfiguration(extradata: extradata)
            return (source, try HEVC.SeamProfile(source))
        }
        // The seams' pictures and the source's are cropped alike, or would have to be cut to size.
        let cropping = source.sequence.cropping
        guard cropping[0] == 0, cropping[2] == 0 else { throw SmartObstacle.changesPicture("how it is cropped") }
        self.video = video
        aspectRatio = demuxer.codedAspectRatio(ofStream: video.index)
        depth = ReorderDepth(
            max(demuxer.reorderDepth(ofStream: video.index), source.sequence.maxReorderedPictures))
    }

    func isSame(as other: any PictureCodec) -> Bool {
        guard let other = other as? HEVCCodec else { return false }
        // Messages may differ: they tell of encoders' settings.
        return source.framing == other.source.framing && source.videoSets == other.source.videoSets
            && source.sequenceSets == other.source.sequenceSets && source.pictureSets == other.source.pictureSets
            && depth == other.depth
    }

    // MARK: Seams

    func seamEncoder(_ quality: SeamQuality, nominalFrameRate: Rational) throws -> SeamEncoder {
        guard let format = PixelFormat(named: profile.pixelFormat), Encoder.exists("libx265") else {
            throw SmartObstacle.codec("HEVC without libx265")
        }
        // The seams' sequence parameter set says of colours and samples what the source's says.
        var settings = video.seamSettings("libx265", format, rate: nominalFrameRate)
        settings.sampleAspectRatio = aspectRatio
        (settings.width, settings.height) = (profile.width, profile.height)
        settings.options = profile.options
        settings.options["preset"] = VideoSettings.Preset.superfast.rawValue
        settings.options["tune"] = "zerolatency"
        settings.options["crf"] = "\(quality.crf(usual: 18))"
        settings.options["forced-idr"] = "1"
        return try SeamEncoder(settings)
    }

    func join(_ encoder: [UInt8]) throws -> [UInt8] {
        let source = source
        let splice = try PictureCodecs.translating { () throws(SpliceObstacle) in
            HEVC.Splice(
                try HEVC.SeamSets(source: source, encoder: HEVC.DecoderConfiguration(extradata: encoder)))
        }
        self.splice = splice
        return splice.configuration.record
    }

    func beginSeam(before next: WindowPacket?) { splice?.beginSeam() }

    // MARK: Copies

    func unit(_ packet: borrowing Packet) throws -> HEVC.AccessUnit {
        let (bytes, source) = (packet.bytes, source)
        return try PictureCodecs.translating { () throws(SpliceObstacle) in try HEVC.AccessUnit(bytes, source) }
    }

    func entry(_ packet: borrowing Packet) throws -> CodedPicture.Entry {
        let type = try unit(packet).type
        if type == .idrWithoutLeading { return .closed }
        return type.isRandomAccess ? .brokenLink : .none
    }

    func isDisposable(_ packet: borrowing Packet) -> Bool {
        guard let unit = try? unit(packet) else { return false }
        return unit.type.isSubLayerNonReference && unit.temporalID == source.sequence.subLayers - 1
    }

    func addPayload(of packet: borrowing Packet, isWritten: Bool, to hash: inout PayloadHash) throws {
        guard let configuration = isWritten ? splice?.configuration : source else { return }
        let bytes = packet.bytes
        let unit = try PictureCodecs.translating { () throws(SpliceObstacle) in
            try HEVC.AccessUnit(bytes, configuration)
        }
        for payload in unit.payloads() { hash.add(UnsafeRawBufferPointer(rebasing: bytes[payload])) }
    }
}
