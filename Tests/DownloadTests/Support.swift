import Crypto
import Downloads
import Foundation
import LocalObjects
import Model
import Synchronization
import TestSupport
import Testing
import WorkerCore

/// How long anything may take on a machine that does much else.
let patience = 60.0

/// 2026-01-01T00:00:00Z: when the tests' downloads are done.
let testTime: StoreTime = 1_767_225_600_000

/// A server that is allowed by its name, and a folder to write into.
struct Place {
    /// What the server's own host is allowed as. Its address is not.
    static let allowedName = "localhost"

    let server: HTTPTestServer
    let folder: String

    static func with(_ body: (Place) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/reelpool-download-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(Place(server: try HTTPTestServer.start(), folder: folder))
    }

    var output: String { "\(folder)/out.mp4" }

    /// - Parameter query: as the server reads it, `name=value&…`.
    func media(_ file: String = Fixture.media("talk.mp4"), _ query: String = "", key: String = "k") -> String {
        url("/media?key=\(key)&file=\(file)\(query.isEmpty ? "" : "&")\(query)")
    }

    func url(_ path: String) -> String { server.url(path, host: Self.allowedName) }

    /// The headers of each request for media.
    func asked(key: String = "k") throws -> [[String: String]] {
        try JSONDecoder().decode([[String: String]].self, from: Data(try server.get("/asked?key=\(key)")))
    }

    func attempt(
        _ source: String, maxBytes: Int64? = nil, expiresAt: String? = nil,
        change: (inout EffectiveCaps) -> Void = { _ in }
    ) -> Attempt {
        var payload: [String: JSONValue] = ["source": .string(source), "output": .string(output)]
        payload["max_bytes"] = maxBytes.map { .integer($0) }
        payload["expires_at"] = expiresAt.map { .string($0) }
        var caps = EffectiveCaps(
            memoryBytes: 1 << 27, threads: 1, wallSeconds: 600, stallSeconds: 60, outputBytes: 1 << 30,
            sourceSeconds: 5400, sourceBytes: 1 << 30)
        change(&caps)
        return Attempt(job: Self.job(JSONValue.object(payload).text), caps: caps, startedAt: 0)
    }

    private static func job(_ payload: String) -> JobRecord {
        JobRecord(
            id: JobID("6f1c1c1e-0000-4000-8000-000000000002").unsafelyUnwrapped, kind: .download, owner: "o",
            tier: Tier(0), state: .running, payload: payload, ingress: .http, reply: nil, progressRoute: nil,
            requestID: nil, attempt: 1, maxAttempts: 3, interruptions: 0, epoch: 1, leaseOwner: "w", leaseUntil: nil,
            isCancelRequested: false, createdAt: 0, availableAt: 0, expiresAt: nil, startedAt: nil, finishedAt: nil,
            costSeconds: 1, memoryBytes: 0, caps: JobCaps(), avoidedWorkers: [], isOverflow: false, result: nil,
            failure: nil)
    }

    func executor(
        allowing hosts: [String] = [allowedName], now: @escaping @Sendable () -> StoreTime = { testTime }
    ) -> DownloadExecutor {
        DownloadExecutor(
            objects: LocalObjects(folders: [folder]), addresses: AddressGuard(allowing: hosts), userAgent: "test",
            pauses: Backoff(baseSeconds: 0.01, capSeconds: 0.05), now: now)
    }

    func run(_ attempt: Attempt, allowing hosts: [String] = [allowedName]) async -> Outcome {
        let events = Events()
        let result = await executor(allowing: hosts).run(attempt) { events.add($0) }
        return Outcome(result, events.all)
    }

    /// Downloads, and returns why it failed.
    func failure(
        _ source: String, maxBytes: Int64? = nil, allowing hosts: [String] = [allowedName],
        change: (inout EffectiveCaps) -> Void = { _ in }
    ) async -> Failure? {
        await run(attempt(source, maxBytes: maxBytes, change: change), allowing: hosts).failure
    }

    /// That no output, and nothing beside it, is there.
    func isEmpty() throws -> Bool {
        try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0 != ".reelpool-fences" }.isEmpty
    }
}

final class Events: Sendable {
    private let list = Mutex<[ProgressEvent]>([])
    func add(_ event: ProgressEvent) { list.withLock { $0.append(event) } }
    var all: [ProgressEvent] { list.withLock { $0 } }
}

struct Outcome {
    var result: JSONValue?
    var failure: Failure?
    var events: [ProgressEvent]

    init(_ result: AttemptResult, _ events: [ProgressEvent]) {
        self.events = events
        switch result {
        case .succeeded(let json): self.result = try? JSONValue(parsing: json)
        case .failed(let failure): self.failure = failure
        case .admitted: break
        }
    }
}

func sha256(_ bytes: some DataProtocol) -> String {
    SHA256.hash(data: bytes).map { String(format: "%02x", $0) }.joined()
}
