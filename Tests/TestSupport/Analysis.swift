import Engine
import Foundation
import Media
package import Model

/// Analyses a file, as `reelpool analyze` does.
package func analyze(
    _ path: String, pacing: Int = 50, threads: Int = 1, salvage: Bool = false
) throws -> AnalysisReport {
    LogCapture.install()
    var options = AnalysisOptions()
    options.pacing = pacing
    options.threads = ThreadBudget(total: threads)
    options.salvage = salvage
    return try Analyzer(path: path, options: options, meter: ProgressMeter(), cancellation: Cancellation()).run()
}

/// What is known of `talk.mp4`, in seconds.
package struct TalkTruth: Decodable, Sendable {
    package struct Span: Decodable, Sendable {
        package var start: Double
        package var end: Double
        package var length: Double { end - start }
    }

    package struct Cut: Decodable, Sendable {
        package var time: Double
    }

    package var duration: Double
    package var pauses: [Span]
    package var sentences: [Span]
    package var sceneCuts: [Cut]
    package var black: [Span]

    package static func read() throws -> TalkTruth {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(TalkTruth.self, from: bytes(ofFile: Fixture.media("talk.truth.json")))
    }
}

/// Loudness as the `ffmpeg` command's EBU R 128 meter sums it up.
package struct ReferenceLoudness: Sendable {
    package var integrated: Double?
    package var range: Double?
    package var truePeak: Double?

    package init(_ path: String) throws {
        let result = try Command.run(
            "ffmpeg",
            [
                "-hide_banner", "-nostats", "-nostdin", "-i", path, "-map", "0:a:0", "-af", "ebur128=peak=true", "-f",
                "null", "-",
            ])
        guard result.status == 0, let summary = result.errors.components(separatedBy: "Summary:").last else {
            throw CommandFailure(description: "no loudness of \(path): \(result.errors)")
        }
        func value(_ name: String, _ unit: String) -> Double? {
            summary.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
                .first { $0.hasPrefix("\(name):") && $0.hasSuffix(unit) }
                .flatMap { Double($0.dropFirst(name.count + 1).dropLast(unit.count).filter { $0 != " " }) }
        }
        (integrated, range, truePeak) = (value("I", "LUFS"), value("LRA", "LU"), value("Peak", "dBFS"))
    }
}
