internal import WorkerCore

/// How long anything may take on a machine that does much else.
package let patience = Duration.seconds(90)

package struct NotInTime: Error, CustomStringConvertible {
    package let description: String
}

/// Looks again and again until something holds.
package func eventually(
    _ what: String, within patience: Duration = patience, _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now.advanced(by: patience)
    while try await !condition() {
        guard ContinuousClock.now < end else { throw NotInTime(description: "not in time: \(what)") }
        try await Task.sleep(for: .milliseconds(20))
    }
}

/// Runs what blocks on a thread of its own.
package func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await OwnThread.run(named: "test", body)
}

/// A list that several tasks add to.
package actor Collected<Value: Sendable> {
    package private(set) var values: [Value] = []

    package func add(_ value: Value) { values.append(value) }
    package func add(contentsOf more: [Value]) { values += more }
    package init() {}
    package var count: Int { values.count }
}
