internal import Media
internal import Model

/// Finds the pictures on the screen at given times by seeking, for when nothing else needs the picture decoded.
///
/// A sheet has so few tiles that an hour costs no more than a minute.
final class StillsReader {
    private let reader: SourceReader
    private let timeBase: Rational
    private var shown: VideoFrame?

    init(
        _ makeSource: @escaping () throws -> any ByteSource, stream: VideoStream, options: ProxyOptions,
        cancellation: Cancellation
    ) throws {
        var settings = SourceReader.Settings()
        settings.videoStream = stream.index
        settings.decoderThreads = options.threads.decoder
        settings.limits = options.limits
        settings.salvage = options.salvage
        reader = try SourceReader(makeSource, settings: settings, cancellation: cancellation)
        timeBase = stream.timeBase
    }

    var damageCount: Int { reader.damageCount }

    /// The last picture at or before a time, the same one again where it is still shown; the first one before that.
    ///
    /// - Parameter time: not before the one asked for last.
    func picture(at time: Rational) throws -> VideoFrame? {
        let ticks = time.ticks(in: timeBase)
        if let shown, let next = try reader.peekVideo(), next.time > ticks { return shown }
        _ = try reader.position(atOrBefore: time)
        while let next = try reader.peekVideo(), shown == nil || next.time <= ticks {
            shown = next
            reader.takeVideo()
        }
        return shown
    }

    func seconds(of picture: VideoFrame) -> Double { Double(picture.time) * timeBase.seconds }
}
