internal import Media
internal import Model
internal import Planning

/// A container file being written: the muxer and the staged output under it.
///
/// All are written in one pass, in order but for their head, so that they can leave while they are made.
final class MuxedFile {
    /// ftyp with all the brands it may have, before the index; and behind it mdat's header of 16 bytes.
    private static let movieHeadBytes: Int64 = 256
    /// What Matroska's writer returns to, all before the first cluster: Segment's size, SeekHead, Info, Tracks, Tags.
    /// It comes to 1 to 4 KiB; the rest is room for unusual parameter sets, and for reading the header in blocks.
    private static let matroskaHeadBytes: Int64 = 128 << 10
    /// An ID3v2 tag and the frame with the LAME header, which is one MP3 frame of at most 1441 bytes.
    private static let mp3HeadBytes: Int64 = 4096

    let file: any StagedOutput
    var muxer: Muxer
    private let reservation: Int64?

    /// - Parameters:
    ///   - format: libavformat's name of the container.
    ///   - reservation: for the index of an MP4 or MOV, which then stands first.
    init(
        _ name: String, in outputs: any OutputProvider, format: String, reservation: Int64? = nil,
        cancellation: Cancellation
    ) throws {
        let headBytes =
            switch format {
            case "matroska", "webm": Self.matroskaHeadBytes
            case "mp3": Self.mp3HeadBytes
            default: Self.movieHeadBytes + (reservation ?? 0)
            }
        file = try outputs.create(name, headBytes: headBytes)
        muxer = try Muxer(format: format, sink: file, cancellation: cancellation)
        self.reservation = reservation
    }

    /// A render's output.
    convenience init(
        _ files: RenderFiles, plan: RenderPlan, options: RenderOptions, cancellation: Cancellation
    ) throws {
        try self.init(
            files.output, in: files.outputs, format: plan.container.muxerName,
            reservation: plan.indexEstimate.map { options.indexReservation ?? $0.reservation },
            cancellation: cancellation)
    }

    /// Writes the header of a render's output.
    func begin(_ plan: RenderPlan, videoTimeBase: Rational) throws {
        switch plan.container {
        case .mp4, .mov:
            try beginIndexFirst(
                timeBases: [videoTimeBase] + (plan.audio.map { [Rational(1, Int64($0.sampleRate))] } ?? []),
                options: ["strict": "unofficial"])
        // The picture begins at zero; sound's priming may lie before. libavformat would shift everything by it.
        case .mkv, .webm: try muxer.begin(options: ["avoid_negative_ts": "disabled"])
        }
    }

    /// Writes the header of an MP4 or MOV whose index will stand first.
    ///
    /// Edit lists are in the movie's time scale, usually milliseconds, and cut off what a track has beyond: on a scale
    /// that holds every track's ticks, they cut nothing.
    func beginIndexFirst(timeBases: [Rational], options: [String: String] = [:]) throws {
        var options = options
        options["movie_timescale"] = "\(Self.commonScale(timeBases))"
        try muxer.begin(options: options, index: .first(reserved: reservation ?? 0))
    }

    /// Whether the index stands first; `nil` for containers that have none in front. Known when the file is finished.
    var indexFirst: Bool? { reservation == nil ? nil : !muxer.indexOverflowed }

    /// What to tell of an index that had no room.
    var note: String? {
        guard indexFirst == false else { return nil }
        return "The file's index stands last, because more frames came than its source told of; "
            + "players must read its end before they can begin."
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
