package import Model

/// Everything a render will do, decided before any media is decoded: a pure function of the edit and the probes.
///
/// Segments are in output order and independent of each other, so that they can be copied, encoded or handed to
/// another worker one by one; the output is their concatenation.
package struct RenderPlan: Codable, Sendable, Equatable {
    package var container: OutputSettings.Container
    package var sources: [PlannedSource]
    package var segments: [PlannedSegment]
    /// `nil` where nothing is laid over the picture.
    package var layers: PlannedLayers?
    /// `nil` makes an output without a picture.
    package var video: VideoPlan?
    /// `nil` makes an output without sound.
    package var audio: AudioPlan?
    /// How much of the picture would be copied; `nil` where nobody asked.
    package var copying: CopyingOutlook?
    /// What is expected from the containers' words; the render reports what came out.
    package var predictedDurationSeconds: Double
    /// What the author of the edit should know, one sentence each.
    package var notes: [String]
}

package struct PlannedSource: Codable, Sendable, Equatable {
    package var id: String
    package var uri: String
    package var videoStream: Int?
    package var audioStream: Int?
    /// `nil` when nothing tells.
    package var duration: Rational?
    /// When the last picture's time is over, as the container has it, in seconds from its start.
    package var videoEnd: Rational?
    /// How this source's picture is laid on the canvas.
    package var layout: PictureLayout?
    package var color: ColorTreatment?
    /// Its frames are pairs of fields, which screens and encoders no longer show well.
    package var interlaced: Bool
}

/// A half-open range `[start, end)` of one source, in seconds from its container's start.
package struct PlannedSegment: Codable, Sendable, Equatable {
    /// Into `RenderPlan.sources`.
    package var source: Int
    package var start: Rational
    /// `nil` plays to the end of the source.
    package var end: Rational?
    package var treatment: SegmentTreatment
    /// Whether the sound begins or ends at a seam, and is faded there for a few milliseconds.
    package var fadesIn: Bool
    package var fadesOut: Bool
    /// Mutes and bleeps, in source time, sorted, not overlapping; they may reach beyond the segment.
    package var sound: [SoundEffect]
    /// What is laid over the picture, in source time, sorted, not overlapping.
    package var layers: [LayerStretch]
}

/// How a segment gets from source to output, where its pictures are not copied.
package enum SegmentTreatment: String, Codable, Sendable { case encode }

package struct SoundEffect: Codable, Sendable, Equatable {
    package enum Kind: String, Codable, Sendable { case mute, bleep }
    package var start: Rational
    package var end: Rational
    package var kind: Kind
}

package struct VideoPlan: Codable, Sendable, Equatable {
    package var codec: VideoSettings.Codec
    package var crf: Int
    package var preset: VideoSettings.Preset
    package var width: Int
    package var height: Int
    package var sampleAspectRatio: Rational
    package var bitDepth: Int
    package var cadence: Cadence
    /// The source's frames are unevenly spaced; the output's are where the cadence is the source's.
    package var variableFrameRate: Bool
    package var color: ColorTags
    package var hdr: HDRMetadata?
    /// For rate control and headers.
    package var nominalFrameRate: Rational
    package var keyframeIntervalSeconds: Int?
}

/// When output frames are shown.
package enum Cadence: Codable, Sendable, Equatable {
    /// Exactly the source's frames with the source's own spacing, in ticks of its time base.
    case source(timeBase: Rational)
    /// Resampled to one rate, for the reason given.
    case constant(framesPerSecond: Rational, reason: String)
}

package struct AudioPlan: Codable, Sendable, Equatable {
    package var codec: AudioSettings.Codec
    package var bitRate: Int
    package var sampleRate: Int
    package var channels: Int
    /// FFmpeg's name of the layout.
    package var layout: String
    /// The sources' language, where they agree.
    package var language: String?
}
