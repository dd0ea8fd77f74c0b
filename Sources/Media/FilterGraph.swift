internal import CFFmpeg
internal import CFFmpegShims
package import Model

/// A chain of libavfilter filters with one input and one output. Not thread-safe.
package struct FilterGraph: ~Copyable {
    private let graph: UnsafeMutablePointer<AVFilterGraph>
    private let source: UnsafeMutablePointer<AVFilterContext>
    private let sink: UnsafeMutablePointer<AVFilterContext>

    /// - Parameter description: filters in libavfilter's syntax, from `[in]` to `[out]`.
    package init(
        _ description: String, video input: PictureFormat, timeBase: Rational, threads: Int
    ) throws(MediaError) {
        let aspect = input.sampleAspectRatio
        try self.init(
            description, source: "buffer", sink: "buffersink",
            arguments: "video_size=\(input.width)x\(input.height):pix_fmt=\(input.pixelFormat.rawValue)"
                + ":time_base=\(timeBase):pixel_aspect=\(aspect)",
            threads: threads
        )
    }

    package init(
        _ description: String, audio input: AudioFormat, timeBase: Rational, threads: Int
    ) throws(MediaError) {
        try self.init(
            description, source: "abuffer", sink: "abuffersink",
            arguments: "sample_rate=\(input.sampleRate):sample_fmt=fltp:channel_layout=\(input.layout.name)"
                + ":time_base=\(timeBase)",
            threads: threads
        )
    }

    private init(
        _ description: String, source sourceName: String, sink sinkName: String, arguments: String, threads: Int
    ) throws(MediaError) {
        LogCapture.clear()
        let graph = try allocated(avfilter_graph_alloc(), "making a filter graph")
        var owned: UnsafeMutablePointer<AVFilterGraph>? = graph
        do throws(MediaError) {
            graph.pointee.nb_threads = Int32(threads)
            var source: UnsafeMutablePointer<AVFilterContext>?
            var sink: UnsafeMutablePointer<AVFilterContext>?
            try check(
                avfilter_graph_create_filter(&source, avfilter_get_by_name(sourceName), "in", arguments, nil, graph),
                "making the filter graph's input")
            try check(
                avfilter_graph_create_filter(&sink, avfilter_get_by_name(sinkName), "out", nil, nil, graph),
                "making the filter graph's output")
            // libavfilter names the ends from its own point of view: our source is its open *output*.
            var outputs = Self.endpoint("in", source)
            var inputs = Self.endpoint("out", sink)
            defer {
                avfilter_inout_free(&inputs)
                avfilter_inout_free(&outputs)
            }
            try check(
                avfilter_graph_parse_ptr(graph, description, &inputs, &outputs, nil),
                "reading the filters \(description)")
            try check(avfilter_graph_config(graph, nil), "joining the filters \(description)")
            self.graph = graph
            self.source = source.unsafelyUnwrapped
            self.sink = sink.unsafelyUnwrapped
        } catch {
            avfilter_graph_free(&owned)
            throw error
        }
    }

    private static func endpoint(
        _ name: String, _ filter: UnsafeMutablePointer<AVFilterContext>?
    ) -> UnsafeMutablePointer<AVFilterInOut>? {
        let end = avfilter_inout_alloc()
        end?.pointee.name = av_strdup(name)
        end?.pointee.filter_ctx = filter
        end?.pointee.pad_idx = 0
        return end
    }

    deinit {
        var owned: UnsafeMutablePointer<AVFilterGraph>? = graph
        avfilter_graph_free(&owned)
    }

    package var timeBase: Rational { Rational(av_buffersink_get_time_base(sink)) ?? .one }

    /// Hands over the frame's buffers; the frame is empty afterwards.
    package mutating func push(_ frame: inout Frame) throws(MediaError) {
        try check(av_buffersrc_add_frame_flags(source, frame.pointer, 0), "filtering a frame")
    }

    package mutating func finish() throws(MediaError) {
        try check(av_buffersrc_add_frame_flags(source, nil, 0), "finishing the filters")
    }

    package mutating func pull(into frame: inout Frame) throws(MediaError) -> PullResult {
        frame.clear()
        let status = av_buffersink_get_frame(sink, frame.pointer)
        if status == rp_error_again { return .needsInput }
        if status == rp_error_eof { return .endOfStream }
        try check(status, "filtering a frame")
        return .produced
    }
}
