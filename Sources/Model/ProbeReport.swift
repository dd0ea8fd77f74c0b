/// What a file is, as `reelpool probe` reports it. Times are seconds from the container's own zero unless said otherwise.
package struct ProbeReport: Codable, Sendable, Equatable {
    package struct Container: Codable, Sendable, Equatable {
        /// libavformat's short name, such as `mov,mp4,m4a,3gp,3g2,mj2`.
        package var format: String
        package var sizeBytes: Int64
        /// From the first to the end of the last packet; `nil` when nothing tells.
        package var durationSeconds: Double?
        /// Where the duration comes from: the container's word, or a scan when that word cannot be true.
        package var durationSource: DurationSource
        /// What the container claims, present only when the claim was not believed.
        package var claimedDurationSeconds: Double?
        /// The timestamp that counts as t = 0 in an edit.
        package var startSeconds: Double
        package var bitRate: Int64?
        package var fragmented: Bool
        /// The file ends before its media does; for MP4, everything before `intactSeconds` is there.
        package var truncated: Bool
        package var intactSeconds: Double?
        /// What the file says it is: MP4's brand such as `isom` or `qt`, Matroska's document type.
        package var majorBrand: String?
        /// MP4 family: the index stands before the media data.
        package var indexFirst: Bool?
    }

    package enum DurationSource: String, Codable, Sendable { case container, measured, unknown }

    package var file: String
    package var container: Container
    package var video: [VideoStream]
    package var audio: [AudioStream]
    /// Subtitles, data, attachments and cover pictures.
    package var other: [OtherStream]
    package var browserPlayable: Playability

    package struct Playability: Codable, Sendable, Equatable {
        package var playable: Bool
        package var reason: String

        package init(playable: Bool, reason: String) { (self.playable, self.reason) = (playable, reason) }
    }

    package init(
        file: String, container: Container, video: [VideoStream], audio: [AudioStream], other: [OtherStream],
        browserPlayable: Playability
    ) {
        (self.file, self.container, self.video) = (file, container, video)
        (self.audio, self.other, self.browserPlayable) = (audio, other, browserPlayable)
    }

    /// The container's duration as an exact count of microseconds, FFmpeg's own unit for it.
    package var duration: Rational? {
        container.durationSeconds.map { Rational(Int64(($0 * 1_000_000).rounded()), 1_000_000) }
    }
}

extension ProbeReport.Container {
    package init(format: String, sizeBytes: Int64, startSeconds: Double) {
        self.init(
            format: format, sizeBytes: sizeBytes, durationSeconds: nil, durationSource: .unknown,
            claimedDurationSeconds: nil, startSeconds: startSeconds, bitRate: nil, fragmented: false, truncated: false,
            intactSeconds: nil, majorBrand: nil, indexFirst: nil
        )
    }
}

package struct VideoStream: Codable, Sendable, Equatable {
    package var index: Int
    package var codec: String
    package var profile: String?
    package var level: Int?
    package var pixelFormat: String
    package var bitDepth: Int
    /// As stored, before rotation.
    package var codedWidth: Int
    package var codedHeight: Int
    /// As shown: after rotation, before the sample aspect ratio is applied.
    package var width: Int
    package var height: Int
    /// Of one pixel as shown (after rotation).
    package var sampleAspectRatio: Rational
    package var displayAspectRatio: Rational
    package var orientation: Orientation
    /// Clockwise, to show the picture upright.
    package var rotationDegrees: Int
    package var averageFrameRate: Rational?
    /// The lowest rate at which every timestamp is exact (libavformat's `r_frame_rate`).
    package var realFrameRate: Rational?
    package var variableFrameRate: Bool
    package var frameCount: Int64?
    package var interlaced: Bool
    package var color: ColorTags
    package var hdr: HDRMetadata?
    package var timeBase: Rational
    package var startSeconds: Double?
    package var durationSeconds: Double?
    package var bitRate: Int64?
    package var language: String?
    package var isDefault: Bool
    /// As the file has it, empty where it has none; times in seconds of the movie and of the media.
    package var editList: [EditListEntry]
    package var encrypted: Bool
    package var decodable: Bool
    /// The longest distance between keyframes, in seconds, from the index or a bounded scan.
    package var keyframeIntervalSeconds: Double?

    package init(
        index: Int, codec: String, pixelFormat: String, bitDepth: Int, codedWidth: Int, codedHeight: Int,
        sampleAspectRatio: Rational, orientation: Orientation, color: ColorTags, timeBase: Rational
    ) {
        self.index = index
        self.codec = codec
        self.pixelFormat = pixelFormat
        self.bitDepth = bitDepth
        (self.codedWidth, self.codedHeight) = (codedWidth, codedHeight)
        (width, height) = orientation.swapsAxes ? (codedHeight, codedWidth) : (codedWidth, codedHeight)
        self.sampleAspectRatio = orientation.swapsAxes ? sampleAspectRatio.inverse : sampleAspectRatio
        displayAspectRatio =
            width > 0 && height > 0 ? Rational(Int64(width), Int64(height)) * self.sampleAspectRatio : .one
        self.orientation = orientation
        rotationDegrees = orientation.degrees
        self.color = color
        self.timeBase = timeBase
        (variableFrameRate, interlaced, isDefault, editList) = (false, false, false, [])
        (encrypted, decodable) = (false, true)
    }
}

package struct AudioStream: Codable, Sendable, Equatable {
    package var index: Int
    package var codec: String
    package var profile: String?
    package var channels: Int
    /// FFmpeg's name of the layout, such as `stereo` or `5.1(side)`.
    package var channelLayout: String
    package var sampleRate: Int
    package var sampleFormat: String
    package var timeBase: Rational
    package var startSeconds: Double?
    package var durationSeconds: Double?
    package var bitRate: Int64?
    package var language: String?
    package var isDefault: Bool
    package var editList: [EditListEntry]
    package var encrypted: Bool
    package var decodable: Bool

    package init(
        index: Int, codec: String, channels: Int, channelLayout: String, sampleRate: Int, sampleFormat: String,
        timeBase: Rational
    ) {
        (self.index, self.codec, self.channels, self.channelLayout) = (index, codec, channels, channelLayout)
        (self.sampleRate, self.sampleFormat, self.timeBase) = (sampleRate, sampleFormat, timeBase)
        (isDefault, editList, encrypted, decodable) = (false, [], false, true)
    }
}

/// One entry of an MP4 edit list. Source: ISO/IEC 14496-12 §8.6.6.
package struct EditListEntry: Codable, Sendable, Equatable {
    package var durationSeconds: Double
    /// Where in the media it begins; `nil` for a pause.
    package var mediaStartSeconds: Double?

    package init(durationSeconds: Double, mediaStartSeconds: Double?) {
        (self.durationSeconds, self.mediaStartSeconds) = (durationSeconds, mediaStartSeconds)
    }
}

package struct OtherStream: Codable, Sendable, Equatable {
    package var index: Int
    package var kind: String
    package var codec: String
    package var language: String?

    package init(index: Int, kind: String, codec: String, language: String?) {
        (self.index, self.kind, self.codec, self.language) = (index, kind, codec, language)
    }
}
