import Foundation
import Model
import PoolTestSupport
import TestSupport

/// A daemon of its own for one test, with an interface to talk to and folders to work in.
struct RunningPool: Sendable {
    static let token = "dj38-dk20-sl49-qm17"

    let folder: String
    let daemon: DaemonProcess
    private let log: String

    var out: String { "\(folder)/out" }

    /// - Parameter settings: environment variables besides those that every test needs.
    static func with(
        _ settings: [String: String] = [:], command: [String] = ["worker"],
        _ body: (RunningPool) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/reelpool-daemon-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: "\(folder)/out", withIntermediateDirectories: true)
        let pool = RunningPool(folder, settings, command)
        do {
            try pool.daemon.start()
            try await eventually("the daemon answers") { (try? await pool.get("/livez").status) == 200 }
            try await body(pool)
        } catch {
            await pool.daemon.stop()
            let lines = (try? String(contentsOfFile: pool.log, encoding: .utf8)) ?? ""
            try? FileManager.default.removeItem(atPath: folder)
            throw DaemonTestError(description: "\(error)\n\(lines.suffix(4000))")
        }
        await pool.daemon.stop()
        try FileManager.default.removeItem(atPath: folder)
    }

    private init(_ folder: String, _ settings: [String: String], _ command: [String]) {
        self.folder = folder
        log = "\(folder)/log.jsonl"
        let environment = [
            "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "TMPDIR": folder,
            "REELPOOL_NAME": "box",
            "REELPOOL_DATABASE": "sqlite:\(folder)/jobs.db", "REELPOOL_HTTP_PORT": "0", "REELPOOL_SLOTS": "2",
            "REELPOOL_API_TOKEN": Self.token, "REELPOOL_MEMORY": "4g", "RENDER_MEMORY": "1g", "PROXY_MEMORY": "1g",
            "ANALYSIS_MEMORY": "1g", "RENDER_FFMPEG_THREADS": "1",
            "REELPOOL_ALLOW_LOCAL": "\(Fixture.repository)/Fixtures,\(folder)/out",
        ].merging(settings) { $1 }
        let program = (Fixture.program as NSString).deletingLastPathComponent + "/reelpoold"
        daemon = DaemonProcess(program: program, arguments: command, environment: environment, log: log)
    }

    /// What the daemon has logged, line by line.
    func logged() throws -> [JSONValue] {
        try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").map {
            try JSONValue(parsing: String($0))
        }
    }

    // MARK: The interface

    struct Answer: Sendable {
        var status: Int
        var body: String
        var json: JSONValue { (try? JSONValue(parsing: body)) ?? .null }
    }

    /// The port of the latest start.
    func port() throws -> Int {
        let ports = try logged().compactMap {
            $0["message"]?.stringValue == "listening" ? $0["port"]?.stringValue : nil
        }
        guard let port = ports.last.flatMap(Int.init) else {
            throw DaemonTestError(description: "it does not listen")
        }
        return port
    }

    func url() throws -> String { "http://127.0.0.1:\(try port())" }

    func get(_ path: String, token: String? = token) async throws -> Answer {
        try await call("GET", path, token: token)
    }

    func post(_ path: String, _ body: JSONValue = [:], headers: [String] = []) async throws -> Answer {
        try await call("POST", path, body: body, headers: headers)
    }

    func call(
        _ method: String, _ path: String, body: JSONValue? = nil, headers: [String] = [], token: String? = token
    ) async throws -> Answer {
        var words = [
            "-s", "--max-time", "60", "-X", method, "-w", "\n%{http_code}", try url() + path,
        ]
        if let token { words += ["-H", "Authorization: Bearer \(token)"] }
        for header in headers { words += ["-H", header] }
        if let body { words += ["-H", "Content-Type: application/json", "--data-binary", body.text] }
        let arguments = words
        let text = try await blocking { String(decoding: try Command.output("curl", arguments), as: UTF8.self) }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return Answer(
            status: Int(lines.last ?? "") ?? 0,
            body: lines.dropLast().joined(separator: "\n").trimmingCharacters(in: .newlines))
    }

    /// Every event of a job until it has ended.
    func events(of id: String) async throws -> [(name: String, data: JSONValue)] {
        let words = [
            "-sN", "--max-time", "120", "-H", "Authorization: Bearer \(Self.token)",
            try url() + "/v1/jobs/\(id)/events",
        ]
        let text = try await blocking { String(decoding: try Command.output("curl", words), as: UTF8.self) }
        return try text.components(separatedBy: "\n\n").compactMap { block in
            let lines = block.split(separator: "\n")
            guard lines.count == 2, lines[0].hasPrefix("event: "), lines[1].hasPrefix("data: ") else { return nil }
            return (String(lines[0].dropFirst(7)), try JSONValue(parsing: String(lines[1].dropFirst(6))))
        }
    }

    // MARK: Jobs

    func submit(_ kind: String, _ payload: JSONValue, _ more: [String: JSONValue] = [:]) async throws -> String {
        let members = ["kind": .string(kind), "owner": "tester", "payload": payload].merging(more) { $1 }
        let answer = try await post("/v1/jobs", .object(members))
        guard answer.status == 201, let id = answer.json["id"]?.stringValue else {
            throw DaemonTestError(description: "refused with \(answer.status): \(answer.body)")
        }
        return id
    }

    func job(_ id: String) async throws -> JSONValue { try await get("/v1/jobs/\(id)").json }

    func state(_ id: String) async throws -> String { try await job(id)["state"]?.stringValue ?? "none" }

    func end(of id: String) async throws -> JSONValue {
        var job = JSONValue.null
        try await eventually("\(id) ends") {
            job = try await self.job(id)
            return ["succeeded", "failed", "cancelled", "dead"].contains(job["state"]?.stringValue)
        }
        return job
    }

    /// The processes that jobs run in; not the template.
    func children() -> [Int32] {
        guard let parent = daemon.pid else { return [] }
        let own = ProcessEntry.all.filter { $0.parent == parent && !$0.isDead }.map(\.identifier)
        // The template started with the daemon, before any job did.
        return Array(own.dropFirst())
    }

    /// An edit that takes some seconds at least: a recording again and again.
    static func longEdit(minutes: Int) -> JSONValue {
        let range: JSONValue = ["source": "a", "start_ms": 0, "end_ms": 20_000]
        return [
            "sources": [["id": "a", "uri": .string(Fixture.media("talk.mp4"))]],
            "timeline": .array(Array(repeating: range, count: 3 * minutes)),
            // Its pictures have to be encoded.
            "output": ["video": ["keyframe_interval_s": 3]],
        ]
    }
}

struct DaemonTestError: Error, CustomStringConvertible { let description: String }
