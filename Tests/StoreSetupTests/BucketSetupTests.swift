import Foundation
import HTTPTransfer
import Model
import PoolTestSupport
import S3
import StoreSetup
import TestSupport
import Testing

@Suite("Buckets are set up", .enabled(if: ObjectStore.areThere, "\(ObjectStore.absence)"))
struct BucketSetupTests {
    private let stop = TransferStop()

    /// Buckets that there are not, for a moment.
    private func withNames(_ store: ObjectStore, _ body: ([String: String], S3Client) throws -> Void) throws {
        let id = UUID().uuidString.lowercased().prefix(8)
        let names = ["RAW": "raw-\(id)", "EXPORTS": "exports-\(id)", "ASSETS": "assets-\(id)"]
        let client = try store.client()
        defer { for bucket in names.values { try? client.deleteBucket(bucket, stop: stop) } }
        try body(Dictionary(uniqueKeysWithValues: names.map { ("REELPOOL_S3_BUCKET_\($0)", $1) }), client)
    }

    @Test("with their rules, and once more nothing changes")
    func seaweedfs() async throws {
        try await blocking {
            try withNames(.seaweedfs) { names, client in
                let first = try ObjectStore.seaweedfs.setUp(names)
                #expect(first.count == 9 && first.allSatisfy { $0.outcome == .made }, "\(first)")
                let again = try ObjectStore.seaweedfs.setUp(names)
                #expect(again.count == 9 && again.allSatisfy { $0.outcome == .there }, "\(again)")
                for bucket in names.values {
                    let rules = try client.lifecycle(of: bucket, stop: stop)
                    #expect(
                        rules == [
                            S3LifecycleRule(id: "reelpool-uploads", prefix: "uploads/", expiresAfterDays: 7),
                            S3LifecycleRule(id: "reelpool-unfinished", prefix: "", abortsUploadsAfterDays: 1),
                        ])
                    #expect(
                        try client.cors(of: bucket, stop: stop) == [BucketRules.cors(origins: [ObjectStore.origin])])
                }
            }
        }
    }

    @Test("where a store has no rules, which is said and no failure")
    func juicefs() async throws {
        try await blocking {
            try withNames(.juicefs) { names, _ in
                for outcome in [BucketSetup.Step.Outcome.made, .there] {
                    let steps = try ObjectStore.juicefs.setUp(names)
                    #expect(
                        steps.map(\.what) == [
                            .bucket, .lifecycle, .cors, .bucket, .lifecycle, .cors, .bucket, .lifecycle, .cors,
                        ])
                    let unsupported = BucketSetup.Step.Outcome.unsupported
                    let expected = Array(repeating: [outcome, unsupported, unsupported], count: 3).flatMap(\.self)
                    #expect(steps.map(\.outcome) == expected)
                    #expect(steps[1].note.contains("no lifecycle rules") && steps[2].note.contains("no CORS rules"))
                }
            }
        }
    }

    @Test("beside rules of others, which stay, also what is not understood of them; an older own rule is replaced")
    func others() async throws {
        try await blocking {
            try withNames(.seaweedfs) { all, client in
                let bucket = try #require(all["REELPOOL_S3_BUCKET_RAW"])
                let names = [
                    "REELPOOL_S3_BUCKET_RAW": bucket, "REELPOOL_S3_BUCKET_EXPORTS": "", "REELPOOL_S3_BUCKET_ASSETS": "",
                ]
                _ = try client.createBucket(bucket, stop: stop)
                let other = S3LifecycleRule(id: "theirs", prefix: "tmp & <x>/", expiresAfterDays: 3)
                try client.setLifecycle(
                    of: bucket, [other, S3LifecycleRule(id: "reelpool-uploads", prefix: "up/", expiresAfterDays: 2)],
                    stop: stop)
                let page = S3CORSRule(
                    id: "theirs", origins: ["https://other.example"], methods: ["GET"], maxAgeSeconds: 9)
                let old = S3CORSRule(id: "reelpool-browsers", origins: ["https://old.example"], methods: ["PUT"])
                try client.setCORS(of: bucket, [page, old], stop: stop)
                let steps = try ObjectStore.seaweedfs.setUp(names)
                #expect(steps.map(\.outcome) == [.there, .made, .made], "\(steps)")
                #expect(steps.dropFirst().allSatisfy { $0.note.hasSuffix("1 other rule kept") })
                let rules = try client.lifecycle(of: bucket, stop: stop)
                #expect(
                    rules.first == other && rules.map(\.id) == ["theirs", "reelpool-uploads", "reelpool-unfinished"])
                #expect(rules[1].prefix == "uploads/")
                #expect(
                    try client.cors(of: bucket, stop: stop)
                        == [page, BucketRules.cors(origins: [ObjectStore.origin])])
                #expect(try ObjectStore.seaweedfs.setUp(names).map(\.outcome) == [.there, .there, .there])
            }
        }
    }

    @Test("without the rule that a store refuses, as MinIO does that for unfinished uploads")
    func refusedRule() async throws {
        try await blocking {
            try withNames(.seaweedfs) { all, client in
                let bucket = try #require(all["REELPOOL_S3_BUCKET_RAW"])
                _ = try client.createBucket(bucket, stop: stop)
                let proxy = try FaultProxy(.seaweedfs)
                // The bucket's HEAD, the rules that are there, and then those that are to be.
                try proxy.next(["pass", "pass", "status:400:MalformedXML"])
                let steps = try ObjectStore.seaweedfs.setUp([
                    "REELPOOL_S3_BUCKET_RAW": bucket, "REELPOOL_S3_BUCKET_EXPORTS": "",
                    "REELPOOL_S3_BUCKET_ASSETS": "", "REELPOOL_S3_ENDPOINT": proxy.url,
                ])
                #expect(steps.map(\.outcome) == [.there, .made, .made], "\(steps)")
                #expect(steps[1].note.contains("no rule for unfinished uploads"))
                #expect(try client.lifecycle(of: bucket, stop: stop).map(\.id) == ["reelpool-uploads"])
            }
        }
    }

    @Test("by the command, which says what it did, and says it when it could not")
    func command() async throws {
        try await blocking {
            try withNames(.juicefs) { names, client in
                let made = try ObjectStore.juicefs.reelpool(["init", "--origin", "https://a.example"], names)
                #expect(made.status == 0, "\(made.errors)")
                for bucket in names.values { #expect(try client.hasBucket(bucket, stop: stop)) }
                #expect(made.text.contains("unsupported") && made.text.split(separator: "\n").count == 11)
                let again = try ObjectStore.juicefs.reelpool(["init", "--json"], names)
                let answer = try JSONValue(parsing: again.text)
                #expect(answer["is_right"] == true && answer["steps"]?.arrayValue?.count == 9)
                #expect(answer["steps"]?.arrayValue?.first?["outcome"] == "there")
            }
            let refused = try ObjectStore.seaweedfs.reelpool(
                ["init", "--json"],
                [
                    "REELPOOL_S3_ACCESS_KEY": "viewer", "REELPOOL_S3_SECRET_KEY": "letmein-viewer",
                    "REELPOOL_S3_BUCKET_RAW": "viewers-own",
                ])
            #expect(refused.status == 1)
            #expect(try JSONValue(parsing: refused.text)["is_right"] == false)
            let wrong = try ObjectStore.seaweedfs.reelpool(
                ["init"],
                [
                    "REELPOOL_S3_SECRET_KEY": "minioadmin", "REELPOOL_S3_BROWSER_ORIGINS": "app.example",
                    "REELPOOL_S3_ENDPONT": "x",
                ])
            #expect(wrong.status == 78)
            for name in ["REELPOOL_S3_SECRET_KEY", "REELPOOL_S3_BROWSER_ORIGINS", "REELPOOL_S3_ENDPONT"] {
                #expect(wrong.errors.contains(name), "\(wrong.errors)")
            }
            #expect(!wrong.errors.contains("minioadmin"))
            let nothing = try Command.run("env", ["-i", Fixture.program, "storage", "check"])
            #expect(nothing.status == 78 && nothing.errors.contains("REELPOOL_S3_ENDPOINT"))
        }
    }
}
