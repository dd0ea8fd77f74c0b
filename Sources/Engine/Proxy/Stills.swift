internal import Media
internal import Model

/// One file out of one picture.
enum StillPicture {
    /// libjpeg's quality 90 or so.
    private static let quantiser = 3

    /// Source: ITU-T T.81; full-range 4:2:0 as JFIF has it.
    static func encodeJPEG(_ frame: borrowing Frame) throws -> [UInt8] {
        var settings = settings("mjpeg", frame, .yuvj420p)
        settings.fixedQuantiser = quantiser
        settings.color = ColorTags(range: "pc")
        return try encode(frame, settings)
    }

    /// - Parameter frame: in 24-bit RGB.
    static func encodePNG(_ frame: borrowing Frame) throws -> [UInt8] {
        try encode(frame, settings("png", frame, .rgb24))
    }

    private static func settings(
        _ encoder: String, _ frame: borrowing Frame, _ format: PixelFormat
    ) -> VideoEncoderSettings {
        var settings = VideoEncoderSettings(
            encoder: encoder, width: frame.width, height: frame.height, pixelFormat: format, timeBase: Rational(1, 25))
        settings.globalHeader = false
        return settings
    }

    private static func encode(_ frame: borrowing Frame, _ settings: VideoEncoderSettings) throws -> [UInt8] {
        var encoder = try Encoder(video: settings)
        frame.time = 0
        frame.requestKeyframe(false)
        try encoder.send(frame)
        try encoder.finish()
        var packet = try Packet()
        guard case .produced = try encoder.receive(into: &packet) else {
            throw EngineError(.internalFault, "the \(settings.encoder) encoder gave nothing")
        }
        return Array(packet.bytes)
    }

    /// The picture in the range that JPEG has, at the same size.
    static func fullRange(_ frame: borrowing Frame) throws -> Frame {
        let copy = try Frame.picture(width: frame.width, height: frame.height, format: .yuvj420p)
        let scaler = try Scaler(
            width: frame.width, height: frame.height, format: frame.pictureFormat.pixelFormat, toWidth: frame.width,
            toHeight: frame.height, toFormat: .yuvj420p)
        try scaler.scale(frame, into: copy, x: 0, y: 0)
        return copy
    }
}

/// Small pictures at even distances on one sheet, for scrubbing.
final class SpriteSheet {
    /// A sheet of 10 × 10 tiles of 160 pixels' longer side is 1600 pixels wide and some 100 kB.
    private static let maximumTiles = 100
    private static let columns = 10
    private static let longSide = 160

    let secondsPerTile: Int
    let tileWidth: Int
    let tileHeight: Int
    private(set) var tiles = 0
    private let sheet: Frame
    private let capacity: Int
    private let columns: Int
    private var scaler: Scaler?

    /// - Parameters:
    ///   - duration: in seconds; decides how far apart tiles are.
    ///   - width, height: of the pictures that will be added.
    init(duration: Double, width: Int, height: Int) throws {
        let seconds = max(1, duration)
        secondsPerTile = max(1, Int((seconds / Double(Self.maximumTiles)).rounded(.up)))
        capacity = min(Self.maximumTiles, max(1, Int((seconds / Double(secondsPerTile)).rounded(.up))))
        columns = min(Self.columns, capacity)
        let factor = Double(Self.longSide) / Double(max(width, height))
        tileWidth = max(2, Int((Double(width) * factor / 2).rounded()) * 2)
        tileHeight = max(2, Int((Double(height) * factor / 2).rounded()) * 2)
        let rows = (capacity + columns - 1) / columns
        sheet = try Frame.black(
            width: columns * tileWidth, height: rows * tileHeight, format: .yuvj420p, fullRange: true)
    }

    var rows: Int { (max(1, tiles) + columns - 1) / columns }
    var columnCount: Int { columns }
    /// When the next tile is due, in seconds; `nil` when the sheet is full.
    var nextSeconds: Double? { tiles < capacity ? Double(tiles * secondsPerTile) : nil }

    func add(_ frame: borrowing Frame) throws {
        if scaler == nil {
            scaler = try Scaler(
                width: frame.width, height: frame.height, format: frame.pictureFormat.pixelFormat, toWidth: tileWidth,
                toHeight: tileHeight, toFormat: .yuvj420p)
        }
        try scaler?.scale(frame, into: sheet, x: tiles % columns * tileWidth, y: tiles / columns * tileHeight)
        tiles += 1
    }

    func encode() throws -> [UInt8] { try StillPicture.encodeJPEG(sheet) }
}

/// Chooses the picture that stands for a recording: the first that is not nearly black, some way in.
struct PosterChoice: ~Copyable {
    /// Mean luma (of 255) below which a picture says nothing.
    private static let darkness = 40.0

    private let earliestSeconds: Double
    private var chosen: VideoFrame?
    private(set) var seconds = 0.0
    private var isGood = false

    init(duration: Double) { earliestSeconds = min(5, duration * 0.1) }

    /// Whether another picture could still be better.
    var isOpen: Bool { !isGood }

    mutating func consider(_ frame: borrowing Frame, at time: Double) throws {
        guard !isGood else { return }
        let isLit = Self.meanLuma(frame) >= Self.darkness
        guard chosen == nil || isLit else { return }
        chosen = try VideoFrame(frame.reference(), time: 0)
        seconds = time
        isGood = isLit && time >= earliestSeconds
    }

    func encode() throws -> (bytes: [UInt8], width: Int, height: Int)? {
        guard let chosen else { return nil }
        let bytes = try StillPicture.encodeJPEG(StillPicture.fullRange(chosen.frame))
        return (bytes, chosen.frame.width, chosen.frame.height)
    }

    /// Over every eighth row and column.
    private static func meanLuma(_ frame: borrowing Frame) -> Double {
        guard let plane = frame.plane(0) else { return 0 }
        var (sum, count) = (0, 0)
        for y in stride(from: 0, to: frame.height, by: 8) {
            for x in stride(from: 0, to: frame.width, by: 8) {
                sum += Int(plane.base[y * plane.stride + x])
                count += 1
            }
        }
        return count == 0 ? 0 : Double(sum) / Double(count)
    }
}
