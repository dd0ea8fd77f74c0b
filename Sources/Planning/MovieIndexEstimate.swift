package import Model

/// How large the index (moov) of an MP4 or MOV will be, from what is known before its first packet.
///
/// Sources: ISO/IEC 14496-12 §8.3 (tracks), §8.5 to §8.7 (tables of samples), and how libavformat fills them in:
/// 64-bit chunk offsets only beyond 4 GiB, a run of composition offsets for nearly every frame where frames are
/// reordered.
package struct MovieIndexEstimate: Sendable, Equatable {
    // Boxes without the entries of their tables, at their largest.
    /// moov, mvhd and the movie's udta: 8, 120 and 61.
    private static let movieBytes: Int64 = 189
    /// trak 8, tkhd 104, edts with two edits 64, mdia 8, mdhd 44, hdlr 45, minf 8, vmhd 20, MOV's second hdlr 44,
    /// dinf 36, stbl 8, the tables' own headers 112, and the groups of a sound's run-in 60.
    private static let trackBytes: Int64 = 561
    /// stsd 16, the picture's entry 86, shape of pixels, colours and fields 45, mastering display and light 44, bit
    /// rate 20, and the head of a box with parameter sets.
    private static let pictureBytes: Int64 = 230
    /// stsd 16, the sound's entry 36, MOV's wave 60, the codec's own words 60, bit rate 20.
    private static let soundBytes: Int64 = 192

    // An entry of each table.
    private static let sampleSize = 4.0
    private static let timeRun = 8.0
    /// With the byte that tells whether other frames need this one.
    private static let reordering = 9.0
    private static let syncSample = 4.0
    /// A 64-bit offset, and a run of chunks with as many samples.
    private static let chunk = 20.0
    /// The muxer changes from one stream to another this often.
    private static let chunksPerSecond = 2.0

    /// Beyond that a reservation would be in the way of whoever keeps it in memory. It holds the index of half a day.
    package static let reservationLimit: Int64 = 64 << 20

    /// How a stream of pictures is spaced and coded.
    package struct Pictures: Sendable, Equatable {
        package var count: Double
        package var keyframes: Double
        /// Frames are stored in another order than they are shown in.
        package var reordered: Bool
        /// Runs of frames that last the same number of ticks.
        package var timeRuns: Double
        /// 50 to 100 for most codecs.
        package var parameterSetBytes: Int64 = 200

        package init(count: Double, keyframes: Double, reordered: Bool, timeRuns: Double) {
            (self.count, self.keyframes) = (count, keyframes)
            (self.reordered, self.timeRuns) = (reordered, timeRuns)
        }
    }

    private let seconds: Double
    /// What is there even of a track without packets.
    private var fixedBytes = Self.movieBytes
    private var entryBytes = 0.0

    /// - Parameter seconds: how long the movie lasts.
    package init(seconds: Double) { self.seconds = max(0, seconds) }

    package mutating func add(_ pictures: Pictures) {
        let entry = Self.sampleSize + (pictures.reordered ? Self.reordering : 0)
        add(pictures.count * entry + pictures.keyframes * Self.syncSample + pictures.timeRuns * Self.timeRun)
        fixedBytes += Self.pictureBytes + pictures.parameterSetBytes
    }

    package mutating func addSound(packets: Double) {
        add(packets * Self.sampleSize)
        fixedBytes += Self.soundBytes
    }

    private mutating func add(_ entries: Double) {
        fixedBytes += Self.trackBytes
        entryBytes += max(0, entries) + (seconds * Self.chunksPerSecond + 1) * Self.chunk
    }

    /// What to set aside: twice what grows with the recording, which often is not what its header says.
    package var reservation: Int64 {
        fixedBytes + min(Int64(min(2 * entryBytes, Double(Self.reservationLimit))), Self.reservationLimit - fixedBytes)
    }
}

extension RenderPlan {
    /// How long an output is taken to be where nothing tells: mostly it is a picture or a few seconds.
    private static let unknownSeconds = 60.0

    /// Of the output's index, where its container has one in front.
    package var indexEstimate: MovieIndexEstimate? {
        guard container == .mp4 || container == .mov else { return nil }
        let isKnown = segments.allSatisfy { $0.end != nil || sources[$0.source].duration != nil }
        let seconds = predictedDurationSeconds + (isKnown ? 0 : Self.unknownSeconds)
        var estimate = MovieIndexEstimate(seconds: seconds)
        // Each segment may begin and end with a part of a frame.
        if let video { estimate.add(video.pictures(seconds: seconds, seams: segments.count)) }
        if let audio { estimate.addSound(packets: seconds * audio.packetsPerSecond + 2) }
        return estimate
    }
}

extension VideoPlan {
    /// Encoders begin a new group of pictures where the scene changes, but not more often than this.
    private static let framesPerKeyframe = 25.0

    fileprivate func pictures(seconds: Double, seams: Int) -> MovieIndexEstimate.Pictures {
        let count = seconds * nominalFrameRate.seconds + Double(seams)
        let reorders =
            switch codec {
            case .h264: preset != .ultrafast
            case .hevc: true
            case .vp9, .av1: false
            }
        var pictures = MovieIndexEstimate.Pictures(
            count: count, keyframes: count / Self.framesPerKeyframe + 1, reordered: reorders,
            timeRuns: isEvenlySpaced ? 2 * Double(seams) : count)
        // libx265 puts a text about its settings with them.
        if codec == .hevc { pictures.parameterSetBytes = 3072 }
        return pictures
    }

    private var isEvenlySpaced: Bool {
        switch cadence {
        case .constant: true
        case .source(let timeBase): !variableFrameRate && nominalFrameRate.isWhole(in: timeBase)
        }
    }
}

extension VideoStream {
    /// Frames all last the same number of ticks, as far as is known.
    package var isEvenlySpaced: Bool { !variableFrameRate && nominalFrameRate.isWhole(in: timeBase) }
}

extension Rational {
    /// Whether one of so many per second lasts a whole number of ticks.
    fileprivate func isWhole(in timeBase: Rational) -> Bool {
        numerator > 0 && (inverse * timeBase.inverse).denominator == 1
    }
}

extension AudioPlan {
    /// Sources: ISO/IEC 14496-3 §4.5.1.1 (AAC), RFC 6716 §2.1.4 (Opus, 20 ms), ISO/IEC 11172-3 and 13818-3 (MP3,
    /// whose low rates have half as many samples).
    fileprivate var packetsPerSecond: Double {
        let samples =
            switch codec {
            case .aac: 1024
            case .opus: 960
            case .mp3: sampleRate < 32000 ? 576 : 1152
            }
        return Double(sampleRate) / Double(samples)
    }
}
