internal import Model

/// A fixture's `expected.json`: what rendering its edit must give. What is absent is not checked.
package struct Expectation: Codable, Sendable, Equatable {
    package struct Video: Codable, Sendable, Equatable {
        package var width: Int
        package var height: Int
        /// Over all decoded pictures. With floors, another hash is accepted as long as the pictures are alike.
        package var sha256: String?
        /// The render that the pictures are compared with, a file in the fixture's folder.
        package var reference: String?
        /// The least any frame may have, in dB over all planes.
        package var psnrMin: Double?
        package var ssimMin: Double?

        fileprivate enum CodingKeys: String, CodingKey, CaseIterable {
            case width, height, sha256, reference
            case psnrMin = "psnr_min"
            case ssimMin = "ssim_min"
        }
    }

    package struct Audio: Codable, Sendable, Equatable {
        package var sampleRate: Int
        package var channels: Int
        package var durationMs: Double
        package var loudnessLufs: Double?
        package var loudnessToleranceLu: Double?

        fileprivate enum CodingKeys: String, CodingKey, CaseIterable {
            case channels
            case sampleRate = "sample_rate"
            case durationMs = "duration_ms"
            case loudnessLufs = "loudness_lufs"
            case loudnessToleranceLu = "loudness_tolerance_lu"
        }
    }

    /// The code of the failure that is expected instead of an output.
    package var error: String?
    package var frames: Int?
    /// When each frame is shown, in milliseconds.
    package var frameTimesMs: [Double]?
    package var durationMs: Double?
    package var video: Video?
    package var audio: Audio?
    package var sizeBytes: Int64?
    package var sizeTolerancePercent: Double?

    package init() {}

    fileprivate enum CodingKeys: String, CodingKey, CaseIterable {
        case error, frames, video, audio
        case frameTimesMs = "frame_times_ms"
        case durationMs = "duration_ms"
        case sizeBytes = "size_bytes"
        case sizeTolerancePercent = "size_tolerance_percent"
    }
}

/// The fields of an `expected.json` that mean nothing. Misspelt, they would check nothing, so nobody may write them.
struct UnknownFields: Decodable {
    let paths: [String]

    init(from decoder: any Decoder) throws {
        let expectation = try decoder.container(keyedBy: AnyKey.self)
        var paths = Self.unknown(in: expectation, Expectation.CodingKeys.self, at: "")
        if let video = try? expectation.nestedContainer(keyedBy: AnyKey.self, forKey: AnyKey("video")) {
            paths += Self.unknown(in: video, Expectation.Video.CodingKeys.self, at: "video.")
        }
        if let audio = try? expectation.nestedContainer(keyedBy: AnyKey.self, forKey: AnyKey("audio")) {
            paths += Self.unknown(in: audio, Expectation.Audio.CodingKeys.self, at: "audio.")
        }
        self.paths = paths.sorted()
    }

    private static func unknown<Key: CodingKey & CaseIterable>(
        in container: KeyedDecodingContainer<AnyKey>, _ keys: Key.Type, at place: String
    ) -> [String] {
        let known = Set(keys.allCases.map(\.stringValue))
        return container.allKeys.map(\.stringValue).filter { !known.contains($0) }.map { place + $0 }
    }

    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(_ name: String) { stringValue = name }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
