/// How a render is divided into chunks, as the process that looked at its sources found it.
package struct ChunkDivision: Codable, Sendable, Equatable {
    /// Names everything that the chunks' bytes follow from: 64 hexadecimal digits.
    package var digest: String
    /// The engine's own plan of the chunks, for the processes that come after: JSON that only it reads.
    package var plan: String
    /// How many frames each chunk has, as near as that is known; as many as there are chunks.
    package var frames: [Int]
    /// The programme's length, in seconds.
    package var seconds: Double
    /// What copying came to before it was given up.
    package var smart: RenderReport.Smart?

    package init(digest: String, plan: String, frames: [Int], seconds: Double) {
        (self.digest, self.plan, self.frames, self.seconds) = (digest, plan, frames, seconds)
    }
}

/// What is known of a chunk that was encoded.
package struct ChunkMade: Codable, Sendable, Equatable {
    package var frames: Int
    package var sizeBytes: Int64

    package init(frames: Int, sizeBytes: Int64) { (self.frames, self.sizeBytes) = (frames, sizeBytes) }
}
