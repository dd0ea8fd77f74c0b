import Engine
import Foundation
import Lettering
import Media
package import Model

/// An edit's JSON, put together by hand so that tests go the way every edit goes.
package enum EditText {
    /// H.264 without loss, so that what comes out can be compared with what went in, bit by bit.
    package static let lossless = #"{"video":{"crf":0,"preset":"ultrafast"},"audio":{"bitrate_kbps":256}}"#

    package static func timeline(
        _ ranges: [(start: Rational, end: Rational?)], of path: String, output: String = lossless,
        settings: String? = nil, layers: String? = nil
    ) -> String {
        timeline(
            ranges.map { (0, $0.start, $0.end) }, sources: [path], output: output, settings: settings, layers: layers)
    }

    package static func timeline(
        _ ranges: [(source: Int, start: Rational, end: Rational?)], sources: [String], output: String = lossless,
        settings: String? = nil, layers: String? = nil
    ) -> String {
        let entries = ranges.map { range in
            #"{"source":"s\#(range.source)","start":\#(time(range.start))"#
                + (range.end.map { #","end":\#(time($0))"# } ?? "") + "}"
        }
        return document(
            sources, #""timeline":[\#(entries.joined(separator: ","))]"#, output: output, settings: settings,
            layers: layers)
    }

    package static func edits(
        _ operations: String, of sources: [String], output: String = lossless, settings: String? = nil,
        layers: String? = nil
    ) -> String {
        document(sources, #""edits":[\#(operations)]"#, output: output, settings: settings, layers: layers)
    }

    /// An exact time.
    package static func time(_ seconds: Rational) -> String {
        #"{"value":\#(seconds.numerator),"rate":\#(seconds.denominator)}"#
    }

    /// - Parameter layers: captions and overlays, as fields of the document.
    private static func document(
        _ sources: [String], _ programme: String, output: String, settings: String?, layers: String?
    ) -> String {
        let list = sources.enumerated().map { #"{"id":"s\#($0)","uri":"\#($1)"}"# }.joined(separator: ",")
        let extra = (settings.map { #","settings":\#($0)"# } ?? "") + (layers.map { "," + $0 } ?? "")
        return #"{"sources":[\#(list)],\#(programme),"output":\#(output)\#(extra)}"#
    }
}

/// Renders an edit whose sources are absolute paths; by itself it encodes everything.
@discardableResult
package func render(
    _ json: String, to output: String, threads: Int = 1, salvage: Bool = false, mode: RenderMode = .full
) throws -> RenderReport {
    LogCapture.install()
    let document = try EditDocument(json: Data(json.utf8))
    var options = RenderOptions()
    options.threads = ThreadBudget(total: threads)
    options.salvage = salvage
    options.mode = mode
    if document.captions != nil { options.fonts = InstalledFonts.read() }
    return try Renderer(
        document, paths: document.sources.map(\.uri), output: output, options: options, meter: ProgressMeter(),
        cancellation: Cancellation()
    ).run()
}

/// The failure that a throwing call ends in, as its caller is told; `nil` when it does not fail.
package func failure(of body: () throws -> Void) -> Failure? {
    do {
        try body()
        return nil
    } catch {
        return Failure(error)
    }
}
