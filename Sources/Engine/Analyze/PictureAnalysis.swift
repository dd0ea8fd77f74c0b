internal import Media
internal import Model

/// Scene changes and black ranges of a source's picture, judged on small grey copies.
final class PictureAnalysis {
    /// scdet's own default: hard cuts score above, movement below.
    private static let sceneThreshold = 10
    /// Shorter black is a blink or a fade's turn.
    private static let shortestBlackSeconds = 0.1

    private let timeBase: Rational
    private var graph: FilterGraph?
    private var format: PictureFormat?
    private var result: Frame
    private(set) var scenes: [AnalysisReport.SceneChange] = []
    private(set) var black: [AnalysisReport.Range] = []
    private var blackStart: Double?

    init(timeBase: Rational) throws {
        self.timeBase = timeBase
        result = try Frame()
    }

    func add(_ picture: VideoFrame) throws {
        let shape = picture.frame.pictureFormat
        if shape != format {
            try finishGraph()
            format = shape
            graph = try FilterGraph(
                "scale=320:-2:flags=fast_bilinear,format=gray,scdet=threshold=\(Self.sceneThreshold),"
                    + "blackdetect=d=\(Self.shortestBlackSeconds):pix_th=0.10",
                video: shape, timeBase: timeBase, threads: 1)
        }
        picture.frame.time = picture.time
        try graph?.push(&picture.frame)
        try read()
    }

    /// - Parameter seconds: when the last picture ends.
    func finish(at seconds: Double) throws {
        try finishGraph()
        if let start = blackStart, seconds - start >= Self.shortestBlackSeconds {
            black.append(.init(startMs: milliseconds(start), endMs: milliseconds(seconds)))
        }
        blackStart = nil
    }

    private func finishGraph() throws {
        guard graph != nil else { return }
        try graph?.finish()
        try read()
    }

    private func read() throws {
        while case .produced? = try graph?.pull(into: &result) {
            let seconds = Double(result.time ?? 0) * timeBase.seconds
            if result.metadata("lavfi.scd.time") != nil,
                let score = result.metadata("lavfi.scd.score").flatMap(Double.init)
            {
                scenes.append(.init(atMs: milliseconds(seconds), score: score))
            }
            if let start = result.metadata("lavfi.black_start").flatMap(Double.init) { blackStart = start }
            if let end = result.metadata("lavfi.black_end").flatMap(Double.init), let start = blackStart {
                black.append(.init(startMs: milliseconds(start), endMs: milliseconds(end)))
                blackStart = nil
            }
        }
    }

    private func milliseconds(_ seconds: Double) -> Int64 { Int64((seconds * 1000).rounded()) }
}
