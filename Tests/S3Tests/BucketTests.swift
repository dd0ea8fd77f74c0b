import HTTPTransfer
import Model
import PoolTestSupport
import S3
import TestSupport
import Testing

@Suite("A bucket", .enabled(if: ObjectStore.areThere, "\(ObjectStore.absence)"))
struct BucketTests {
    private let stop = TransferStop()

    private func withBucket(_ store: ObjectStore, _ body: (S3Client, String) throws -> Void) throws {
        let client = try store.client()
        let name = uniqueName("bucket").replacing(".", with: "-")
        #expect(try client.hasBucket(name, stop: stop) == false)
        #expect(try client.createBucket(name, stop: stop))
        #expect(try client.createBucket(name, stop: stop) == false, "it is there")
        #expect(try client.hasBucket(name, stop: stop))
        try body(client, name)
        try client.deleteBucket(name, stop: stop)
        #expect(try client.hasBucket(name, stop: stop) == false)
        try client.deleteBucket(name, stop: stop)
    }

    private static let rules = [
        S3LifecycleRule(id: "uploads & more", prefix: "uploads/", expiresAfterDays: 7),
        S3LifecycleRule(id: "unfinished", prefix: "", abortsUploadsAfterDays: 1),
        S3LifecycleRule(id: "off", prefix: "<x>/", isEnabled: false, expiresAfterDays: 1),
    ]

    @Test("says when its objects go, where the store can", arguments: ObjectStore.allCases)
    func lifecycle(store: ObjectStore) async throws {
        try await blocking {
            try withBucket(store) { client, name in
                switch store {
                case .seaweedfs:
                    #expect(try client.lifecycle(of: name, stop: stop) == [])
                    try client.setLifecycle(of: name, Self.rules, stop: stop)
                    #expect(try client.lifecycle(of: name, stop: stop) == Self.rules)
                    try client.setLifecycle(of: name, [], stop: stop)
                    #expect(try client.lifecycle(of: name, stop: stop) == [])
                case .juicefs:
                    #expect(refused { _ = try client.lifecycle(of: name, stop: stop) }?.kind == .notImplemented)
                    let error = refused { try client.setLifecycle(of: name, Self.rules, stop: stop) }
                    #expect(error?.kind == .notImplemented && error?.code == .transferFailed)
                }
            }
        }
    }

    private static let cors = [
        S3CORSRule(
            origins: ["https://app.example"], methods: ["GET", "PUT"], headers: ["*"], exposedHeaders: ["ETag"],
            maxAgeSeconds: 600),
        S3CORSRule(origins: ["https://a.example", "https://b.example"], methods: ["GET"]),
    ]

    @Test("lets pages of other origins in, where the store can", arguments: ObjectStore.allCases)
    func cors(store: ObjectStore) async throws {
        try await blocking {
            try withBucket(store) { client, name in
                #expect(try client.cors(of: name, stop: stop) == [])
                switch store {
                case .seaweedfs:
                    try client.setCORS(of: name, Self.cors, stop: stop)
                    #expect(try client.cors(of: name, stop: stop) == Self.cors)
                    #expect(try preflight(store, name, "https://app.example") == "https://app.example")
                    #expect(try preflight(store, name, "https://other.example") == nil)
                    try client.setCORS(of: name, [], stop: stop)
                    #expect(try client.cors(of: name, stop: stop) == [])
                case .juicefs:
                    #expect(refused { try client.setCORS(of: name, Self.cors, stop: stop) }?.kind == .notImplemented)
                }
            }
        }
    }

    /// What a browser asks before it uploads. Source: Fetch Standard, "CORS-preflight fetch".
    private func preflight(_ store: ObjectStore, _ bucket: String, _ origin: String) throws -> String? {
        let request = TransferRequest(
            "OPTIONS", try WebAddress("\(store.url)/\(bucket)/key"),
            headers: [
                TransferHeader("Origin", origin), TransferHeader("Access-Control-Request-Method", "PUT"),
                TransferHeader("Access-Control-Request-Headers", "content-type"),
            ])
        let answer = try HTTPClient(.init(.open)).perform(request, into: .collect(upTo: 1 << 16))
        return answer.head["Access-Control-Allow-Origin"]
    }

    @Test("that has something in it stays with JuiceFS; SeaweedFS has it deleted all the same")
    func full() async throws {
        try await blocking {
            try withBucket(.juicefs) { client, name in
                let place = S3Place(bucket: name, key: "x")
                _ = try client.put(place, [1], stop: stop)
                #expect(refused { try client.deleteBucket(name, stop: stop) }?.kind == .conflict)
                try client.delete(place, stop: stop)
            }
        }
    }
}
