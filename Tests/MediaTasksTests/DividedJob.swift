import CodecHost
import Foundation
import Isolation
import LocalObjects
import Model
import SQLStore
import StoreSQLite
import Synchronization
import TestSupport
import Testing
import WorkerCore

@testable import MediaTasks

/// A render on a real store and a real disk, whose processes are not.
struct DividedJob: Sendable {
    static let frames = [30, 20, 25, 10]
    static let digest = String(repeating: "d", count: 64)

    let folder: String
    let store: SQLJobStore
    let id: JobID

    var output: String { "\(folder)/out.mp4" }
    var objects: LocalObjects { LocalObjects(folders: [folder]) }

    static func with(_ body: (DividedJob) async throws -> Void) async throws {
        let folder =
            FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path
            + "/reelpool-divided-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try "a source".write(toFile: "\(folder)/a.mp4", atomically: true, encoding: .utf8)
        let store = SQLJobStore(
            try SQLiteDatabase(path: "\(folder)/jobs.db"),
            policy: StorePolicy(ownerLimits: [:], backoff: Backoff(baseSeconds: 1, capSeconds: 1)))
        try await store.migrate()
        let id = try #require(JobID(UUID().uuidString))
        let payload = """
            {"edit": {"sources": [{"id": "a", "uri": "\(folder)/a.mp4"}],
            "timeline": [{"source": "a", "start_ms": 0, "end_ms": 1000}]}, "output": "\(folder)/out.mp4"}
            """
        var job = NewJob(id: id, kind: .render, owner: "o", payload: payload, ingress: .cli)
        job.maxAttempts = 9
        _ = try await store.insert([job])
        try await body(DividedJob(folder: folder, store: store, id: id))
        await store.close()
    }

    func sharing(_ worker: String) -> ChunkSharing {
        ChunkSharing(board: store, worker: worker, instance: "\(worker)-1", secondsPerChunk: 30, leaseSeconds: 30)
    }

    func maker(_ runner: FakeRunner, worker: String) -> ChunkMaker {
        ChunkMaker(runner: runner, objects: objects, sharing: sharing(worker))
    }

    static let caps = EffectiveCaps(
        memoryBytes: 1 << 30, threads: 1, wallSeconds: 600, stallSeconds: 60, outputBytes: 1 << 30, sourceSeconds: 600,
        sourceBytes: 1 << 30)

    /// The next attempt, by `w1`.
    func claim() async throws -> Attempt {
        let jobs = try await store.claim(
            ClaimRequest(worker: "w1", kinds: [.render], limit: 1, memoryBytes: 1 << 40, leaseSeconds: 600))
        return Attempt(job: try #require(jobs.first), caps: Self.caps, startedAt: 0)
    }

    /// Ends an attempt so that another can begin at once.
    func retry(_ attempt: Attempt) async throws {
        let ending = AttemptEnding(
            lease: attempt.lease,
            outcome: .retry(
                Failure(code: .readFailed, message: "again"), afterSeconds: 0, avoidingWorker: false, overflow: nil))
        _ = try await store.finish([ending], worker: "w1")
    }

    /// Does a whole attempt, from where the division is known, until the output has its name.
    func work(
        _ attempt: Attempt, _ runner: FakeRunner, report: @escaping @Sendable (ProgressEvent) -> Void = { _ in }
    ) async throws -> RenderReport {
        let document = try TaskDocument(kind: .render, payload: attempt.job.payload)
        let interruption = Interruption()
        let files = JobFiles(
            objects, owner: "o", lease: attempt.lease, sources: document.sources, output: document.outputs.first,
            isFolder: false, outputLimitBytes: 1 << 30, interruption: interruption)
        let sizes = try files.openSources(limitBytes: 1 << 30, wholly: false)
        try files.prepareOutputs()
        let tasks = CodecTasks(document: document, caps: attempt.caps)
        let main = try #require(tasks.main(sizes: sizes))
        let work = ChunkedWork(
            maker: maker(runner, worker: "w1"), attempt: attempt, document: document, tasks: tasks, files: files,
            main: main,
            division: ChunkDivision(digest: Self.digest, plan: "{}", frames: Self.frames, seconds: 85),
            interruption: interruption, report: report, began: SystemClock().now)
        let (result, outputs) = try await work.run()
        _ = try files.commit(outputs)
        guard case .render(let made) = result else { throw Failure(code: .internalFault, message: "no render") }
        return made
    }

    var text: String? { try? String(contentsOfFile: output, encoding: .utf8) }

    static var whole: String { frames.indices.map { FakeRunner.text(of: $0) }.joined() }

    func records() async throws -> [ChunkRecord] { try await store.chunks(of: id, digest: Self.digest) }
}
