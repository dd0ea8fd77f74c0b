import Foundation
import Glibc
import HTTPTransfer
import Model
import PoolTestSupport
import S3
import TestSupport
import Testing

/// Renders that daemons divide: what a stop costs, and what is left of them.
@Suite("A pool that divides its renders")
struct ChunkedPoolTests {
    /// Two minutes and twenty seconds in fourteen chunks, by one slot, so that a kill meets one of them.
    private static let settings = [
        "REELPOOL_CHUNK_SECONDS": "10", "REELPOOL_SLOTS": "1", "REELPOOL_LEASE_SECONDS": "5",
    ]

    private static let frames: Int64 = 7 * 600

    private static func task(_ output: String, source: String = Fixture.media("talk.mp4")) -> JSONValue {
        let range: JSONValue = ["source": "a", "start_ms": 0, "end_ms": 20_000]
        let edit: JSONValue = [
            "sources": [["id": "a", "uri": .string(source)]], "timeline": .array(Array(repeating: range, count: 7)),
            "output": ["video": ["keyframe_interval_s": 1, "preset": "ultrafast"]],
        ]
        return ["edit": edit, "mode": "full", "output": .string(output)]
    }

    /// The numbers of chunks that have their names below a folder.
    private static func chunks(below folder: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: folder).filter { path in
            path.contains(".chunks/") && Int(path.split(separator: "/").last ?? "") != nil
        }
    }

    private static func nothingIsKept(below folder: String) async throws {
        try await eventually("no chunk is left") {
            try FileManager.default.subpathsOfDirectory(atPath: folder).allSatisfy { !$0.contains(".chunks") }
        }
    }

    private static func report(_ job: JSONValue) throws -> JSONValue { try #require(job["result"]?["report"]) }

    private static func count(_ report: JSONValue, _ name: String) -> Int64 {
        report["chunks"]?[name]?.integerValue ?? -1
    }

    /// Kills the daemon in the midst of a job, brings it back, and waits for what its second attempt tells.
    private static func reportAfterKill(_ pool: RunningPool, _ id: String) async throws -> JSONValue {
        pool.daemon.signal(SIGKILL)
        #expect(await pool.daemon.ended(within: 30))
        try pool.daemon.start()
        try await eventually("it answers again") { (try? await pool.get("/livez").status) == 200 }
        let job = try await pool.end(of: id)
        #expect(job["state"] == "succeeded" && job["attempt"] == 2, "\(job.text)")
        return try report(job)
    }

    private static func shown(_ report: JSONValue) -> Int64? { report["video"]?["frames"]?.integerValue }

    @Test("makes what one in one go makes, and keeps no chunk")
    func whole() async throws {
        try await RunningPool.with(Self.settings) { pool in
            let path = "\(pool.out)/chunks.mp4"
            let id = try await pool.submit("render", Self.task(path))
            let events = try await pool.events(of: id)
            let percents = events.filter { $0.name == "progress" }.compactMap {
                $0.data["progress_percent"]?.doubleValue
            }
            #expect(percents == percents.sorted() && percents.last == 100)
            let job = try await pool.job(id)
            #expect(job["state"] == "succeeded" && job["attempt"] == 1, "\(job.text)")
            let report = try Self.report(job)
            #expect(Self.count(report, "count") >= 12 && Self.count(report, "reused") == 0, "\(report.text)")
            #expect(Self.shown(report) == Self.frames)
            #expect(Self.count(report, "encoded_frames") == Self.frames)
            #expect(report["duration_seconds"]?.doubleValue == 140)
            #expect(try await blocking { Int64(try ReferenceVideo(path).frames.count) } == Self.frames)
            try await Self.nothingIsKept(below: pool.out)
        }
        try await RunningPool.with(["REELPOOL_CHUNK_SECONDS": "0"]) { pool in
            let id = try await pool.submit("render", Self.task("\(pool.out)/one.mp4"))
            let report = try Self.report(try await pool.end(of: id))
            #expect(report["chunks"] == nil && Self.shown(report) == Self.frames)
        }
    }

    @Test("goes on after kill -9 with what was made: no more than 15 % is encoded again")
    func killed() async throws {
        try await RunningPool.with(Self.settings) { pool in
            let id = try await pool.submit("render", Self.task("\(pool.out)/killed.mp4"))
            try await eventually("nine tenths are made") { try Self.chunks(below: pool.out).count >= 13 }
            let report = try await Self.reportAfterKill(pool, id)
            let (frames, again) = (Self.frames, Self.count(report, "encoded_frames"))
            print("after kill -9 \(again) of \(frames) frames were encoded in the second attempt")
            #expect(Self.shown(report) == Self.frames)
            #expect(again * 100 <= frames * 15 && Self.count(report, "reused_frames") + again == frames)
            try await Self.nothingIsKept(below: pool.out)
        }
    }

    @Test("leaves nothing of one that is cancelled")
    func cancelled() async throws {
        try await RunningPool.with(Self.settings) { pool in
            let id = try await pool.submit("render", Self.task("\(pool.out)/cancelled.mp4"))
            try await eventually("some chunks are made") { try Self.chunks(below: pool.out).count >= 2 }
            #expect(try await pool.post("/v1/jobs/\(id)/cancel").status == 202)
            #expect(try await pool.end(of: id)["state"] == "cancelled")
            try await Self.nothingIsKept(below: pool.out)
            #expect(!FileManager.default.fileExists(atPath: "\(pool.out)/cancelled.mp4"))
            #expect(pool.children().isEmpty)
        }
    }

    @Test(
        "has those that have nothing else to do help",
        .enabled(if: Servers.hasPostgres, "REELPOOL_TEST_POSTGRES names no server"))
    func shared() async throws {
        let schema = "c\(UUID().uuidString.lowercased().replacing("-", with: "").prefix(12))"
        let address = Servers.shared.postgresURL
        func psql(_ commands: String) async throws {
            let words = [address, "-qc", commands]
            _ = try await blocking { try Command.output("psql", words) }
        }
        try await psql("CREATE SCHEMA \(schema)")
        var settings = Self.settings
        settings["REELPOOL_DATABASE"] = "\(address)?options=-csearch_path%3D\(schema)"
        let common = settings
        try await RunningPool.with(common.merging(["REELPOOL_NAME": "first"]) { $1 }) { first in
            let folders = "\(Fixture.repository)/Fixtures,\(first.out)"
            let second = common.merging(["REELPOOL_NAME": "second", "REELPOOL_ALLOW_LOCAL": folders]) { $1 }
            try await RunningPool.with(second) { second in
                let id = try await first.submit("render", Self.task("\(first.out)/shared.mp4"))
                let job = try await first.end(of: id)
                #expect(job["state"] == "succeeded" && job["attempt"] == 1, "\(job.text)")
                let report = try Self.report(job)
                let (count, helped) = (Self.count(report, "count"), Self.count(report, "helped"))
                print("\(helped) of \(count) chunks were made by the worker that had nothing else to do")
                #expect(helped > 0 && helped < count)
                #expect(Self.shown(report) == Self.frames)
                #expect(second.children().isEmpty)
                try await Self.nothingIsKept(below: first.out)
            }
        }
        try await psql("DROP SCHEMA \(schema) CASCADE")
    }

    @Test(
        "keeps chunks in an object store, over kill -9, and leaves nothing there",
        .enabled(if: ObjectStore.areThere, "\(ObjectStore.absence)"))
    func stored() async throws {
        let store = ObjectStore.seaweedfs
        let own = try await blocking { try ObjectStoreTests.settings(store) }
        let (client, folder, source) = try await blocking { try ObjectStoreTests.source(store) }
        let (bucket, prefix) = ObjectStoreTests.key(folder)
        @Sendable func keys() async throws -> [String] {
            try await blocking {
                try client.objects(in: bucket, prefix: prefix, limit: 100, stop: TransferStop()).map(\.place.key)
            }
        }
        try await RunningPool.with(Self.settings.merging(own) { $1 }) { pool in
            let id = try await pool.submit("render", Self.task("\(folder)/long.mp4", source: source))
            try await eventually("nine tenths are made") {
                try await keys().filter { $0.contains(".chunks/") }.count >= 13
            }
            let report = try await Self.reportAfterKill(pool, id)
            #expect(Self.shown(report) == Self.frames)
            #expect(Self.count(report, "encoded_frames") * 100 <= Self.frames * 15, "\(report.text)")
            try await eventually("only source and output are left") {
                try await keys().sorted() == ["\(prefix)/long.mp4", "\(prefix)/talk.mp4"]
            }
            try await eventually("no upload is left") {
                try await blocking { try client.uploads(in: bucket, prefix: prefix, stop: TransferStop()) }.isEmpty
            }
        }
    }
}
