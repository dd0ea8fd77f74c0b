/// What `reelpool analyze` heard and saw. Ranges are half-open, in milliseconds from the container's start.
package struct AnalysisReport: Codable, Sendable, Equatable {
    package struct Range: Codable, Sendable, Equatable {
        package var startMs: Int64
        package var endMs: Int64

        package init(startMs: Int64, endMs: Int64) { (self.startMs, self.endMs) = (startMs, endMs) }
    }

    package struct Speech: Codable, Sendable, Equatable {
        /// Mean power of the whole sound, and the level its quietest tenth stays below; dBFS.
        package var meanLevelDb: Double
        package var noiseFloorDb: Double
        /// What counts as silence stays below this; dBFS.
        package var thresholdDb: Double
        /// Pauses of at least this length are reported.
        package var minimumSilenceMs: Int
        package var silence: [Range]
        package var spoken: [Range]

        package init(
            meanLevelDb: Double, noiseFloorDb: Double, thresholdDb: Double, minimumSilenceMs: Int, silence: [Range],
            spoken: [Range]
        ) {
            (self.meanLevelDb, self.noiseFloorDb, self.thresholdDb) = (meanLevelDb, noiseFloorDb, thresholdDb)
            (self.minimumSilenceMs, self.silence, self.spoken) = (minimumSilenceMs, silence, spoken)
        }
    }

    /// Source: EBU R 128, EBU Tech 3342, ITU-R BS.1770.
    package struct Loudness: Codable, Sendable, Equatable {
        package var integratedLufs: Double?
        package var rangeLu: Double?
        package var truePeakDbtp: Double?

        package init(integratedLufs: Double?, rangeLu: Double?, truePeakDbtp: Double?) {
            (self.integratedLufs, self.rangeLu, self.truePeakDbtp) = (integratedLufs, rangeLu, truePeakDbtp)
        }
    }

    package struct SceneChange: Codable, Sendable, Equatable {
        /// The new scene's first picture.
        package var atMs: Int64
        /// 0 to 100.
        package var score: Double

        package init(atMs: Int64, score: Double) { (self.atMs, self.score) = (atMs, score) }
    }

    package var source: String
    package var durationSeconds: Double
    package var pacing: Int
    package var speech: Speech?
    package var loudness: Loudness?
    package var scenes: [SceneChange]?
    package var black: [Range]?
    /// Ready to render: the source without its pauses.
    package var edit: EditDocument
    package var notes: [String]
    package var damagedPackets: Int
    package var elapsedSeconds: Double
    package var speed: Double

    package init(source: String, pacing: Int, edit: EditDocument) {
        (self.source, self.pacing, self.edit) = (source, pacing, edit)
        (durationSeconds, notes, damagedPackets, elapsedSeconds, speed) = (0, [], 0, 0, 0)
    }
}
