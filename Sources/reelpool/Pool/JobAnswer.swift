internal import FoundationEssentials
internal import Model

/// A job as the service shows it, as far as people look at it.
struct JobAnswer: Sendable {
    let json: JSONValue

    init(_ json: JSONValue) { self.json = json }

    private func text(_ name: String) -> String { json[name]?.stringValue ?? "" }

    var id: String { text("id") }
    var kind: String { text("kind") }
    var owner: String { text("owner") }
    var state: String { text("state") }
    var worker: String { text("worker") }
    var attempt: Int64 { json["attempt"]?.integerValue ?? 0 }
    var maxAttempts: Int64 { json["max_attempts"]?.integerValue ?? 0 }
    var hasEnded: Bool { ["succeeded", "failed", "cancelled", "dead"].contains(state) }
    var hasSucceeded: Bool { state == "succeeded" }

    var failure: Failure? { Self.failure(json["failure"]) }

    static func failure(_ json: JSONValue?) -> Failure? {
        guard let json, let message = json["message"]?.stringValue else { return nil }
        // A newer service may know codes that this program does not.
        let code = json["code"]?.stringValue.flatMap(FailureCode.init(rawValue:)) ?? .internalFault
        return Failure(code: code, message: message)
    }

    /// What a command ends with that waited for this job.
    var exitStatus: Int32 {
        if hasSucceeded { return 0 }
        if state == "cancelled" { return FailureCategory.cancelled.exitStatus }
        return (failure?.category ?? .internalFault).exitStatus
    }

    /// Of its last attempt.
    var seconds: Double? {
        guard let start = Instant.parse(json["started_at"]), let end = Instant.parse(json["finished_at"]) else {
            return nil
        }
        return max(0, end.timeIntervalSince(start))
    }
}

/// Points in time of the service, for people.
enum Instant {
    static func parse(_ json: JSONValue?) -> Date? {
        json?.stringValue.flatMap { try? Date($0, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)) }
    }

    /// Such as `3 min`; nothing for what is not set.
    static func age(_ json: JSONValue?, now: Date = Date()) -> String {
        parse(json).map { span(now.timeIntervalSince($0)) } ?? ""
    }

    static func span(_ seconds: Double) -> String {
        let whole = Int(max(0, seconds))
        switch whole {
        case ..<60: return "\(whole) s"
        case ..<3600: return "\(whole / 60) min"
        case ..<172_800: return "\(whole / 3600) h"
        default: return "\(whole / 86_400) d"
        }
    }
}
