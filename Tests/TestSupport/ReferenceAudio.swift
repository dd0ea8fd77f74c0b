import Foundation
package import Model

/// A file's sound as the `ffmpeg` command decodes it, each run of samples where its timestamp puts it.
package struct ReferenceAudio: Sendable {
    package let sampleRate: Int
    /// Sample 0 is the container's start; holes are silent.
    package let channels: [[Float]]

    package var count: Int { channels.first?.count ?? 0 }
    package var seconds: Double { Double(count) / Double(max(1, sampleRate)) }

    /// - Parameter options: for the decoded sound, such as `["-ar", "48000"]`.
    package init(_ path: String, options: [String] = []) throws {
        let raw = FileManager.default.temporaryDirectory.path + "/reelpool-test-\(UUID().uuidString).pcm"
        defer { try? FileManager.default.removeItem(atPath: raw) }
        let common = ["-map", "0:a:0"] + options + ["-c:a", "pcm_f32le"]
        // The picture is read too, because the command counts an MPEG-TS from the first stream that it reads.
        let listing = try Command.output(
            "ffmpeg",
            ["-v", "error", "-nostdin", "-i", path] + common + ["-f", "f32le", raw]
                + common + ["-map", "0:v?", "-c:v", "copy", "-f", "framecrc", "-"])
        let layout = try Self.parse(String(decoding: listing, as: UTF8.self))
        let samples = try Data(contentsOf: URL(fileURLWithPath: raw)).withUnsafeBytes {
            Array($0.bindMemory(to: Float.self))
        }
        guard let width = layout.channels(samples.count) else {
            throw CommandFailure(description: "\(path): the listing and the samples do not match")
        }
        sampleRate = layout.sampleRate
        let length = layout.runs.map { Int($0.start) + $0.count }.max() ?? 0
        var placed = [[Float]](repeating: [Float](repeating: 0, count: max(0, length)), count: width)
        var position = 0
        for run in layout.runs {
            for index in 0..<run.count where Int(run.start) + index >= 0 {
                for channel in 0..<width {
                    placed[channel][Int(run.start) + index] = samples[(position + index) * width + channel]
                }
            }
            position += run.count
        }
        channels = placed
    }

    /// The samples from one time to another, as many as the interval's length rounds to; silent where there are none.
    package func samples(channel: Int, from start: Rational, to end: Rational) -> [Float] {
        let tick = Rational(1, Int64(sampleRate))
        let (first, last) = (Int(start.ticks(in: tick)), Int(end.ticks(in: tick)))
        return (first..<max(first, last)).map { $0 >= 0 && $0 < count ? channels[channel][$0] : 0 }
    }

    /// As above, of every channel.
    package func samples(from start: Rational, to end: Rational) -> [[Float]] {
        channels.indices.map { samples(channel: $0, from: start, to: end) }
    }

    private struct Layout {
        var sampleRate = 0
        var runs: [(start: Int64, count: Int)] = []

        func channels(_ floats: Int) -> Int? {
            let total = runs.reduce(0) { $0 + $1.count }
            return total > 0 && floats % total == 0 ? floats / total : nil
        }
    }

    private static func parse(_ text: String) throws -> Layout {
        var layout = Layout()
        for line in text.split(separator: "\n") {
            if line.hasPrefix("#tb 0: 1/") {
                layout.sampleRate = Int(line.dropFirst(9)) ?? 0
            } else if line.hasPrefix("0,") {
                let fields = line.split(separator: ",").map { $0.filter { $0 != " " } }
                guard fields.count >= 6, let start = Int64(fields[2]), let count = Int(fields[3]) else {
                    throw CommandFailure(description: "no samples in \(line)")
                }
                layout.runs.append((start, count))
            }
        }
        return layout
    }
}

/// Measures on samples.
package enum Sound {
    package static func rootMeanSquare(_ samples: some Collection<Float>) -> Double {
        guard !samples.isEmpty else { return 0 }
        return (samples.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(samples.count)).squareRoot()
    }

    /// How much of a tone is in the samples: the amplitude of the sine of that frequency (Goertzel's algorithm).
    package static func amplitude(of hertz: Double, in samples: some Collection<Float>, rate: Int) -> Double {
        var (real, imaginary) = (0.0, 0.0)
        for (index, sample) in samples.enumerated() {
            let angle = 2 * Double.pi * hertz * Double(index) / Double(rate)
            real += Double(sample) * cos(angle)
            imaginary += Double(sample) * sin(angle)
        }
        return 2 * (real * real + imaginary * imaginary).squareRoot() / Double(max(1, samples.count))
    }

    /// The lag of `heard` behind `expected`, within a limit, at which they match best, and how well, in decibels.
    ///
    /// All channels are judged together: one sine alone fits itself again a period later.
    package static func alignment(
        of heard: [[Float]], to expected: [[Float]], limit: Int
    ) -> (lag: Int, decibels: Double) {
        let count = min(heard.first?.count ?? 0, expected.first?.count ?? 0)
        guard count > 2 * limit, heard.count == expected.count else { return (.max, -.infinity) }
        var errors = [Double](repeating: 0, count: 2 * limit + 1)
        var power = 0.0
        for (heard, expected) in zip(heard, expected) {
            heard.withUnsafeBufferPointer { heard in
                expected.withUnsafeBufferPointer { expected in
                    var place = limit
                    while place < count - limit {
                        power += Double(expected[place] * expected[place])
                        var lag = 0
                        while lag <= 2 * limit {
                            let difference = heard[place + lag - limit] - expected[place]
                            errors[lag] += Double(difference * difference)
                            lag += 1
                        }
                        place += 1
                    }
                }
            }
        }
        let best = errors.indices.min { errors[$0] < errors[$1] } ?? 0
        return (best - limit, errors[best] == 0 ? .infinity : 10 * log10(power / errors[best]))
    }
}
