internal import Media
internal import Model

/// Copies packets of chosen streams into an MP4 with its index first, times counted from the container's start.
enum Remuxer {
    struct Copy {
        var file: StagedFile
        /// By source stream.
        var packets: [Int: Int] = [:]
    }

    static func remux(
        path: String, streams: [Int], to destination: String, limits: DemuxerLimits, cancellation: Cancellation
    ) throws -> Copy {
        var demuxer = try Demuxer(LocalFile(path: path), limits: limits, cancellation: cancellation)
        demuxer.select(streams: Set(streams))
        let file = try StagedFile(destination: destination)
        var muxer = try Muxer(format: "mp4", sink: file)
        var outputs: [Int: (stream: Int, timeBase: Rational, offset: Int64)] = [:]
        for index in streams {
            outputs[index] = (
                try muxer.addStream(copying: index, of: demuxer), demuxer.timeBase(ofStream: index),
                demuxer.timeOffset(ofStream: index)
            )
        }
        try muxer.begin(index: .first(file))
        var copy = Copy(file: file)
        var packet = try Packet()
        while try demuxer.read(into: &packet) {
            try cancellation.check()
            guard let output = outputs[packet.streamIndex] else { continue }
            copy.packets[packet.streamIndex, default: 0] += 1
            packet.shift(by: output.offset)
            try muxer.write(&packet, stream: output.stream, timeBase: output.timeBase)
        }
        try muxer.finish()
        return copy
    }
}
