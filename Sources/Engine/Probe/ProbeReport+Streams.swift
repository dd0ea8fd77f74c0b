internal import Model
internal import Planning

extension ProbeReport {
    /// The streams that are worked on, or why there are none.
    func mainStreams(salvage: Bool) throws -> (video: VideoStream?, audio: AudioStream?) {
        let video = self.video.first { $0.decodable && $0.isDefault } ?? self.video.first(where: \.decodable)
        let audio = self.audio.first { $0.decodable && $0.isDefault } ?? self.audio.first(where: \.decodable)
        if self.video.contains(where: \.encrypted) || self.audio.contains(where: \.encrypted) {
            throw EngineError(.encryptedMedia, "\(file) is encrypted")
        }
        guard video != nil || audio != nil else {
            if let codec = self.video.first?.codec ?? self.audio.first?.codec {
                throw EngineError(.noDecoder, "\(file) needs a decoder for \(codec)")
            }
            throw EngineError(.noStreams, "\(file) has neither video nor audio")
        }
        if container.truncated, !salvage {
            throw PlanningError.truncated(source: file, intactSeconds: container.intactSeconds)
        }
        return (video, audio)
    }
}
