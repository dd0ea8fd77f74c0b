package import Model

/// Whether current desktop and mobile browsers all play a file as it is, and why (not).
package enum BrowserPlayability {
    package static func judge(
        container: ProbeReport.Container, video: [VideoStream], audio: [AudioStream]
    ) -> ProbeReport.Playability {
        func no(_ reason: String) -> ProbeReport.Playability { .init(playable: false, reason: reason) }
        guard !video.isEmpty || !audio.isEmpty else { return no("there is neither video nor audio") }
        guard let kind = Kind(container) else {
            return no("not every browser plays the container \(container.majorBrand ?? container.format)")
        }
        if container.truncated { return no("the file is cut short") }
        if let stream = video.first(where: \.encrypted) { return no("the video (\(stream.codec)) is encrypted") }
        if audio.contains(where: \.encrypted) { return no("the audio is encrypted") }
        if let stream = video.first {
            guard kind.videoCodecs.contains(stream.codec) else {
                return no("not every browser plays \(stream.codec) in \(kind.name)")
            }
            if stream.codec == "h264" {
                guard stream.bitDepth == 8 else { return no("browsers do not play \(stream.bitDepth)-bit h264") }
                guard ["yuv420p", "yuvj420p"].contains(stream.pixelFormat) else {
                    return no("browsers do not play h264 in \(stream.pixelFormat)")
                }
            }
        }
        if let stream = audio.first, !kind.audioCodecs.contains(stream.codec) {
            return no("not every browser plays \(stream.codec) in \(kind.name)")
        }
        let codecs = [video.first?.codec, audio.first?.codec].compactMap(\.self).joined(separator: " and ")
        return .init(playable: true, reason: "\(codecs) in \(kind.name)")
    }

    private struct Kind {
        var name: String
        var videoCodecs: Set<String> = []
        var audioCodecs: Set<String>

        init?(_ container: ProbeReport.Container) {
            let names = container.format.split(separator: ",").map(String.init)
            if names.contains("mp4") {
                // Firefox and Chrome judge a file by its brand.
                guard container.majorBrand?.hasPrefix("qt") != true else { return nil }
                (name, videoCodecs) = ("MP4", ["h264", "vp9", "av1"])
                audioCodecs = ["aac", "mp3", "opus", "flac"]
            } else if names.contains("webm"), container.majorBrand == "webm" {
                (name, videoCodecs, audioCodecs) = ("WebM", ["vp8", "vp9", "av1"], ["opus", "vorbis"])
            } else if let sound = ["mp3", "wav", "flac"].first(where: names.contains) {
                (name, audioCodecs) = (sound.uppercased(), ["mp3", "pcm_s16le", "pcm_u8", "flac"])
            } else {
                return nil
            }
        }
    }
}
