import Foundation
import Testing

/// How long anything may take on a machine that does much else.
let patience = Duration.seconds(90)

struct NotInTime: Error, CustomStringConvertible {
    let description: String
}

/// Looks again and again until something holds.
func eventually(
    _ what: String, within patience: Duration = patience, _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now.advanced(by: patience)
    while try await !condition() {
        guard ContinuousClock.now < end else { throw NotInTime(description: "not in time: \(what)") }
        try await Task.sleep(for: .milliseconds(20))
    }
}

/// Runs what blocks on a thread of its own.
func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        let thread = Thread { continuation.resume(with: Result { try body() }) }
        thread.stackSize = 1 << 20
        thread.start()
    }
}

/// A list that several tasks add to.
actor Collected<Value: Sendable> {
    private(set) var values: [Value] = []

    func add(_ value: Value) { values.append(value) }
    func add(contentsOf more: [Value]) { values += more }
    var count: Int { values.count }
}
