import Foundation
import Model
import TestSupport
import Testing

/// What the pictures and the waveform beside a proxy promise.
extension ProxyPromises {
    /// A sheet of the promised geometry whose tile n shows what is on the screen at n × seconds_per_tile.
    static func checkSprite(_ set: ProxySet, floor: Double = 24) throws {
        let sprite = try #require(set.report.sprite)
        let sheet = try #require(try ProbedFile(set.file("sprite.jpg")).video)
        #expect(sheet.width == sprite.columns * sprite.tileWidth)
        #expect((sheet.height ?? 0) >= sprite.rows * sprite.tileHeight)
        #expect(sprite.rows == (sprite.tiles + sprite.columns - 1) / sprite.columns)
        #expect(sheet.height == sprite.rows * sprite.tileHeight, "rows of the sheet")

        let source = try ReferenceVideo(set.source)
        let wanted = (0..<sprite.tiles).map { tile in
            shownFrame(of: source, at: Rational(Int64(tile * sprite.secondsPerTile)))
        }
        let end = source.end.seconds
        #expect(Double(sprite.tiles * sprite.secondsPerTile) >= end - 0.05, "the sheet ends before the source")
        #expect(Double((sprite.tiles - 1) * sprite.secondsPerTile) < end + 0.05, "tiles beyond the end")
        let likeness = try tileLikeness(set, sprite, frames: wanted)
        #expect(likeness.count == Set(wanted).count)
        #expect((likeness.min() ?? 0) >= floor, "tiles \(likeness)")
    }

    /// The last frame at or before a time; the first one before it begins.
    static func shownFrame(of source: ReferenceVideo, at time: Rational) -> Int {
        source.times.lastIndex { $0 <= time } ?? 0
    }

    private static func tileLikeness(_ set: ProxySet, _ sprite: ProxyReport.Sprite, frames: [Int]) throws -> [Double] {
        // A slow source shows one frame on several tiles; one tile of each is looked at.
        let tiles = frames.indices.filter { frames.firstIndex(of: frames[$0]) == $0 }
        let tileChoice = tiles.map { "eq(n,\($0))" }.joined(separator: "+")
        let frameChoice = tiles.map { "eq(n,\(frames[$0]))" }.joined(separator: "+")
        let sheet = "\(set.folder)/tiles.mkv"
        defer { try? FileManager.default.removeItem(atPath: sheet) }
        _ = try Command.output(
            "ffmpeg",
            [
                "-v", "error", "-nostdin", "-i", set.file("sprite.jpg"), "-vf",
                "untile=\(sprite.columns)x\(sprite.rows),select='\(tileChoice)',setpts=N", "-fps_mode", "passthrough",
                "-c:v", "ffv1", sheet,
            ])
        return try PictureLikeness.decibels(
            sheet, reference: set.source,
            filters:
                "select='\(frameChoice)',scale=\(sprite.tileWidth):\(sprite.tileHeight):flags=bicubic,format=yuv420p")
    }

    /// audiowaveform's form, each pixel the lowest and highest sample of its stretch.
    static func checkWaveform(_ set: ProxySet) throws {
        let data = try bytes(ofFile: set.file("waveform.json"))
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(
            Set(object.keys) == ["version", "channels", "sample_rate", "samples_per_pixel", "bits", "length", "data"])
        let waveform = try JSONDecoder().decode(Waveform.self, from: data)
        #expect(waveform.version == 2 && waveform.channels == 1 && waveform.bits == 8)
        #expect(waveform.data.count == 2 * waveform.length)

        // A proxy that was copied leaves the sound for transcription to draw from.
        let channels = set.report.proxyMethod == .encoded ? try ProbedFile(set.proxy).audio?.channels ?? 1 : 1
        let sound = try ReferenceAudio(
            set.source, options: ["-ac", "\(channels)", "-ar", "\(waveform.sampleRate)"])
        let pixels = (sound.count + waveform.samplesPerPixel - 1) / waveform.samplesPerPixel
        #expect(abs(waveform.length - pixels) <= 1, "\(waveform.length) pixels for \(pixels)")
        let worst = (0..<min(pixels, waveform.length)).map { pixel in
            let (lowest, highest) = extremes(sound, pixel, waveform.samplesPerPixel)
            return max(
                abs(Double(waveform.data[2 * pixel]) - 128 * lowest),
                abs(Double(waveform.data[2 * pixel + 1]) - 127 * highest))
        }
        // A codec's last frame ends where decoders like.
        #expect(worst.dropLast().max() ?? 0 <= 2, "pixel \(worst.firstIndex { $0 > 2 } ?? -1)")
    }

    private static func extremes(_ sound: ReferenceAudio, _ pixel: Int, _ size: Int) -> (Double, Double) {
        var (lowest, highest): (Float, Float) = (0, 0)
        let range = pixel * size..<min(sound.count, (pixel + 1) * size)
        for channel in sound.channels {
            for sample in channel[range] {
                lowest = min(lowest, sample)
                highest = max(highest, sample)
            }
        }
        return (Double(max(-1, lowest)), Double(min(1, highest)))
    }

    /// A picture of the source at the time it tells, of the proxy's size and not black.
    static func checkPoster(_ set: ProxySet, floor: Double = 28) throws {
        let poster = try #require(set.report.poster)
        let file = set.file("poster.jpg")
        let picture = try #require(try ProbedFile(file).video)
        #expect(picture.width == poster.width && picture.height == poster.height)
        #expect(try PictureLikeness.statistic("YAVG", of: file).first ?? 0 > 40)
        let source = try ReferenceVideo(set.source)
        let frame = source.times.indices.min {
            abs(source.times[$0].seconds - poster.seconds) < abs(source.times[$1].seconds - poster.seconds)
        }
        let likeness = try PictureLikeness.decibels(
            file, reference: set.source,
            filters:
                "select='eq(n,\(frame ?? 0))',scale=\(poster.width):\(poster.height):flags=bicubic,format=yuv420p")
        #expect(likeness.first ?? 0 >= floor)
    }
}
