internal import CFFmpeg
internal import CFFmpegShims

/// Turns decoded audio of any rate, layout and sample format into planar float of one format.
package struct Resampler: ~Copyable {
    private let context: OpaquePointer?
    private let input: Signature
    package let output: AudioFormat

    private struct Signature: Equatable {
        var rate: Int32
        var format: Int32
        var layout: ChannelLayout
    }

    /// A resampler for frames like this one. Equal formats are passed through untouched.
    package init(for frame: borrowing Frame, to output: AudioFormat) throws(MediaError) {
        self.output = output
        let raw = frame.pointer.pointee
        input = Signature(rate: raw.sample_rate, format: raw.format, layout: ChannelLayout(raw.ch_layout))
        if input.rate == Int32(output.sampleRate), input.layout == output.layout,
            raw.format == AV_SAMPLE_FMT_FLTP.rawValue
        {
            context = nil
            return
        }
        var (target, source) = (AVChannelLayout(), AVChannelLayout())
        defer {
            av_channel_layout_uninit(&target)
            av_channel_layout_uninit(&source)
        }
        try output.layout.write(to: &target)
        try input.layout.write(to: &source)
        var fresh: OpaquePointer?
        try check(
            swr_alloc_set_opts2(
                &fresh, &target, AV_SAMPLE_FMT_FLTP, Int32(output.sampleRate), &source,
                AVSampleFormat(rawValue: raw.format), raw.sample_rate, 0, nil),
            "setting up the resampler")
        do throws(MediaError) {
            try check(swr_init(fresh), "opening the resampler")
        } catch {
            swr_free(&fresh)
            throw error
        }
        context = fresh
    }

    deinit {
        var owned = context
        swr_free(&owned)
    }

    /// Whether a frame is of the format this was made for; some streams change midway.
    package borrowing func accepts(_ frame: borrowing Frame) -> Bool {
        let raw = frame.pointer.pointee
        return input == Signature(rate: raw.sample_rate, format: raw.format, layout: ChannelLayout(raw.ch_layout))
    }

    package borrowing func convert(_ frame: borrowing Frame, into samples: inout Samples) throws(MediaError) {
        guard let context else {
            samples.append(copyOf: frame)
            return
        }
        let raw = frame.pointer.pointee
        try run(context, raw.extended_data, count: raw.nb_samples, into: &samples)
    }

    /// Gives out what the resampler's filter still holds.
    package borrowing func finish(into samples: inout Samples) throws(MediaError) {
        guard let context else { return }
        try run(context, nil, count: 0, into: &samples)
    }

    private borrowing func run(
        _ context: OpaquePointer, _ data: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?, count: Int32,
        into samples: inout Samples
    ) throws(MediaError) {
        let room = try check(swr_get_out_samples(context, count), "resampling")
        guard room > 0 else { return }
        let channels = samples.channels
        try samples.grow(by: Int(room)) { lane throws(MediaError) in
            var failure: MediaError?
            let produced = withUnsafeTemporaryAllocation(of: UnsafeMutablePointer<UInt8>?.self, capacity: channels) {
                planes in
                for channel in 0..<channels {
                    planes[channel] = UnsafeMutableRawPointer(lane(channel)).assumingMemoryBound(to: UInt8.self)
                }
                let input = data.map {
                    UnsafeMutableRawPointer($0).assumingMemoryBound(to: UnsafePointer<UInt8>?.self)
                }
                let status = swr_convert(context, planes.baseAddress, room, input, count)
                if status < 0 { failure = MediaError(status, "resampling") }
                return Int(max(0, status))
            }
            if let failure { throw failure }
            return produced
        }
    }
}
