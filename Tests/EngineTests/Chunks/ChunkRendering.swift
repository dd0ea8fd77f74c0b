import Engine
import Foundation
import Lettering
import Media
import Model
import TestSupport
import Testing

/// Renders in chunks that are kept in a folder.
struct ChunkRendering {
    /// Groups of one second, so that short sources have several chunks.
    static let lossless =
        #"{"video":{"crf":0,"preset":"ultrafast","keyframe_interval_s":1},"audio":{"bitrate_kbps":256}}"#

    var folder: String
    var seconds = 1
    var threads = 1
    var keeps = false
    var versions: [String] = ["1", "1", "1"]

    /// - Parameter frame: told how many frames are done; may stop the render.
    @discardableResult
    func run(
        _ json: String, to output: String, cancellation: Cancellation = Cancellation(),
        frame: @escaping (Int) -> Void = { _ in }
    ) throws -> RenderReport {
        LogCapture.install()
        let document = try EditDocument(json: Data(json.utf8))
        var options = RenderOptions()
        options.threads = ThreadBudget(total: threads)
        options.mode = .full
        if document.captions != nil { options.fonts = InstalledFonts.read() }
        var settings = ChunkSettings(
            store: LocalChunks(folder: folder), sourceVersions: Array(versions.prefix(document.sources.count)))
        (settings.secondsPerChunk, settings.keepsChunks) = (seconds, keeps)
        options.chunks = settings
        return try Renderer(
            document, paths: document.sources.map(\.uri), output: output, options: options,
            meter: ProgressMeter(minimumInterval: 0, report: { frame($0.frames) }), cancellation: cancellation
        ).run()
    }

    /// The stored chunks' files, by their numbers.
    func objects() throws -> [(number: Int, path: String)] {
        guard FileManager.default.fileExists(atPath: folder) else { return [] }
        var found: [(number: Int, path: String)] = []
        for digest in try contents(ofFolder: folder) {
            for name in try contents(ofFolder: "\(folder)/\(digest)") {
                if let number = Int(name) { found.append((number, "\(folder)/\(digest)/\(name)")) }
            }
        }
        return found.sorted { $0.number < $1.number }
    }
}
