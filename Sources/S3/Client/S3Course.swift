internal import WorkerCore

/// The tries of one call: how many there were, and for how long there may be more.
struct S3Course {
    private let settings: S3ClientSettings
    private let deadline: Double
    let stallSeconds: Int
    private var tries = 0
    /// Whether a try may have done its work although it brought no answer.
    private(set) var isUnclear = false
    /// Requests are signed anew with the store's time once.
    var hasCorrectedTime = false

    /// - Parameter bytes: to be moved.
    init(_ settings: S3ClientSettings, bytes: Int = 0) {
        self.settings = settings
        let moving = Double(bytes) / Double(settings.slowestBytesPerSecond)
        deadline = settings.clock.steadySeconds() + settings.totalSeconds + moving
        stallSeconds = settings.stallSeconds
    }

    /// For what a store may think about for long without a word.
    init(patient settings: S3ClientSettings) {
        self.settings = settings
        deadline = settings.clock.steadySeconds() + settings.completeSeconds
        stallSeconds = Int(settings.completeSeconds)
    }

    var secondsLeft: Double { max(0.001, deadline - settings.clock.steadySeconds()) }

    /// - Returns: how long to wait before the next try; `nil` if there is to be none.
    mutating func pause(after setback: Setback) -> Double? {
        tries += 1
        if setback.isUnclear { isUnclear = true }
        guard setback.isTransient, tries < settings.tries else { return nil }
        let jittered = settings.backoff.pauseSeconds(afterAttempt: tries, unit: settings.clock.unit())
        let pause = max(jittered, min(setback.retryAfterSeconds ?? 0, settings.backoff.capSeconds))
        return pause < secondsLeft ? pause : nil
    }
}

/// A try that went wrong.
struct Setback: Error {
    var error: S3Error
    var isTransient: Bool
    /// The store may have done what it was asked.
    var isUnclear: Bool
    var retryAfterSeconds: Double?
    /// The store's clock shows something else than the request: it is worth signing it anew.
    var isWrongTime = false
}
