internal import Model

/// The codecs of an output, which its container takes.
struct OutputFormats {
    let video: VideoSettings.Codec
    let audio: AudioSettings.Codec

    /// - Parameter kept: codecs of the sources' pictures. One alone is the output's where the settings name none and the
    ///   container takes it.
    init(
        container: OutputSettings.Container, settings: OutputSettings, kept: Set<String> = []
    ) throws(PlanningError) {
        let (videos, audios) = Self.codecs(in: container)
        let only = kept.count == 1 ? kept.first.flatMap(VideoSettings.Codec.init(rawValue:)) : nil
        let usual = container == .webm ? VideoSettings.Codec.vp9 : .h264
        video = settings.video.codec ?? only.flatMap { videos.contains($0) ? $0 : nil } ?? usual
        audio = settings.audio.codec ?? (container == .webm ? .opus : .aac)
        guard videos.contains(video) else {
            throw .codecNotInContainer(codec: video.rawValue, container: container.rawValue)
        }
        guard audios.contains(audio) else {
            throw .codecNotInContainer(codec: audio.rawValue, container: container.rawValue)
        }
    }

    private static func codecs(
        in container: OutputSettings.Container
    ) -> (Set<VideoSettings.Codec>, Set<AudioSettings.Codec>) {
        switch container {
        case .mp4, .mkv: ([.h264, .hevc, .vp9, .av1], [.aac, .opus, .mp3])
        case .mov: ([.h264, .hevc], [.aac, .mp3])
        case .webm: ([.vp9, .av1], [.opus])
        }
    }
}
