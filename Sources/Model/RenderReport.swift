/// What a render made.
package struct RenderReport: Codable, Sendable, Equatable {
    package struct Video: Codable, Sendable, Equatable {
        package var codec: String
        package var width: Int
        package var height: Int
        package var frames: Int
        /// Set when frames were resampled to one rate; else the source's spacing was kept.
        package var resampledTo: Rational?
        package var dynamicRange: String

        package init(
            codec: String, width: Int, height: Int, frames: Int, resampledTo: Rational?, dynamicRange: String
        ) {
            (self.codec, self.width, self.height, self.frames) = (codec, width, height, frames)
            (self.resampledTo, self.dynamicRange) = (resampledTo, dynamicRange)
        }
    }

    package struct Audio: Codable, Sendable, Equatable {
        package var codec: String
        package var sampleRate: Int
        package var channels: Int
        package var samples: Int64

        package init(codec: String, sampleRate: Int, channels: Int, samples: Int64) {
            (self.codec, self.sampleRate, self.channels, self.samples) = (codec, sampleRate, channels, samples)
        }
    }

    /// What copying came to; absent where everything was encoded for want of asking.
    package struct Smart: Codable, Sendable, Equatable {
        /// Why everything was encoded after all, one clause.
        package var declined: String?
        /// What was tried and given up, so that it counts: the verification of what was made had failed.
        package var fellBack = false
        package var predictedSeconds: Double?
        /// How much sooner than by encoding everything.
        package var predictedGain: Double?
        package var seconds = 0.0
        package var seams = 0
        package var copiedPictures = 0
        package var encodedPictures = 0
        /// For the sake of seams.
        package var decodedPictures = 0
        package var verifiedPictures = 0
        /// Over luma, in decibels, beside the source.
        package var worstSeamDecibels: Double?
        /// Absent where sound was encoded as in a full render, or there is none.
        package var sound: CopiedSound?
        /// Why sound was encoded, one clause.
        package var soundDeclined: String?

        package init(predictedSeconds: Double? = nil, predictedGain: Double? = nil) {
            (self.predictedSeconds, self.predictedGain) = (predictedSeconds, predictedGain)
        }
    }

    /// What dividing the render into chunks came to; absent where nobody asked for it.
    package struct Chunks: Codable, Sendable, Equatable {
        /// Why all was encoded in one go after all, one clause.
        package var declined: String?
        package var count = 0
        /// Chunks that were there from an earlier run, and their frames.
        package var reused = 0
        package var reusedFrames = 0
        /// In this run.
        package var encodedFrames = 0
        /// Chunks that turned out to be damaged, and were encoded anew.
        package var mended = 0
        /// Chunks that were made in this run by other workers.
        package var helped = 0

        package init(count: Int = 0) { self.count = count }
    }

    /// What copying packets of sound came to.
    package struct CopiedSound: Codable, Sendable, Equatable {
        package var copiedPackets = 0
        package var encodedPackets = 0
        /// The loudest error at a place where copied and encoded packets meet, beside the sound there.
        package var worstJoinDecibels: Double?
        /// How far a segment's sound is from its place, at most half a packet.
        package var largestShiftSeconds = 0.0

        package init() {}
    }

    package var output: String
    package var sizeBytes: Int64
    package var durationSeconds: Double
    package var segments: Int
    package var video: Video?
    package var audio: Audio?
    /// Whether an MP4 or MOV has its index before the media, as it should; absent for other containers.
    package var indexFirst: Bool?
    package var smart: Smart?
    package var chunks: Chunks?
    /// What its author should know: choices that were made, and anything that is not as asked.
    package var notes: [String]
    /// In salvage: seconds asked for that the sources no longer had, and damaged packets passed over.
    package var lostSeconds: Double
    package var damagedPackets: Int
    package var elapsedSeconds: Double
    /// Media seconds made in a second.
    package var speed: Double

    package init(
        output: String, sizeBytes: Int64, durationSeconds: Double, segments: Int, video: Video?, audio: Audio?,
        notes: [String], lostSeconds: Double, damagedPackets: Int, elapsedSeconds: Double, speed: Double
    ) {
        (self.output, self.sizeBytes, self.durationSeconds, self.segments) = (
            output, sizeBytes, durationSeconds, segments
        )
        (self.video, self.audio, self.notes) = (video, audio, notes)
        (self.lostSeconds, self.damagedPackets) = (lostSeconds, damagedPackets)
        (self.elapsedSeconds, self.speed) = (elapsedSeconds, speed)
    }
}
