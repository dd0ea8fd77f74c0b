internal import FoundationEssentials
internal import Media
internal import Model
internal import Planning

/// Everything that a chunk's bytes follow from; what differs in any of it gets objects of its own.
///
/// The boundaries need not be in it: they follow from the plan, the sources and the length that was asked for. Neither
/// is the number of threads: chunks that were encoded with different numbers are a little different in their bytes, and
/// join all the same. (HEVC that was encoded by one thread does not join with HEVC that was by several.)
struct ChunkIdentity: Encodable {
    /// Of the objects and of the rules that boundaries follow from: counted up when either changes.
    private let format = 2
    private let plan: RenderPlan
    private let sourceVersions: [String]
    private let secondsPerChunk: Int
    private let encoder: String
    private let options: [String: String]
    private let library: String

    init(_ plan: RenderPlan, video: VideoPlan, settings: ChunkSettings, threads: Int) throws {
        self.plan = plan.picturesOnly
        (sourceVersions, secondsPerChunk) = (settings.sourceVersions, settings.secondsPerChunk)
        // HEVC's picture parameter set says whether rows of blocks were coded side by side.
        let recipe = try VideoRecipe.settings(
            for: video, timeBase: video.cadence.timeBase, threads: video.codec == .hevc ? min(2, threads) : 1,
            joinable: true)
        (encoder, options, library) = (recipe.encoder, recipe.options, Encoder.libraryVersion)
    }

    func digest() throws -> String { try Digest.ofCanonicalJSON(self) }
}

extension Digest {
    /// SHA-256 of a value's JSON with its keys sorted: 64 hexadecimal digits.
    static func ofCanonicalJSON(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text = Array(try encoder.encode(value))
        var digest = try Digest()
        text.withUnsafeBytes { digest.add($0) }
        return digest.finish()
    }
}
