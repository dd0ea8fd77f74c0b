internal import Foundation
package import Model
internal import TestSupport

/// The unchanged clients of PyPI, as a back end uses them.
package enum PythonClient: String {
    case taskiq = "taskiq_client.py"
    case celery = "celery_client.py"

    /// Sends requests, and returns what came back, by the tasks' ids.
    package func send(
        _ requests: [JSONValue], queue: String, options: [String] = []
    ) async throws -> [String: JSONValue] {
        let file = FileManager.default.temporaryDirectory.path + "/\(queue).requests"
        try requests.map(\.text).joined(separator: "\n").write(toFile: file, atomically: false, encoding: .utf8)
        let output = try await run(queue: queue, options: options + ["--requests", file])
        try FileManager.default.removeItem(atPath: file)
        var answers: [String: JSONValue] = [:]
        for line in output.split(separator: "\n") {
            let answer = try JSONValue(parsing: String(line))
            answers[answer["id"]?.stringValue ?? ""] = answer
        }
        return answers
    }

    /// Only lets the client declare what it declares.
    package func declare(queue: String, options: [String] = []) async throws {
        _ = try await run(queue: queue, options: options)
    }

    private func run(queue: String, options: [String]) async throws -> String {
        let words =
            [
                "\(Fixture.repository)/Fixtures/clients/\(rawValue)", "--amqp", Servers.shared.rabbitURL, "--redis",
                Servers.shared.redisURL, "--queue", queue,
            ] + options
        let python = Servers.python ?? "python3"
        return try await blocking { String(decoding: try Command.output(python, words), as: UTF8.self) }
    }
}
