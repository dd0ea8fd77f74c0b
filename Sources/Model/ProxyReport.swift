/// What `reelpool proxy` made of one source. Paths are those of the files; absent ones were not made.
package struct ProxyReport: Codable, Sendable, Equatable {
    package enum ProxyMethod: String, Codable, Sendable {
        case encoded
        /// The source met every property already; its packets were copied.
        case remuxed
        /// Browsers play the source, and a proxy was wanted only otherwise.
        case notNeeded = "not_needed"
    }

    package struct Sprite: Codable, Sendable, Equatable {
        package var path: String
        /// Tile n shows the picture at n × this.
        package var secondsPerTile: Int
        package var tiles: Int
        package var columns: Int
        package var rows: Int
        package var tileWidth: Int
        package var tileHeight: Int

        package init(
            path: String, secondsPerTile: Int, tiles: Int, columns: Int, rows: Int, tileWidth: Int, tileHeight: Int
        ) {
            (self.path, self.secondsPerTile, self.tiles) = (path, secondsPerTile, tiles)
            (self.columns, self.rows, self.tileWidth, self.tileHeight) = (columns, rows, tileWidth, tileHeight)
        }
    }

    package struct Picture: Codable, Sendable, Equatable {
        package var path: String
        package var seconds: Double
        package var width: Int
        package var height: Int

        package init(path: String, seconds: Double, width: Int, height: Int) {
            (self.path, self.seconds, self.width, self.height) = (path, seconds, width, height)
        }
    }

    package var source: String
    package var durationSeconds: Double
    package var proxy: String?
    package var proxyMethod: ProxyMethod
    /// Why the source was encoded, copied or left.
    package var proxyReason: String
    /// In the proxy; absent where none was made.
    package var frames: Int?
    /// Whether the proxy has its index before the media, as it should; absent where none was made.
    package var indexFirst: Bool?
    package var audio: String?
    package var waveform: String?
    package var sprite: Sprite?
    package var poster: Picture?
    package var notes: [String]
    package var damagedPackets: Int
    package var elapsedSeconds: Double
    package var speed: Double

    package init(source: String, proxyMethod: ProxyMethod, proxyReason: String) {
        (self.source, self.proxyMethod, self.proxyReason) = (source, proxyMethod, proxyReason)
        (durationSeconds, notes, damagedPackets, elapsedSeconds, speed) = (0, [], 0, 0, 0)
    }
}

/// Peaks for drawing, in the form that audiowaveform writes and peaks.js and wavesurfer.js read.
///
/// Source: audiowaveform, "Data format", version 2.
package struct Waveform: Codable, Sendable, Equatable {
    package var version = 2
    package var channels = 1
    package var sampleRate: Int
    package var samplesPerPixel: Int
    package var bits = 8
    package var length: Int
    /// Lowest and highest sample of each pixel in turn, -128 to 127.
    package var data: [Int8]

    package init(sampleRate: Int, samplesPerPixel: Int, data: [Int8]) {
        (self.sampleRate, self.samplesPerPixel, self.data) = (sampleRate, samplesPerPixel, data)
        length = data.count / 2
    }

    private enum CodingKeys: String, CodingKey {
        case version, channels, bits, length, data
        case sampleRate = "sample_rate"
        case samplesPerPixel = "samples_per_pixel"
    }
}
