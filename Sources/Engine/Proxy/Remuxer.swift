internal import Media
internal import Model

/// Copies packets of chosen streams, the video first, into an MP4 with its index first, times counted from the
/// container's start.
enum Remuxer {
    struct Copy {
        var file: StagedFile
        /// By source stream.
        var packets: [Int: Int] = [:]
    }

    /// - Returns: `nil` when a packet that is flagged as a keyframe is none, so that a copy could not be scrubbed.
    static func remux(
        path: String, streams: [Int], to destination: String, limits: DemuxerLimits, cancellation: Cancellation
    ) throws -> Copy? {
        var demuxer = try Demuxer(LocalFile(path: path), limits: limits, cancellation: cancellation)
        demuxer.select(streams: Set(streams))
        let output = try MuxedFile(path: destination, format: "mp4", cancellation: cancellation)
        var outputs: [Int: (stream: Int, timeBase: Rational, offset: Int64)] = [:]
        for index in streams {
            outputs[index] = (
                try output.muxer.addStream(copying: index, of: demuxer), demuxer.timeBase(ofStream: index),
                demuxer.timeOffset(ofStream: index)
            )
        }
        try output.beginIndexFirst(timeBases: outputs.values.map(\.timeBase))
        var copy = Copy(file: output.file)
        var parser = try streams.first.flatMap { try KeyframeParser(demuxer, stream: $0) }
        var packet = try Packet()
        while try demuxer.read(into: &packet) {
            try cancellation.check()
            guard let target = outputs[packet.streamIndex] else { continue }
            if packet.isKey, packet.streamIndex == streams.first, parser?.isKeyframe(packet) == false { return nil }
            copy.packets[packet.streamIndex, default: 0] += 1
            packet.shift(by: target.offset)
            try output.muxer.write(&packet, stream: target.stream, timeBase: target.timeBase)
        }
        try output.muxer.finish()
        return copy
    }
}
