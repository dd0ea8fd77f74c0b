import Envelopes
import Foundation
import Logging
import Model
import SQLStore
import StoreSQLite
import Synchronization
import TestSupport
import Testing
import Webhooks
import WorkerCore

let secret = "a-secret-for-tests-90b2"

/// What `Tests/HTTPServer` has heard.
struct Heard {
    struct Item {
        var target: String
        var headers: [String: String]
        var body: String

        func json() throws -> JSONValue { try JSONValue(parsing: body) }
    }

    var items: [Item]
    var most: Int

    init(_ server: HTTPTestServer) throws {
        let json = try JSONValue(parsing: try server.get("/received"))
        most = Int(json["most"]?.integerValue ?? 0)
        items = (json["received"]?.arrayValue ?? []).map { item in
            Item(
                target: item["target"]?.stringValue ?? "",
                headers: (item["headers"]?.objectValue ?? [:]).compactMapValues(\.stringValue),
                body: item["body"]?.stringValue ?? "")
        }
    }

    subscript(_ target: String) -> [Item] { items.filter { $0.target == target } }
}

/// Looks again and again until something holds.
func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
    let end = ContinuousClock.now.advanced(by: .seconds(90))
    while try await !condition() {
        guard ContinuousClock.now < end else { throw CommandFailure(description: "not in time: \(what)") }
        try await Task.sleep(for: .milliseconds(20))
    }
}

/// A real store and the relay that delivers out of it.
struct RelayUnderTest: Sendable {
    let store: SQLJobStore
    let file: String
    let dropped = Dropped()

    /// Log lines of webhooks that were given up.
    final class Dropped: Sendable {
        private let lines = Mutex<[String]>([])
        func add(_ line: String) { lines.withLock { $0.append(line) } }
        var all: [String] { lines.withLock { $0 } }
    }

    static func with(
        hosts: [String] = ["127.0.0.1"], patience: WebhookPatience? = nil,
        _ body: (RelayUnderTest) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/reelpool-webhooks-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let policy = StorePolicy(
            ownerLimits: [:], backoff: Backoff(baseSeconds: 1, capSeconds: 1),
            noticesOfEnded: WebhookNotice.notices(ofEnded:))
        let store = SQLJobStore(try SQLiteDatabase(path: "\(folder)/jobs.db"), policy: policy)
        try await store.migrate()
        let test = RelayUnderTest(store: store, file: "\(folder)/jobs.db")
        let sender = WebhookSender(
            secret: secret, rules: WebhookRules(privateHosts: hosts), userAgent: "reelpool/test",
            clock: { Int64(Date().timeIntervalSince1970) })
        var quick = WebhookPatience()
        (quick.shortestPauseSeconds, quick.longestPauseSeconds) = (0.05, 0.2)
        let log = Logger(label: "test") { [dropped = test.dropped] _ in DropLog(dropped: dropped) }
        let relay = WebhookRelay(store: store, sender: sender, patience: patience ?? quick, log: log)
        let work = Task { await relay.run() }
        do {
            try await body(test)
        } catch {
            work.cancel()
            await work.value
            await store.close()
            throw error
        }
        work.cancel()
        await work.value
        await store.close()
    }

    /// Jobs that end at once, each with a webhook.
    @discardableResult
    func end(
        _ url: String, count: Int = 1, as outcome: AttemptEnding.Outcome = .succeeded(#"{"a":"ü\n"}"#)
    ) async throws
        -> [JobID]
    {
        var jobs: [NewJob] = []
        for _ in 0..<count {
            let id = try #require(JobID(UUID().uuidString))
            var job = NewJob(id: id, kind: .noop, owner: "alice", payload: "{}", ingress: .http)
            job.reply = WebhookOrder(url: url).json.text
            jobs.append(job)
        }
        _ = try await store.insert(jobs)
        let claimed = try await store.claim(
            ClaimRequest(worker: "w", kinds: [.noop], limit: count, memoryBytes: 1 << 30, leaseSeconds: 60))
        _ = try await store.finish(
            claimed.map { AttemptEnding(lease: Lease(job: $0.id, epoch: $0.epoch), outcome: outcome) }, worker: "w")
        return claimed.map(\.id)
    }

    /// Whether nothing is left to be told, now or later; seen past the store, which hides what is being delivered.
    func isEmpty() throws -> Bool {
        let program =
            "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM notices').fetchone()[0])"
        return String(decoding: try Command.output("python3", ["-c", program, file]), as: UTF8.self) == "0\n"
    }
}

/// Keeps lines of level error.
private struct DropLog: LogHandler {
    let dropped: RelayUnderTest.Dropped
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.error

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let facts = (event.metadata ?? [:]).map { "\($0)=\($1)" }.sorted().joined(separator: " ")
        dropped.add("\(event.message) \(facts)")
    }
}
