internal import FoundationEssentials
package import Model

/// What a job's process is asked to do. Names stand for what the daemon opens; none is a path.
package struct CodecTask: Codable, Sendable, Equatable {
    package enum Kind: String, Codable, Sendable, CaseIterable { case probe, proxy, render, analysis }

    package struct Source: Codable, Sendable, Equatable {
        /// What reports and messages call it: the uri its owner wrote, not an address.
        package var name: String
        /// `nil` when the store does not tell.
        package var sizeBytes: Int64?
        /// What tells one state of it from another; `nil` when nothing does, or nobody asks.
        package var version: String?

        package init(name: String, sizeBytes: Int64?, version: String? = nil) {
            (self.name, self.sizeBytes, self.version) = (name, sizeBytes, version)
        }
    }

    package var kind: Kind
    /// One; for a render those of the edit, in its order, and behind them chunks that are to be joined.
    package var sources: [Source]
    /// The names that may be written, and no other. For a render one, whose ending names the container where the edit
    /// does not.
    package var outputs: [String]
    /// For decoding, filters and encoding together.
    package var threads: Int
    /// A render's.
    package var edit: EditDocument?
    /// A render's.
    package var mode = RenderMode.auto
    /// A render's that is, or may be, divided.
    package var chunks: ChunkOrder?
    /// An analysis': 0 to 100.
    package var pacing = 50
    /// A proxy's: made of every source, or only of those that browsers cannot play.
    package var proxyOnlyWhenUnplayable = false
    /// Uses what is intact of damaged sources.
    package var salvage = false
    package var maximumPixels: Int64 = 50_000_000
    package var maximumStreams = 64

    package init(kind: Kind, sources: [Source], outputs: [String] = [], threads: Int) {
        (self.kind, self.sources, self.outputs, self.threads) = (kind, sources, outputs, threads)
    }

    /// What a proxy may consist of.
    package static let proxyOutputs = ["proxy.mp4", "audio.mp3", "sprite.jpg", "waveform.json", "poster.jpg"]
}

extension CodecTask {
    package func encoded() throws -> [UInt8] { Array(try JSONEncoder().encode(self)) }

    package init(json: [UInt8]) throws {
        self = try JSONDecoder().decode(CodecTask.self, from: Data(json))
    }
}
