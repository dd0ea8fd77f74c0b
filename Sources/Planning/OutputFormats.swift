internal import Model

/// The codecs of an output, which its container takes.
struct OutputFormats {
    let video: VideoSettings.Codec
    let audio: AudioSettings.Codec

    /// Codecs of the sources, by FFmpeg's names.
    struct Kept {
        var video: Set<String> = []
        var audio: Set<String> = []
    }

    /// - Parameter kept: of the sources' pictures and sound. One alone is the output's where the settings name none and
    ///   the container takes it.
    init(
        container: OutputSettings.Container, settings: OutputSettings, kept: Kept = Kept()
    ) throws(PlanningError) {
        let (videos, audios) = Self.codecs(in: container)
        let only = kept.video.count == 1 ? kept.video.first.flatMap(VideoSettings.Codec.init(rawValue:)) : nil
        let sound = kept.audio.count == 1 ? kept.audio.first.flatMap(AudioSettings.Codec.init(rawValue:)) : nil
        let usual = container == .webm ? VideoSettings.Codec.vp9 : .h264
        video = settings.video.codec ?? only.flatMap { videos.contains($0) ? $0 : nil } ?? usual
        audio = settings.audio.codec ?? sound.flatMap { audios.contains($0) ? $0 : nil } ?? Self.sound(container)
        guard videos.contains(video) else {
            throw .codecNotInContainer(codec: video.rawValue, container: container.rawValue)
        }
        guard audios.contains(audio) else {
            throw .codecNotInContainer(codec: audio.rawValue, container: container.rawValue)
        }
    }

    private static func sound(_ container: OutputSettings.Container) -> AudioSettings.Codec {
        container == .webm ? .opus : .aac
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
