import Foundation
import HTTPTransfer
import PoolTestSupport
import S3
import TestSupport
import Testing

/// A client of others: the command that people have.
private func curl(_ arguments: [String]) throws -> (status: Int, body: [UInt8], etag: String?) {
    try withTemporaryFolder { folder in
        // `--path-as-is`, as a key's dots are its own.
        let words = ["-sS", "--path-as-is", "-o", "\(folder)/body", "-D", "\(folder)/head", "-w", "%{http_code}"]
        let status = Int(String(decoding: try Command.output("curl", words + arguments), as: UTF8.self)) ?? 0
        let head = try String(contentsOfFile: "\(folder)/head", encoding: .utf8)
        let etag = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("etag:") }
        let body = (try? Data(contentsOf: URL(fileURLWithPath: "\(folder)/body"))) ?? Data()
        return (status, Array(body), etag.map { line in String(line.dropFirst(5)).filter { $0 != "\"" && $0 != " " } })
    }
}

@Suite("A URL that is signed", .enabled(if: ObjectStore.areThere, "\(ObjectStore.absence)"))
struct PresignTests {
    private let stop = TransferStop()

    /// A file for `curl --upload-file`.
    private func withFile(_ bytes: [UInt8], _ body: (String) throws -> Void) throws {
        try withTemporaryFolder { folder in
            try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/file"))
            try body("\(folder)/file")
        }
    }

    @Test("lets whoever has it read and write one object", arguments: ObjectStore.allCases)
    func objects(store: ObjectStore) async throws {
        try await blocking {
            let (client, place) = (try store.client(), try store.place("a b+c%20 ü~/x?y.mp4"))
            let bytes = randomBytes(200_000, seed: 7)
            let type: S3Field = ("Content-Type", "video/mp4")
            try withFile(bytes) { file in
                let url = client.presign("PUT", place, headers: [type])
                let bare = try curl(["--upload-file", file, url])
                let whole = try curl(["--upload-file", file, "-H", "Content-Type: video/mp4", url])
                #expect(bare.status == 403, "a header that was signed is missing")
                #expect(whole.status == 200)
            }
            #expect(try client.info(place, stop: stop)?.contentType == "video/mp4")
            let url = client.presign("GET", place)
            #expect(url.contains("X-Amz-Expires=900"))
            #expect(try curl([url]).body == bytes)
            let part = try curl(["-H", "Range: bytes=10-19", url])
            #expect(part.status == 206 && part.body == Array(bytes[10..<20]))
            // Without a signature there is nothing; and it is for this object, for reading, and for so long.
            let others = [
                [String(url.prefix { $0 != "?" })], [url.replacing("/x%3Fy", with: "/x%3Fz")], ["-X", "DELETE", url],
                [url.replacing("X-Amz-Expires=900", with: "X-Amz-Expires=901")],
            ]
            for words in others {
                let answer = try curl(words)
                #expect(answer.status == 403, "\(words)")
            }
        }
    }

    @Test("can name what the answer says of itself", arguments: ObjectStore.allCases)
    func disposition(store: ObjectStore) async throws {
        try await blocking {
            let (client, place) = (try store.client(), try store.place())
            _ = try client.put(place, [1, 2, 3], stop: stop)
            let name = "attachment; filename=\"my film + 100%.mp4\""
            let url = client.presign("GET", place, query: [("response-content-disposition", name)])
            let answer = try HTTPClient(.init(.open)).perform(
                TransferRequest("GET", try WebAddress(url)), into: .collect(upTo: 100))
            #expect(answer.body == [1, 2, 3] && answer.head["Content-Disposition"] == name)
        }
    }

    @Test("is good for so long and no longer", arguments: ObjectStore.allCases)
    func expiry(store: ObjectStore) async throws {
        try await blocking {
            let place = try store.place()
            _ = try store.client().put(place, [1], stop: stop)
            // Signed ten minutes ago.
            let client = try store.client(settings: TestTime().settings(ahead: -600))
            let old = try curl([client.presign("GET", place, seconds: 599)])
            let good = try curl([client.presign("GET", place, seconds: 1200)])
            #expect(old.status == 403 && good.status == 200)
        }
    }

    @Test("lets whoever has it upload a part", arguments: ObjectStore.allCases)
    func parts(store: ObjectStore) async throws {
        try await blocking {
            let (client, place) = (try store.client(), try store.place("a b.mp4"))
            let upload = try client.beginUpload(place, stop: stop)
            let pieces = [randomBytes(5 << 20, seed: 8), randomBytes(77, seed: 9)]
            var parts: [S3Part] = []
            for (index, piece) in pieces.enumerated() {
                let url = client.presign(
                    "PUT", place, query: [("partNumber", "\(index + 1)"), ("uploadId", upload)])
                try withFile(piece) { file in
                    let answer = try curl(["--upload-file", file, url])
                    #expect(answer.status == 200)
                    parts.append(S3Part(number: index + 1, etag: try #require(answer.etag)))
                }
            }
            _ = try client.completeUpload(place, upload, parts: parts, stop: stop)
            #expect(try client.bytes(place).bytes == pieces[0] + pieces[1])
        }
    }
}
