/// How a render is divided into chunks, as the process that looked at its sources found it.
package struct ChunkDivision: Codable, Sendable, Equatable {
    /// Names everything that the chunks' bytes follow from: 64 hexadecimal digits.
    package var digest: String
    /// The engine's own plan of the chunks, for the processes that come after: JSON that only it reads.
    package var plan: String
    /// How many frames each chunk of pictures has, as near as that is known.
    package var frames: [Int]
    /// The sound is the last chunk, and as much work as so many frames; `nil` where there is none.
    package var soundFrames: Int?
    /// The programme's length, in seconds.
    package var seconds: Double
    /// What copying came to before it was given up.
    package var smart: RenderReport.Smart?

    package init(digest: String, plan: String, frames: [Int], soundFrames: Int? = nil, seconds: Double) {
        (self.digest, self.plan, self.frames, self.soundFrames) = (digest, plan, frames, soundFrames)
        self.seconds = seconds
    }

    /// How much work each chunk is, in frames, by its number.
    package var weights: [Int] { frames + [soundFrames].compactMap(\.self) }
}

/// What is known of a chunk that was encoded.
package struct ChunkMade: Codable, Sendable, Equatable {
    /// 0 of sound.
    package var frames: Int
    package var sizeBytes: Int64

    package init(frames: Int, sizeBytes: Int64) { (self.frames, self.sizeBytes) = (frames, sizeBytes) }
}
