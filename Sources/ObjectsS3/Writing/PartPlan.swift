package import WorkerCore

/// How an output is cut into parts, decided before its first byte: they are equal, as Cloudflare R2 wants them, and
/// there are at most as many as stores take. Source: AWS, "Amazon S3 multipart upload limits".
package struct PartPlan: Sendable, Equatable {
    private static let mostParts = Int64(UploadedPart.mostNumbers)
    private static let leastBytes: Int64 = 8 << 20
    private static let mebibyte: Int64 = 1 << 20
    /// For outputs of up to 150 GiB.
    private static let bufferBytes = 64 << 20
    private static let mostInFlight = 5
    /// In memory of an output beyond that.
    private static let mostBuffers = 4

    /// All parts but the last, which may be smaller.
    package let partBytes: Int
    /// So many of the first stay in memory until the end, because what a container writes last stands in them.
    package let held: Int
    /// Parts that leave at a time, as far as the memory goes. Besides them those that are held are in memory, and the one
    /// that is being filled.
    package let inFlight: Int

    package init(_ bounds: OutputBounds) {
        let limit = max(0, bounds.limitBytes)
        let share = Self.roundedUp(limit / Self.mostParts + (limit % Self.mostParts > 0 ? 1 : 0), Self.mebibyte)
        let bytes = max(Self.leastBytes, share)
        partBytes = Int(bytes)
        held = max(1, Int(Self.roundedUp(bounds.headBytes, bytes) / bytes))
        // A head is room that is left out, but for its beginning and what stands behind it in its last part.
        let touched = min(2, held)
        let buffers = partBytes * Self.mostBuffers > Self.bufferBytes ? Self.mostBuffers : Self.bufferBytes / partBytes
        inFlight = max(1, min(Self.mostInFlight, buffers - 1 - touched))
    }

    private static func roundedUp(_ bytes: Int64, _ unit: Int64) -> Int64 {
        let count = max(0, bytes)
        return (count / unit + (count % unit > 0 ? 1 : 0)) * unit
    }

    /// What parts may take, those of all outputs of a job together.
    var memoryBytes: Int { max(Self.bufferBytes, partBytes * Self.mostBuffers) }

    /// What is held until the end.
    var heldBytes: Int { partBytes * held }

    /// What fits into all parts together.
    var mostBytes: Int64 { Int64(partBytes) * Self.mostParts }
}
