internal import Media
internal import Model

/// A container file being written: the muxer and the staged output under it.
final class MuxedFile {
    let file: any StagedOutput
    var muxer: Muxer

    /// - Parameter format: libavformat's name of the container.
    init(_ name: String, in outputs: any OutputProvider, format: String, cancellation: Cancellation) throws {
        file = try outputs.create(name)
        muxer = try Muxer(format: format, sink: file, cancellation: cancellation)
    }

    /// Writes the header of an MP4 or MOV whose index will stand first.
    ///
    /// Edit lists are in the movie's time scale, usually milliseconds, and cut off what a track has beyond: on a scale
    /// that holds every track's ticks, they cut nothing.
    func beginIndexFirst(timeBases: [Rational], options: [String: String] = [:]) throws {
        var options = options
        options["movie_timescale"] = "\(Self.commonScale(timeBases))"
        try muxer.begin(options: options, index: .first(file))
    }

    /// The least scale that holds all time bases exactly, as far as 32-bit arithmetic in players makes it safe.
    private static func commonScale(_ timeBases: [Rational]) -> Int64 {
        let limit: Int64 = 10_000_000
        return timeBases.reduce(1000) { scale, timeBase in
            // Reducing scale/denominator divides both by their greatest common divisor.
            let common = Rational(scale, timeBase.denominator).numerator * timeBase.denominator
            return common <= limit ? common : scale
        }
    }
}
