import Foundation
import Glibc
import HTTPTransfer
import Model
import PoolTestSupport
import S3
import TestSupport
import Testing

/// `kill -9` at the worst moments of an output's way into a store, and what the dead worker had sent arrives later.
@Suite(
    "A worker that is killed while it writes into a store",
    .enabled(if: ObjectStore.areThere, "\(ObjectStore.absence)"))
struct KilledUploadTests {
    enum Moment: String, Sendable {
        case part = "in the middle of a part"
        case completion = "between its last part and the end"
        case record = "after the end, before its record says so"

        var rule: FaultProxy.Rule {
            switch self {
            case .part: FaultProxy.Rule("PUT", contains: "partNumber=", fault: "hold")
            case .completion: .completion("hold")
            case .record: .completion("keep")
            }
        }
    }

    private static func settings(_ store: ObjectStore, through proxy: FaultProxy) throws -> [String: String] {
        let credentials = try ObjectStore.credentials
        let bucket = try store.bucket()
        return [
            "REELPOOL_ALLOW_LOCAL": "", "REELPOOL_S3_ENDPOINT": proxy.url, "REELPOOL_LEASE_SECONDS": "3",
            "REELPOOL_S3_ACCESS_KEY": credentials.accessKey, "REELPOOL_S3_SECRET_KEY": credentials.secretKey,
            "REELPOOL_S3_BUCKET_RAW": bucket, "REELPOOL_S3_BUCKET_EXPORTS": bucket,
            "REELPOOL_S3_READ_ALLOW": "{raw}/daemons/{owner}", "REELPOOL_S3_WRITE_ALLOW": "{exports}/daemons/{owner}",
        ]
    }

    @Test(
        "leaves a job that is done once, and what it had sent changes nothing any more",
        arguments: [
            (ObjectStore.seaweedfs, Moment.part), (.juicefs, .completion), (.seaweedfs, .completion),
            (.juicefs, .record),
        ])
    func killed(store: ObjectStore, moment: Moment) async throws {
        let (client, folder, proxy, settings) = try await blocking {
            let client = try store.client()
            let folder = S3Place(
                bucket: try store.bucket(), key: "daemons/tester/\(UUID().uuidString.lowercased())")
            let bytes = Array(try bytes(ofFile: Fixture.media("talk.mp4")))
            let source = S3Place(bucket: folder.bucket, key: "\(folder.key)/talk.mp4")
            _ = try client.put(source, bytes, contentType: "video/mp4", stop: TransferStop())
            let proxy = try FaultProxy(store)
            return (client, folder, proxy, try Self.settings(store, through: proxy))
        }
        let output = S3Place(bucket: folder.bucket, key: "\(folder.key)/cut.mp4")
        @Sendable func held() async throws -> FaultProxy.Seen? {
            try await blocking { try proxy.seen.first { $0.fault == moment.rule.fault } }
        }
        try await RunningPool.with(settings) { pool in
            try await blocking { try proxy.set([moment.rule]) }
            let edit: JSONValue = [
                "sources": [["id": "a", "uri": .string("\(folder.uri)/talk.mp4")]],
                "timeline": [["source": "a", "start_ms": 2000, "end_ms": 4000]],
            ]
            let id = try await pool.submit("render", ["edit": edit, "output": .string(output.uri)])
            try await eventually("it is \(moment.rawValue)") {
                guard let held = try await held() else { return false }
                return moment != .record || held.status == 200
            }
            pool.daemon.signal(SIGKILL)
            #expect(await pool.daemon.ended(within: 30))
            let before = try await blocking { try client.info(output, stop: TransferStop()) }
            #expect((before != nil) == (moment == .record))
            try pool.daemon.start()
            try await eventually("it answers again") { (try? await pool.get("/livez").status) == 200 }
            let job = try await pool.end(of: id)
            #expect(job["state"] == "succeeded" && job["attempt"] == 2, "\(job.text)")
            let made = try await blocking { try client.info(output, stop: TransferStop()) }
            #expect(made != nil)
            // Now what the dead worker had sent comes to the store.
            try await blocking { try proxy.release() }
            try await eventually("the store has heard it") { try await held()?.status ?? 0 > 0 }
            if moment != .record { #expect(try await held()?.status == 404) }
            #expect(try await blocking { try client.info(output, stop: TransferStop()) } == made)
            try await eventually("no upload is left") {
                try await blocking {
                    try client.uploads(in: folder.bucket, prefix: folder.key, stop: TransferStop()).isEmpty
                }
            }
            let keys = try await blocking {
                try client.objects(in: folder.bucket, prefix: folder.key, limit: 10, stop: TransferStop())
                    .map(\.place.key)
            }
            #expect(keys == ["\(folder.key)/cut.mp4", "\(folder.key)/talk.mp4"])
        }
    }
}
