package import Model

/// Makes chunks of renders that other workers have, while there is nothing else to do.
package protocol ChunkHelper: Sendable {
    /// - Parameter memoryBytes: that is free for it.
    func takeChunk(memoryBytes: Int64) async throws(StoreError) -> ChunkClaim?
    /// Makes it and says so on the board; or gives it up, with a failure as the answer. Returns at once when the stop
    /// switch is pressed.
    func makeChunk(_ claim: ChunkClaim, caps: EffectiveCaps, stop: StopSwitch) async -> Failure?
}
