internal import CFFmpeg
internal import CFFmpegShims
internal import Model

/// Tells from a packet's own bytes whether decoding can begin there, for containers whose flags cannot be believed:
/// an MP4 without a sync sample table calls every sample a keyframe.
package struct KeyframeParser: ~Copyable {
    private let parser: UnsafeMutablePointer<AVCodecParserContext>
    private let context: UnsafeMutablePointer<AVCodecContext>

    /// `nil` when libavcodec has no parser for the codec.
    package init?(_ demuxer: borrowing Demuxer, stream index: Int) throws(MediaError) {
        let parameters = demuxer.stream(index).pointee.codecpar
        guard let id = parameters?.pointee.codec_id, let parser = av_parser_init(Int32(id.rawValue)) else { return nil }
        parser.pointee.flags |= PARSER_FLAG_COMPLETE_FRAMES
        guard let context = avcodec_alloc_context3(nil) else {
            av_parser_close(parser)
            throw MediaError(rp_error_nomem, "making a parser")
        }
        avcodec_parameters_to_context(context, parameters)
        self.parser = parser
        self.context = context
    }

    deinit {
        av_parser_close(parser)
        var owned: UnsafeMutablePointer<AVCodecContext>? = context
        avcodec_free_context(&owned)
    }

    package mutating func isKeyframe(_ packet: borrowing Packet) -> Bool {
        var output: UnsafeMutablePointer<UInt8>?
        var size: Int32 = 0
        av_parser_parse2(
            parser, context, &output, &size, packet.pointer.pointee.data, packet.pointer.pointee.size, rp_nopts,
            rp_nopts, 0)
        return parser.pointee.key_frame == 1
    }
}
