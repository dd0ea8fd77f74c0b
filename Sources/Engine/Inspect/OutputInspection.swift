internal import LocalFiles
package import Media
internal import Model

/// What a file turns out to hold when all of it is decoded.
package struct OutputInspection: Sendable, Equatable {
    package var width = 0
    package var height = 0
    /// Milliseconds from the container's start, to the microsecond.
    package var frameTimes: [Double] = []
    /// Over the visible samples of all frames in order.
    package var pictureHash: String?
    /// When the last picture ends.
    package var videoMilliseconds: Double?
    package var sampleRate: Int?
    package var channels: Int?
    package var audioMilliseconds: Double?
    package var loudness: Double?
    package var sizeBytes: Int64 = 0

    package static func inspect(_ path: String, cancellation: Cancellation) throws -> OutputInspection {
        let probe = try Prober.probe(path: path, cancellation: cancellation)
        var result = OutputInspection()
        result.sizeBytes = probe.container.sizeBytes
        if let video = probe.video.first {
            (result.width, result.height) = (video.width, video.height)
            let frames = try PictureSequence(path, cancellation: cancellation)
            let told = video.durationSeconds.map {
                ((($0 + (video.startSeconds ?? 0) - probe.container.startSeconds) * 1_000_000).rounded() / 1000)
            }
            var digest = try Digest()
            while let picture = try frames.next() {
                result.frameTimes.append(milliseconds(picture.time, frames.timeBase))
                let end = milliseconds(picture.time + picture.frame.duration, frames.timeBase)
                result.videoMilliseconds = max(end, told ?? end)
                picture.frame.addPixels(to: &digest)
            }
            result.pictureHash = digest.finish()
        }
        if let audio = probe.audio.first {
            (result.sampleRate, result.channels) = (audio.sampleRate, audio.channels)
            var settings = SourceReader.Settings()
            settings.audioStream = audio.index
            let reader = try SourceReader({ try LocalFile(path: path) }, settings: settings, cancellation: cancellation)
            let analysis = try SoundAnalysis(stream: audio)
            while let frame = try reader.nextAudio() { try analysis.add(frame) }
            try analysis.finish()
            result.audioMilliseconds = (analysis.endSeconds * 1_000_000).rounded() / 1000
            result.loudness = analysis.loudness.integratedLufs
        }
        return result
    }

    private static func milliseconds(_ ticks: Int64, _ timeBase: Rational) -> Double {
        (Double(ticks) * timeBase.seconds * 1_000_000).rounded() / 1000
    }
}

/// The pictures of a file, in order.
final class PictureSequence {
    private let reader: SourceReader
    let timeBase: Rational

    init(_ path: String, cancellation: Cancellation) throws {
        let probe = try Prober.probe(path: path, cancellation: cancellation)
        guard let stream = probe.video.first else { throw EngineError(.noStreams, "\(path) has no video") }
        var settings = SourceReader.Settings()
        settings.videoStream = stream.index
        reader = try SourceReader({ try LocalFile(path: path) }, settings: settings, cancellation: cancellation)
        timeBase = stream.timeBase
    }

    func next() throws -> VideoFrame? {
        defer { reader.takeVideo() }
        return try reader.peekVideo()
    }
}
