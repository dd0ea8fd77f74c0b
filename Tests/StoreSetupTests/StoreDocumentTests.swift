import Foundation
import Model
import PoolConfig
import PoolTestSupport
import S3
import StoreSetup
import TestSupport
import Testing

/// The pages for operators, done as they stand, but for where the store is.
@Suite("A store's page")
struct StoreDocumentTests {
    private static let pages: [(path: String, store: ObjectStore)] = [
        ("docs/r2.md", .seaweedfs), ("docs/minio.md", .juicefs),
    ]

    private static func settings(_ script: String) -> [String: String] {
        let pairs = script.split(separator: "\n").compactMap { line -> (String, String)? in
            guard let match = line.wholeMatch(of: /export (\w+)=(\S+)/) else { return nil }
            return (String(match.1), String(match.2))
        }
        return Dictionary(pairs) { $1 }
    }

    @Test("has settings that are accepted, all of a kind that there is", arguments: pages.map(\.path))
    func settings(path: String) throws {
        let script = try #require(try Document(path).blocks("sh").first)
        let settings = Self.settings(script)
        let store = try PoolSettings.loadObjectStore(environment: settings)
        #expect(settings.count == 9 && store.buckets.count == 3 && store.browserOrigins == ["https://app.example"])
        #expect(store.region == (path.contains("r2") ? "auto" : "us-east-1"))
        _ = try StoreConnection(store, userAgent: "test")
        // What stands in the text, too.
        for name in try Document(path).text.matches(of: /REELPOOL_[A-Z0-9_]+/).map({ String($0.0) }) {
            #expect(Settings.all.contains { $0.name == name }, "\(name)")
        }
    }

    @Test(
        "has commands that work", .enabled(if: ObjectStore.areThere, "\(ObjectStore.absence)"),
        arguments: pages.map(\.path))
    func commands(path: String) async throws {
        try await blocking {
            let page = try #require(Self.pages.first { $0.path == path })
            let blocks = try Document(path).blocks("sh")
            let place = try page.store.environment()
            let names = ["REELPOOL_S3_ENDPOINT", "REELPOOL_S3_ACCESS_KEY", "REELPOOL_S3_SECRET_KEY"]
            let other = names.map { "export \($0)=\(place[$0] ?? "")" }.joined(separator: "\n")
            let folder = (Fixture.program as NSString).deletingLastPathComponent
            let script = "PATH=\(folder):$PATH\n\(blocks[0])\n\(other)\n\(blocks[1])"
            let result = try Command.run("env", ["-i", "PATH=/usr/bin:/bin", "bash", "-euo", "pipefail", "-c", script])
            #expect(result.status == 0 && result.text.contains("Nothing is wrong."), "\(result.text)\(result.errors)")
        }
    }

    @Test("has the rule for pages that the command sets")
    func cors() throws {
        let text = try #require(try Document("docs/r2.md").blocks("json").first)
        let rule = try #require(try JSONValue(parsing: text).arrayValue?.first)
        func list(_ name: String) -> [String] { rule[name]?.arrayValue?.compactMap(\.stringValue) ?? [] }
        let own = BucketRules.cors(origins: ["https://app.example"])
        #expect(list("AllowedOrigins") == own.origins && list("AllowedMethods") == own.methods)
        #expect(list("AllowedHeaders") == own.headers && list("ExposeHeaders") == own.exposedHeaders)
        #expect(rule["MaxAgeSeconds"]?.integerValue.map(Int.init) == own.maxAgeSeconds)
    }

    @Test("has a policy for MinIO that is JSON and names the buckets")
    func policy() throws {
        let document = try Document("docs/minio.md")
        let policy = try JSONValue(parsing: try #require(document.blocks("json").first))
        let resources = policy["Statement"]?.arrayValue?.first?["Resource"]?.arrayValue?.compactMap(\.stringValue)
        let buckets = Self.settings(document.blocks("sh")[0]).filter { $0.key.contains("BUCKET") }.values
        #expect(Set(buckets.map { "arn:aws:s3:::\($0)*" }) == Set(resources ?? []))
    }
}
