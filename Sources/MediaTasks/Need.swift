internal import Model
internal import WorkerCore

/// What a job is predicted to need, from what its sources are.
struct Need: Equatable {
    var costSeconds: Double
    var memoryBytes: Int64

    /// A process with everything loaded and nothing open.
    private static let baseBytes = 60.0 * 1_048_576
    /// Frames that decoder, filters, look-ahead and encoder hold at `medium`; measured at 1080p and 4K.
    private static let framesHeld = 110.0
    private static let framesPerThread = 17.0
    private static let bytesPerPixel = 1.5

    /// - Parameter caps: memory is never predicted above its cap: the cap decides, not the prediction.
    static func of(_ document: TaskDocument, _ probes: [ProbeReport], _ caps: EffectiveCaps) -> Need {
        let seconds = probes.reduce(0) { $0 + ($1.container.durationSeconds ?? 0) }
        let pixels = probes.flatMap { $0.video }.map { Double($0.width * $0.height) }.max() ?? 0
        let held = pixels * bytesPerPixel * (framesHeld + framesPerThread * Double(caps.threads))
        switch document {
        case .noop, .probe, .download: return Need(costSeconds: 0.1, memoryBytes: Int64(baseBytes))
        case .analysis: return need(seconds * 0.05 * scale(pixels), baseBytes + held / 6, caps)
        case .proxy: return need(seconds * 0.25 * scale(pixels), baseBytes + held / 2, caps)
        case .render: return need(seconds * 0.5 * scale(pixels), baseBytes + held, caps)
        }
    }

    private static func need(_ seconds: Double, _ bytes: Double, _ caps: EffectiveCaps) -> Need {
        Need(costSeconds: max(0.1, seconds), memoryBytes: min(caps.memoryBytes, Int64(bytes)))
    }

    /// Work grows with pixels; 1 at 1080p.
    private static func scale(_ pixels: Double) -> Double { max(0.1, pixels / (1920 * 1080)) }
}
