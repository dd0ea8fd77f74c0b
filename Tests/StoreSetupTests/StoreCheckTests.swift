import Foundation
import HTTPTransfer
import Model
import PoolTestSupport
import S3
import StoreSetup
import TestSupport
import Testing

@Suite("A look at a store", .enabled(if: ObjectStore.areThere, "\(ObjectStore.absence)"))
struct StoreCheckTests {
    private let stop = TransferStop()
    private static let rawOnly = ["REELPOOL_S3_BUCKET_EXPORTS": "", "REELPOOL_S3_BUCKET_ASSETS": ""]

    @Test("that is as it should be says so of every bucket, names what the store lacks, and leaves nothing")
    func right() async throws {
        try await blocking {
            for store in ObjectStore.allCases {
                // Others look at the same buckets at the same time.
                let folder = UUID().uuidString
                let report = try store.check(run: folder)
                #expect(report.isRight, "\(report.lines(.wrong))")
                #expect(report.lines(.skipped).isEmpty, "\(report.lines(.skipped))")
                #expect(report.lines.count == 2 + 3 * 13)
                let lacking = Set(report.lines(.lacking).map(\.check.rawValue))
                #expect(lacking == (store == .juicefs ? ["conditional write", "lifecycle"] : []))
                #expect(report.lines.contains { $0.milliseconds > 0 })
                let client = try store.client()
                for bucket in ["setup-raw", "setup-exports", "setup-assets"] {
                    let objects = try client.objects(in: bucket, limit: 1000, stop: stop).map(\.place.key)
                    let uploads = try client.uploads(in: bucket, stop: stop).map(\.place.key)
                    #expect((objects + uploads).filter { $0.contains(folder) } == [])
                }
            }
        }
    }

    @Test("fits on a screen, and is JSON for machines")
    func command() async throws {
        try await blocking {
            try ObjectStore.juicefs.setUpOnce()
            let result = try ObjectStore.juicefs.reelpool(["check"])
            #expect(result.status == 0, "\(result.text)\(result.errors)")
            let lines = result.text.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.count < 30 && result.text.contains("Nothing is wrong."))
            #expect(
                result.text.contains("conditional write (raw, exports, assets): If-None-Match and If-Match are not"))
            #expect(result.text.contains("lifecycle (raw, exports, assets): the store has no lifecycle rules"))
            let bad = try ObjectStore.juicefs.reelpool(["check", "--json"], ["REELPOOL_S3_BUCKET_RAW": "nowhere-raw"])
            let report = try JSONValue(parsing: bad.text)
            #expect(bad.status == 1 && report["is_right"] == false)
            let wrong = report["lines"]?.arrayValue?.first { $0["outcome"] == "wrong" }
            #expect(wrong?["name"] == "raw" && wrong?["note"] == "there is no bucket nowhere-raw")
            #expect(wrong?["fix"]?.stringValue?.contains("reelpool storage init") == true)
            let secret = try ObjectStore.credentials.secretKey
            #expect(!bad.text.contains(secret) && !result.text.contains(secret))
        }
    }

    /// What is set, and the words that its cause and its remedy are to have.
    private static let cases: [(String, [String: String], [String])] = [
        ("an unknown key", ["REELPOOL_S3_ACCESS_KEY": "nobody-here"], ["does not know", "REELPOOL_S3_ACCESS_KEY"]),
        ("another secret", ["REELPOOL_S3_SECRET_KEY": "letmein-storey"], ["secret key", "REELPOOL_S3_SECRET_KEY"]),
        ("no such bucket", ["REELPOOL_S3_BUCKET_RAW": "setup-rwa"], ["no bucket setup-rwa", "storage init"]),
        ("no such host", ["REELPOOL_S3_ENDPOINT": "http://store.invalid"], ["no host", "REELPOOL_S3_ENDPOINT"]),
        ("nobody there", ["REELPOOL_S3_ENDPOINT": "http://127.0.0.1:1"], ["does not answer", "REELPOOL_S3_ENDPOINT"]),
        ("a token that is none", ["REELPOOL_S3_SESSION_TOKEN": "no/such+token=="], ["REELPOOL_S3_SESSION_TOKEN"]),
    ]

    @Test("names the setting that is wrong", arguments: ObjectStore.allCases, cases.map(\.0))
    func mistakes(store: ObjectStore, name: String) async throws {
        try await blocking {
            let mistake = try #require(Self.cases.first { $0.0 == name })
            let report = try store.check(Self.rawOnly.merging(mistake.1) { $1 })
            #expect(!report.isRight)
            for words in mistake.2 { #expect(report.complaint.contains(words), "\(report.complaint)") }
        }
    }

    @Test("finds the region that a store wants, whether or not it says which", arguments: [true, false])
    func region(isTold: Bool) async throws {
        try await blocking {
            let proxy = try FaultProxy(.seaweedfs)
            let region = isTold ? "eu-central-1" : "auto"
            try proxy.require(region: region, telling: isTold)
            var settings = Self.rawOnly.merging(["REELPOOL_S3_ENDPOINT": proxy.url]) { $1 }
            settings["REELPOOL_S3_REGION"] = "eu-west-7"
            let report = try ObjectStore.seaweedfs.check(settings)
            #expect(report.complaint.hasSuffix("-> REELPOOL_S3_REGION=\(region)"), "\(report.complaint)")
            settings["REELPOOL_S3_REGION"] = region
            let right = try ObjectStore.seaweedfs.check(settings)
            #expect(right.isRight, "\(right.complaint)")
        }
    }

    @Test("says that a clock is off, and goes on with the store's time", arguments: [1200.0, -1200])
    func clock(ahead: Double) async throws {
        try await blocking {
            for store in ObjectStore.allCases {
                let report = try store.check(Self.rawOnly, clockAheadSeconds: ahead)
                #expect(report.lines(.wrong).map(\.check) == [.clock], "\(report.lines(.wrong))")
                let words = ahead > 0 ? "20 minutes ahead of the store's" : "20 minutes behind the store's"
                #expect(report.complaint.contains(words) && report.complaint.contains("timedatectl"))
                #expect(report.lines(.right).contains { $0.check == .multipart })
            }
        }
    }

    @Test("says that a key may only read")
    func readOnly() async throws {
        try await blocking {
            let report = try ObjectStore.seaweedfs.check(
                Self.rawOnly.merging([
                    "REELPOOL_S3_ACCESS_KEY": "viewer", "REELPOOL_S3_SECRET_KEY": "letmein-viewer",
                ]) { $1 })
            #expect(report.lines(.wrong).map(\.check) == [.write])
            #expect(report.complaint.contains("may read here, and not write"), "\(report.complaint)")
            #expect(report.complaint.contains("let the key read, write, delete and list"))
        }
    }

    @Test("says where the bucket's name belongs")
    func style() async throws {
        let servers = try await Servers.start(["juicefs"], settings: ["REELPOOL_SERVERS_DOMAIN=store.example"])
        let url = try servers.variable("REELPOOL_TEST_S3_JUICEFS")
        let result = try await blocking { () throws -> (CheckReport, CheckReport) in
            let changes = Self.rawOnly.merging([
                "REELPOOL_S3_ENDPOINT": url.replacingOccurrences(of: "127.0.0.1", with: "localhost")
            ]) { $1 }
            for step in try ObjectStore.juicefs.setUp(changes) { #expect(step.outcome != .failed, "\(step)") }
            let wrong = try ObjectStore.juicefs.check(changes.merging(["REELPOOL_S3_STYLE": "virtual"]) { $1 })
            return (wrong, try ObjectStore.juicefs.check(changes))
        }
        await servers.stop()
        #expect(result.0.complaint.hasSuffix("-> REELPOOL_S3_STYLE=path"), "\(result.0.complaint)")
        #expect(result.1.isRight, "\(result.1.complaint)")
        // With a host of its own the name may stand in either place, but not in the endpoint.
        try await blocking {
            let host = try ObjectStore.seaweedfs.url.replacingOccurrences(of: "127.0.0.1", with: "localhost")
            let virtual = ["REELPOOL_S3_ENDPOINT": host, "REELPOOL_S3_STYLE": "virtual"]
            let report = try ObjectStore.seaweedfs.check(Self.rawOnly.merging(virtual) { $1 })
            #expect(report.isRight, "\(report.complaint)")
            let inside = host.replacingOccurrences(of: "localhost", with: "setup-raw.localhost")
            let wrong = try ObjectStore.seaweedfs.check(
                Self.rawOnly.merging(["REELPOOL_S3_ENDPOINT": inside]) { $1 })
            #expect(wrong.complaint.hasSuffix("-> REELPOOL_S3_ENDPOINT=\(host)"), "\(wrong.complaint)")
        }
    }

    @Test("says that an authority is not known, that a scheme is wrong, and that this is no store")
    func connection() async throws {
        try await blocking {
            try withTemporaryFolder { folder in
                let (certificate, key) = ("\(folder)/certificate.pem", "\(folder)/key.pem")
                _ = try Command.output(
                    "openssl",
                    [
                        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
                        "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key,
                        "-out", certificate,
                    ])
                let store = ObjectStore.seaweedfs
                let port = try #require(try store.url.split(separator: ":").last.map(String.init))
                let way = try HTTPTestServer(
                    program: [
                        "python3", "\(Fixture.repository)/Tests/HTTPServer/tls_way.py", certificate, key, port,
                    ], scheme: "https")
                var settings = Self.rawOnly
                settings["REELPOOL_S3_ENDPOINT"] = way.url("", host: "localhost")
                let unknown = try store.check(settings)
                #expect(unknown.lines(.wrong).map(\.check) == [.address])
                #expect(unknown.complaint.contains("no authority that is trusted"), "\(unknown.complaint)")
                #expect(unknown.complaint.contains("REELPOOL_S3_CA_FILE"))
                settings["REELPOOL_S3_CA_FILE"] = certificate
                let known = try store.check(settings)
                #expect(known.isRight, "\(known.complaint)")
                let plain = "http://localhost:\(way.port)"
                let bare = try store.check(settings.merging(["REELPOOL_S3_ENDPOINT": plain]) { $1 })
                #expect(
                    bare.complaint.hasSuffix("-> REELPOOL_S3_ENDPOINT=https://localhost:\(way.port)"),
                    "\(bare.complaint)")
                let tls = try store.url.replacingOccurrences(of: "http:", with: "https:")
                let other = try store.check(Self.rawOnly.merging(["REELPOOL_S3_ENDPOINT": tls]) { $1 })
                #expect(other.complaint.hasSuffix("-> REELPOOL_S3_ENDPOINT=\(try store.url)"), "\(other.complaint)")
                let server = try HTTPTestServer.start()
                let none = try store.check(Self.rawOnly.merging(["REELPOOL_S3_ENDPOINT": server.url("")]) { $1 })
                #expect(!none.isRight && none.complaint.contains("REELPOOL_S3_ENDPOINT"), "\(none.complaint)")
            }
        }
    }

    @Test("says what is missing in a bucket that nobody set up")
    func bare() async throws {
        try await blocking {
            let bucket = "bare-\(UUID().uuidString.lowercased().prefix(8))"
            let client = try ObjectStore.seaweedfs.client()
            _ = try client.createBucket(bucket, stop: stop)
            defer { try? client.deleteBucket(bucket, stop: stop) }
            // Without any rule SeaweedFS lets all pages in.
            let other = S3CORSRule(origins: ["https://other.example"], methods: ["PUT"])
            try client.setCORS(of: bucket, [other], stop: stop)
            let report = try ObjectStore.seaweedfs.check(
                Self.rawOnly.merging(["REELPOOL_S3_BUCKET_RAW": bucket]) { $1 })
            #expect(Set(report.lines(.wrong).map(\.check)) == [.cors, .lifecycle], "\(report.lines(.wrong))")
            #expect(report.lines(.wrong).allSatisfy { $0.fix?.contains("reelpool storage init") == true })
        }
    }
}
