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
                "\(progressive(set.source)),select='\(frameChoice)',scale=\(sprite.tileWidth):\(sprite.tileHeight):flags=bicubic,format=yuv420p"
        )
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
        // A codec's last frame ends where decoders like.
        let wrong = (0..<min(pixels, waveform.length) - 1).filter { pixel in
            let (low, high) = (Double(waveform.data[2 * pixel]), Double(waveform.data[2 * pixel + 1]))
            let (least, most) = extremes(sound, pixel, waveform.samplesPerPixel)
            return !(least.low - 2...most.low + 2).contains(low) || !(most.high - 2...least.high + 2).contains(high)
        }
        #expect(wrong.isEmpty, "pixels")
    }

    /// The extremes of a pixel's stretch, taken a millisecond wider and a millisecond narrower.
    ///
    /// Containers that count in milliseconds place samples no more exactly than that.
    private static func extremes(
        _ sound: ReferenceAudio, _ pixel: Int, _ size: Int
    ) -> (least: (low: Double, high: Double), most: (low: Double, high: Double)) {
        func look(_ range: Range<Int>) -> (low: Double, high: Double) {
            var (lowest, highest): (Float, Float) = (0, 0)
            for channel in sound.channels {
                for sample in channel[range.clamped(to: 0..<channel.count)] {
                    lowest = min(lowest, sample)
                    highest = max(highest, sample)
                }
            }
            return (128 * Double(max(-1, lowest)), 127 * Double(min(1, highest)))
        }
        let millisecond = sound.sampleRate / 1000 + 1
        let (start, end) = (pixel * size, (pixel + 1) * size)
        return (look(start - millisecond..<end + millisecond), look(start + millisecond..<end - millisecond))
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
        let fitting = fitting(source, width: poster.width, height: poster.height)
        let likeness = try PictureLikeness.decibels(
            file, reference: set.source,
            filters: "\(progressive(set.source)),select='eq(n,\(frame ?? 0))',\(fitting),format=yuv420p")
        #expect(likeness.first ?? 0 >= floor)
    }
}
