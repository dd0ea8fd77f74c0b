import HTTPTransfer
import Model
import PoolTestSupport
import S3
import Testing

@Suite("What a store refuses", .enabled(if: ObjectStore.areThere, "\(ObjectStore.absence)"))
struct RefusalTests {
    private let stop = TransferStop()

    @Test("is that there is no such object", arguments: ObjectStore.allCases)
    func noKey(store: ObjectStore) async throws {
        try await blocking {
            let (client, place) = (try store.client(), try store.place("a?b"))
            let error = refused { _ = try client.bytes(place) }
            #expect(error?.kind == .noSuchKey && error?.code == .fileNotFound && error?.category == .invalidInput)
            #expect(error?.serverCode == "NoSuchKey" && error?.detail?.hasPrefix("NoSuchKey") == true)
            #expect(error?.message.contains(place.uri) == true)
            #expect(try client.info(place, stop: stop) == nil)
        }
    }

    @Test("is that there is no such bucket", arguments: ObjectStore.allCases)
    func noBucket(store: ObjectStore) async throws {
        try await blocking {
            let (client, place) = (try store.client(), S3Place(bucket: "reelpool-nowhere", key: "a"))
            let errors = [
                refused { _ = try client.bytes(place) }, refused { _ = try client.put(place, [1], stop: stop) },
                refused { _ = try client.beginUpload(place, stop: stop) },
                refused { _ = try client.objects(in: place.bucket, limit: 1, stop: stop) },
                refused { _ = try client.uploads(in: place.bucket, stop: stop) },
            ]
            for error in errors {
                #expect(error?.kind == .noSuchBucket && error?.code == .storageRefused)
                #expect(error?.category == .dependencyUnavailable)
            }
            #expect(try client.hasBucket(place.bucket, stop: stop) == false)
        }
    }

    @Test("is a signature with another secret", arguments: ObjectStore.allCases)
    func wrongSecret(store: ObjectStore) async throws {
        try await blocking {
            var credentials = try ObjectStore.credentials
            credentials.secretKey += "x"
            let (client, place) = (try store.client(credentials: credentials), try store.place())
            let errors = [
                refused { _ = try client.bytes(place) }, refused { _ = try client.put(place, [1], stop: stop) },
            ]
            for error in errors { #expect(error?.kind == .signatureRefused && error?.code == .storageRefused) }
            // An answer to HEAD has no words.
            let bare = refused { _ = try client.info(place, stop: stop) }
            #expect(bare?.kind == .accessDenied && bare?.code == .storageRefused)
        }
    }

    @Test("is a key that it does not know", arguments: ObjectStore.allCases)
    func unknownKey(store: ObjectStore) async throws {
        try await blocking {
            let credentials = S3Credentials(accessKey: "nobody", secretKey: "letmein-store")
            let (client, place) = (try store.client(credentials: credentials), try store.place())
            let error = refused { _ = try client.bytes(place) }
            #expect(error?.kind == .accessDenied && error?.code == .storageRefused)
        }
    }

    @Test("is what a key may not do")
    func permissions() async throws {
        try await blocking {
            let reader = S3Credentials(accessKey: "reader", secretKey: "letmein-reader")
            let store = ObjectStore.seaweedfs
            let place = try store.place()
            _ = try store.client().put(place, [1], stop: stop)
            let client = try store.client(credentials: reader)
            let errors = [
                refused { _ = try client.bytes(place) }, refused { _ = try client.put(place, [1], stop: stop) },
                refused { _ = try client.info(place, stop: stop) },
                refused { _ = try client.createBucket("reelpool-readers", stop: stop) },
            ]
            for error in errors { #expect(error?.kind == .accessDenied && error?.code == .storageRefused) }
        }
    }

    @Test("is a token that is none", arguments: ObjectStore.allCases)
    func token(store: ObjectStore) async throws {
        try await blocking {
            var credentials = try ObjectStore.credentials
            credentials.sessionToken = "no/such+token=="
            let (client, place) = (try store.client(credentials: credentials), try store.place())
            let error = refused { _ = try client.bytes(place) }
            #expect(error?.code == .storageRefused, "\(String(describing: error))")
        }
    }

    @Test("is never an object without a key")
    func emptyKey() async throws {
        try await blocking {
            let (client, place) = (try ObjectStore.seaweedfs.client(), S3Place(bucket: "reelpool-tests"))
            #expect(refused { _ = try client.bytes(place) }?.kind == .invalidRequest)
            #expect(refused { try client.delete(place, stop: stop) }?.kind == .invalidRequest)
        }
    }

    @Test("can be a connection")
    func nobody() async throws {
        try await blocking {
            let time = TestTime()
            let client = try ObjectStore.seaweedfs.client(url: "http://127.0.0.1:1", settings: time.settings())
            let error = refused { _ = try client.bytes(S3Place(bucket: "bucket", key: "key")) }
            #expect(error?.kind == .transfer(.unreachable) && error?.code == .transferFailed)
            #expect(error?.message.contains("127.0.0.1") == false && error?.detail?.contains("127.0.0.1") == true)
            #expect(time.pauses.count == S3ClientSettings().tries - 1)
        }
    }
}
