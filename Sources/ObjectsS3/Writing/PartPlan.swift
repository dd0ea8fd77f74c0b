package import WorkerCore

/// How an output is cut into parts, decided before its first byte: they are equal, as Cloudflare R2 wants them, and
/// there are at most as many as stores take. Source: AWS, "Amazon S3 multipart upload limits".
package struct PartPlan: Sendable, Equatable {
    private static let mostParts: Int64 = 10_000
    private static let leastBytes: Int64 = 8 << 20
    private static let mebibyte: Int64 = 1 << 20
    /// For outputs of up to 150 GiB.
    private static let bufferBytes = 64 << 20
    private static let mostInFlight = 3

    /// All parts but the last, which may be smaller.
    package let partBytes: Int
    /// Parts that leave at a time. Besides them the first is in memory, and the one that is being filled.
    package let inFlight: Int

    package init(_ bounds: OutputBounds) {
        let limit = max(0, bounds.limitBytes)
        let share = limit / Self.mostParts + (limit % Self.mostParts > 0 ? 1 : 0)
        let least = [Self.leastBytes, Self.roundedUp(bounds.headBytes), Self.roundedUp(share)].max() ?? 0
        partBytes = Int(least)
        let fitting = Self.bufferBytes / partBytes
        // Parts of this size belong to outputs beyond what the memory is meant for.
        let buffers = Self.roundedUp(share) > Int64(Self.bufferBytes / 4) ? 4 : max(3, fitting)
        inFlight = min(Self.mostInFlight, buffers - 2)
    }

    private static func roundedUp(_ bytes: Int64) -> Int64 {
        let count = max(0, bytes)
        return (count / mebibyte + (count % mebibyte > 0 ? 1 : 0)) * mebibyte
    }

    /// What parts may take, those of all outputs of a job together.
    var memoryBytes: Int { max(Self.bufferBytes, partBytes * (inFlight + 2)) }

    /// What fits into all parts together.
    var mostBytes: Int64 { Int64(partBytes) * Self.mostParts }
}
