import Foundation
import Model
import PoolTestSupport
import S3
import TestSupport
import Testing

/// Uploads as pages and back ends make them: the interface for words, the store for bytes.
@Suite("An upload by the interface", .enabled(if: ObjectStore.areThere, "\(ObjectStore.absence)"))
struct UploadTests {
    private static let origin = "https://app.example"

    private static func settings(_ store: ObjectStore) async throws -> [String: String] {
        let settings = try await blocking {
            let credentials = try ObjectStore.credentials
            return [
                "REELPOOL_ALLOW_LOCAL": "", "REELPOOL_S3_ENDPOINT": try store.url,
                "REELPOOL_S3_ACCESS_KEY": credentials.accessKey, "REELPOOL_S3_SECRET_KEY": credentials.secretKey,
                "REELPOOL_S3_BUCKET_RAW": "upload-raw", "REELPOOL_S3_BROWSER_ORIGINS": origin,
                "MAX_VIDEO_SIZE_GB": "1",
            ]
        }
        let words = settings.filter { $0.key.hasPrefix("REELPOOL_S3_") }.map { "\($0)=\($1)" }
        _ = try await blocking { try Command.output("env", ["-i"] + words + [Fixture.program, "storage", "init"]) }
        return settings
    }

    /// What `fetch` of a page does with a URL that it was given.
    private static func put(_ url: String, file: String, type: String?) async throws -> (status: Int, head: String) {
        let kind = type.map { ["-H", "Content-Type: \($0)"] } ?? ["-H", "Content-Type:"]
        return try await blocking {
            let words = ["-sS", "-o", "/dev/null", "-D", "-", "-H", "Origin: \(origin)"] + kind
            let head = String(
                decoding: try Command.output("curl", words + ["--upload-file", file, url]), as: UTF8.self)
            let status = head.split(separator: "\r\n").last { $0.hasPrefix("HTTP/") }?.split(separator: " ").dropFirst()
            return (status?.first.flatMap { Int($0) } ?? 0, head.lowercased())
        }
    }

    private static func field(_ name: String, _ head: String) -> String? {
        head.components(separatedBy: "\r\n").first { $0.hasPrefix("\(name): ") }.map {
            String($0.dropFirst(name.count + 2))
        }
    }

    private static func body(_ owner: String, _ name: String, _ size: Int, _ type: String = "video/mp4") -> JSONValue {
        ["owner": .string(owner), "name": .string(name), "size_bytes": .integer(size), "content_type": .string(type)]
    }

    @Test("is a task's source afterwards, for its owner and nobody else", arguments: ObjectStore.allCases)
    func single(store: ObjectStore) async throws {
        try await RunningPool.with(try await Self.settings(store)) { pool in
            let file = Fixture.media("talk.mp4")
            let size = try Data(contentsOf: URL(fileURLWithPath: file)).count
            let key = ["Idempotency-Key: \(UUID().uuidString)"]
            let begun = try await pool.post("/v1/uploads", Self.body("tester", "talk.mp4", size), headers: key)
            #expect(begun.status == 201, "\(begun.body)")
            let url = try #require(begun.json["put"]?["url"]?.stringValue)
            let type = try #require(begun.json["put"]?["headers"]?["Content-Type"]?.stringValue)
            let id = try #require(begun.json["id"]?.stringValue)
            #expect(try await Self.put(url, file: file, type: "text/html").status == 403)
            #expect(try await Self.put(url, file: "/etc/passwd", type: type).status == 403)
            let early = try await pool.post("/v1/uploads/\(id)/complete", ["owner": "tester"])
            #expect(early.status == 409 && early.json["code"] == "upload_mismatch", "\(early.body)")
            let sent = try await Self.put(url, file: file, type: type)
            #expect(sent.status == 200)
            #expect(Self.field("access-control-allow-origin", sent.head) == Self.origin, "\(sent.head)")
            let done = try await pool.post("/v1/uploads/\(id)/complete", ["owner": "tester"])
            #expect(done.status == 200 && done.json["state"] == "complete", "\(done.body)")
            let again = try await pool.post("/v1/uploads", Self.body("tester", "talk.mp4", size), headers: key)
            #expect(again.status == 200 && again.json["uri"] == begun.json["uri"], "\(again.body)")
            let uri = try #require(done.json["uri"])
            let probe = try await pool.end(of: try await pool.submit("probe", ["source": uri]))
            #expect(probe["result"]?["report"]?["container"]?["duration_seconds"]?.doubleValue == 24, "\(probe.text)")
            let foreign = try await pool.end(
                of: try await pool.submit("probe", ["source": uri], ["owner": "stranger"]))
            #expect(foreign["failure"]?["code"] == "source_not_allowed")
            for action in ["parts", "complete"] {
                let body: JSONValue = action == "parts" ? ["owner": "stranger", "first": 1] : ["owner": "stranger"]
                let refused = try await pool.post("/v1/uploads/\(id)/\(action)", body)
                #expect(refused.status == 403 && refused.json["code"] == "source_not_allowed", "\(refused.body)")
            }
            #expect(try await pool.call("DELETE", "/v1/uploads/\(id)?owner=stranger").status == 403)
            #expect(try await pool.call("DELETE", "/v1/uploads/\(id)?owner=tester").status == 204)
            let gone = try await pool.end(of: try await pool.submit("probe", ["source": uri]))
            #expect(gone["failure"]?["code"] == "file_not_found", "\(gone.text)")
            #expect(try pool.logged().allSatisfy { !$0.text.contains("X-Amz-Signature") })
        }
    }

    @Test("in parts comes by their URLs alone, page by page", arguments: ObjectStore.allCases)
    func multipart(store: ObjectStore) async throws {
        try await RunningPool.with(try await Self.settings(store), command: ["serve"]) { pool in
            let size = 26 << 20
            let path = "\(pool.folder)/recording"
            // Made as `head -c` would: only its size and its order matter here.
            let made = try await blocking {
                try Command.run("sh", ["-c", "seq 1 9999999 | head -c \(size) > \(path)"]).status == 0
            }
            #expect(made)
            let begun = try await pool.post(
                "/v1/uploads", Self.body("tester", "Aufnahme 1.mov", size, "video/quicktime"))
            #expect(begun.status == 201 && begun.json["put"] == nil, "\(begun.body)")
            let id = try #require(begun.json["id"]?.stringValue)
            let form = try #require(begun.json["multipart"])
            #expect(form["part_count"] == 4 && form["next"] == .null && form["parts"]?.arrayValue?.count == 4)
            let partBytes = try #require(form["part_bytes"]?.integerValue)
            var etags: [JSONValue] = []
            // One at a time, as a page would that asks for URLs when it needs them; the last one first.
            for number in [4, 1, 3, 2] {
                let page = try await pool.post(
                    "/v1/uploads/\(id)/parts", ["owner": "tester", "first": .integer(number), "count": 1])
                let part = try #require(page.json["multipart"]?["parts"]?.arrayValue?.first, "\(page.body)")
                #expect(part["number"] == .integer(number))
                #expect(page.json["multipart"]?["next"] == (number < 4 ? .integer(number + 1) : .null))
                let (piece, url) = ("\(pool.folder)/piece", try #require(part["url"]?.stringValue))
                let command = "dd if=\(path) of=\(piece) bs=\(partBytes) skip=\(number - 1) count=1 status=none"
                _ = try await blocking { try Command.output("sh", ["-c", command]) }
                if number == 1 { #expect(try await Self.put(url, file: "/etc/passwd", type: nil).status == 403) }
                let sent = try await Self.put(url, file: piece, type: nil)
                #expect(sent.status == 200, "\(sent.head)")
                #expect(Self.field("access-control-expose-headers", sent.head)?.contains("etag") == true)
                etags.append(["number": .integer(number), "etag": .text(Self.field("etag", sent.head))])
            }
            let done = try await pool.post("/v1/uploads/\(id)/complete", ["owner": "tester", "parts": .array(etags)])
            #expect(done.status == 200 && done.json["state"] == "complete", "\(done.body)")
            let uri = try #require(done.json["uri"]?.stringValue)
            #expect(uri.hasPrefix("s3://upload-raw/uploads/tester/") && uri.hasSuffix("/Aufnahme-1.mov"))
            #expect(try await pool.call("DELETE", "/v1/uploads/\(id)?owner=tester").status == 204)
            let late = try await pool.post("/v1/uploads/\(id)/complete", ["owner": "tester", "parts": .array(etags)])
            #expect(late.status == 404 && late.json["code"] == "unknown_upload", "\(late.body)")
        }
    }

    @Test("that cannot be is refused with its reason")
    func refusals() async throws {
        let settings = try await Self.settings(.seaweedfs)
        try await RunningPool.with(settings, command: ["serve"]) { pool in
            #expect(try await pool.call("POST", "/v1/uploads", body: Self.body("o", "n", 1), token: nil).status == 401)
            let wrong: [(JSONValue, Int, JSONValue)] = [
                (["owner": "o", "name": "n", "size_bytes": 3], 422, "invalid_task"),
                (["owner": "o", "name": "n", "size_bytes": "3", "content_type": "video/mp4"], 422, "invalid_task"),
                (["owner": "o", "name": "n", "size": 3], 422, "unknown_field"),
                (Self.body("a/b", "n", 3), 422, "invalid_task"),
                (Self.body("o", "n", 3, "text/html"), 422, "invalid_task"),
                (Self.body("o", "n", 0), 422, "empty_file"), (Self.body("o", "n", 2 << 30), 413, "source_too_large"),
            ]
            for (body, status, code) in wrong {
                let answer = try await pool.post("/v1/uploads", body)
                #expect(answer.status == status && answer.json["code"] == code, "\(body.text): \(answer.body)")
            }
            let unknown = try await pool.post("/v1/uploads/abc.def/complete", ["owner": "o"])
            #expect(unknown.status == 404 && unknown.json["code"] == "unknown_upload", "\(unknown.body)")
            #expect(try await pool.call("DELETE", "/v1/uploads/abc.def").status == 400)
            let paths = try await pool.get("/openapi.json").json["paths"]?.objectValue?.keys.filter {
                $0.contains("upload")
            }
            #expect(
                paths?.sorted() == [
                    "/v1/uploads", "/v1/uploads/{id}", "/v1/uploads/{id}/complete", "/v1/uploads/{id}/parts",
                ])
        }
        try await RunningPool.with(command: ["serve"]) { pool in
            let answer = try await pool.post("/v1/uploads", Self.body("o", "n", 3))
            #expect(answer.status == 403 && answer.json["code"] == "source_not_allowed", "\(answer.body)")
        }
    }

    @Test("works as the page on stores shows it")
    func document() async throws {
        let script = try #require(
            try Document("docs/object-stores.md").blocks("sh").first { $0.contains("/v1/uploads") })
        try await RunningPool.with(try await Self.settings(.seaweedfs)) { pool in
            let words = [
                "REELPOOL_URL=\(try pool.url())", "REELPOOL_API_TOKEN=\(RunningPool.token)",
                "FILE=\(Fixture.media("talk.mp4"))", "bash", "-euo", "pipefail", "-c", script,
            ]
            var outputs: [String] = []
            for _ in 0..<2 {
                outputs.append(
                    try await blocking { String(decoding: try Command.output("env", words), as: UTF8.self) })
            }
            #expect(outputs[0] == outputs[1])
            let output = outputs[0]
            let uri = try #require(output.split(separator: "\n").last.map(String.init))
            #expect(uri.hasPrefix("s3://upload-raw/uploads/alice/"), "\(output)")
            let probe = try await pool.end(
                of: try await pool.submit("probe", ["source": .string(uri)], ["owner": "alice"]))
            #expect(probe["state"] == "succeeded", "\(probe.text)")
        }
    }
}
