import Foundation
import HTTPTransfer
import Model
import ObjectsS3
import PoolTestSupport
import S3
import TestSupport
import Testing
import WorkerCore

/// What a page does: it has URLs and nothing else.
private func put(_ url: String, _ bytes: [UInt8], type: String? = nil) throws -> TransferResponse {
    let headers = type.map { [TransferHeader("Content-Type", $0)] } ?? []
    return try HTTPClient(.init(.open)).perform(
        TransferRequest("PUT", try WebAddress(url), headers: headers), body: .bytes(bytes),
        into: .collect(upTo: 1 << 16))
}

private func failure(_ body: () throws -> Void) -> FailureCode? {
    do {
        try body()
        return nil
    } catch {
        return (error as? Failure)?.code ?? .internalFault
    }
}

@Suite("An upload by signed URLs", .enabled(if: ObjectStore.areThere, "\(ObjectStore.absence)"))
struct DirectUploadTests {
    private static let stop = TransferStop()
    private static let time: StoreTime = 1_800_000_000_000

    /// - Parameters:
    ///   - client: whose clock signs.
    ///   - later: how many milliseconds after all others.
    private static func desk(
        _ store: ObjectStore, client: S3Client? = nil, later: StoreTime = 0, secret: String = "a secret of the pool",
        endpoint: S3Endpoint? = nil
    ) throws -> DirectUploads {
        let bucket = try store.bucket()
        let pattern = try #require(ObjectRules.Pattern("\(bucket)/uploads/{owner}"))
        return DirectUploads(
            try client ?? store.client(), endpoint: try endpoint ?? store.endpoint(),
            rules: ObjectRules(read: [pattern], write: []), bucket: bucket,
            secret: secret,
            mostBytes: 1 << 30, newID: { UUID().uuidString.lowercased() }, now: { time + later })
    }

    private static func wanted(
        _ size: Int, owner: String = "ann", name: String = "my film.mp4", type: String = "video/mp4"
    ) -> WantedUpload {
        WantedUpload(owner: owner, name: name, sizeBytes: Int64(size), contentType: type)
    }

    private static func object(_ store: ObjectStore, _ upload: DirectUpload) throws -> [UInt8] {
        try store.client().wholeObject(try #require(S3Place(uri: upload.uri)))
    }

    @Test("in one piece takes exactly what was announced", arguments: ObjectStore.allCases)
    func single(store: ObjectStore) async throws {
        try await blocking {
            let desk = try Self.desk(store)
            let bytes = randomBytes(100_000, seed: 1)
            let upload = try desk.begin(Self.wanted(bytes.count), key: nil)
            #expect(upload.uri.contains("/uploads/ann/") && upload.uri.hasSuffix("/my-film.mp4"))
            #expect(upload.state == .waiting && upload.partBytes == nil && upload.puts.count == 1)
            #expect(upload.putsExpireAt == Self.time + 900_000)
            let url = upload.puts[0].url
            #expect(try put(url, bytes + [0], type: "video/mp4").status == 403, "another size")
            #expect(try put(url, Array(bytes.dropLast()), type: "video/mp4").status == 403, "another size")
            #expect(try put(url, bytes, type: "text/html").status == 403, "another type")
            #expect(failure { _ = try desk.complete(upload.id, owner: "ann", parts: []) } == .uploadMismatch)
            #expect(try put(url, bytes, type: "video/mp4").status == 200)
            for _ in 0..<2 {
                let done = try desk.complete(upload.id, owner: "ann", parts: [])
                #expect(done.state == .complete && done.uri == upload.uri && done.etag != nil && done.puts == [])
            }
            #expect(try Self.object(store, upload) == bytes)
            try desk.drop(upload.id, owner: "ann")
            try desk.drop(upload.id, owner: "ann")
            #expect(failure { _ = try desk.complete(upload.id, owner: "ann", parts: []) } == .uploadMismatch)
        }
    }

    @Test("goes in equal parts from 25 MiB on, whose URLs take nothing else", arguments: ObjectStore.allCases)
    func multipart(store: ObjectStore) async throws {
        try await blocking {
            let desk = try Self.desk(store)
            #expect(try desk.begin(Self.wanted((25 << 20) - 1), key: nil).partBytes == nil)
            let bytes = randomBytes(25 << 20, seed: 2)
            let upload = try desk.begin(Self.wanted(bytes.count), key: nil)
            #expect(upload.partBytes == 8 << 20 && upload.partCount == 4)
            #expect(upload.puts.map(\.part) == [1, 2, 3, 4] && upload.puts.map(\.sizeBytes).last == 1 << 20)
            // Anew, and only some, in any order.
            let later = try desk.parts(upload.id, owner: "ann", from: 3, count: 1)
            #expect(later.puts.map(\.part) == [3])
            var parts: [UploadedPart] = []
            for one in [upload.puts[3], later.puts[0], upload.puts[0], upload.puts[1]] {
                let number = try #require(one.part)
                let piece = Array(bytes.dropFirst((number - 1) << 23).prefix(Int(one.sizeBytes)))
                if number == 4 { #expect(try put(one.url, piece + [1]).status == 403, "another size") }
                let answer = try put(one.url, piece)
                #expect(answer.status == 200)
                parts.append(UploadedPart(number: number, etag: try #require(answer.head["ETag"])))
            }
            let owner = "ann"
            #expect(
                failure { _ = try desk.complete(upload.id, owner: owner, parts: Array(parts.dropLast())) }
                    == .uploadMismatch)
            var wrong = parts
            wrong[0].etag = String(repeating: "0", count: 32)
            #expect(failure { _ = try desk.complete(upload.id, owner: owner, parts: wrong) } == .uploadMismatch)
            for _ in 0..<2 {
                let done = try desk.complete(upload.id, owner: owner, parts: parts)
                #expect(done.state == .complete && done.etag?.hasSuffix("-4") == true)
            }
            #expect(try Self.object(store, upload) == bytes)
            try desk.drop(upload.id, owner: owner)
            #expect(failure { _ = try desk.complete(upload.id, owner: owner, parts: parts) } == .unknownUpload)
        }
    }

    @Test("is the same one by the same key, also when its answer was lost", arguments: ObjectStore.allCases)
    func idempotency(store: ObjectStore) async throws {
        try await blocking {
            let desk = try Self.desk(store)
            let key = UUID().uuidString
            let large = try desk.begin(Self.wanted(26 << 20), key: key)
            let again = try Self.desk(store).begin(Self.wanted(26 << 20), key: key)
            #expect(large.id == again.id && large.uri == again.uri)
            let others = [
                try desk.begin(Self.wanted(26 << 20, owner: "bob"), key: key),
                try desk.begin(Self.wanted((26 << 20) + 1), key: key), try desk.begin(Self.wanted(26 << 20), key: nil),
            ]
            #expect(Set(([large] + others).map(\.uri)).count == 4)
            for one in [large] + others { try desk.drop(one.id, owner: one.wanted.owner) }
            let place = try #require(S3Place(uri: large.uri))
            #expect(try store.client().uploads(in: place.bucket, prefix: place.key, stop: Self.stop) == [])
            let small = try desk.begin(Self.wanted(3), key: key)
            #expect(try put(small.puts[0].url, [1, 2, 3], type: "video/mp4").status == 200)
            _ = try desk.complete(small.id, owner: "ann", parts: [])
            let known = try desk.begin(Self.wanted(3), key: key)
            #expect(known.state == .complete && known.uri == small.uri && known.etag != nil)
            try desk.drop(known.id, owner: "ann")
        }
    }

    @Test("by URLs that are too old is refused, and one that was not completed in a day is over")
    func expiry() async throws {
        try await blocking {
            for store in ObjectStore.allCases {
                var settings = S3ClientSettings()
                settings.clock.wallSeconds = { S3Clock.system.wallSeconds() - 901 }
                let old = try Self.desk(store, client: try store.client(settings: settings))
                let upload = try old.begin(Self.wanted(3), key: nil)
                #expect(try put(upload.puts[0].url, [1, 2, 3], type: "video/mp4").status == 403)
                let late = try Self.desk(store, later: 86_400_001)
                #expect(failure { _ = try late.complete(upload.id, owner: "ann", parts: []) } == .urlExpired)
                try late.drop(upload.id, owner: "ann")
            }
        }
    }

    @Test("goes where pages reach the store, which may be elsewhere", arguments: ObjectStore.allCases)
    func publicEndpoint(store: ObjectStore) async throws {
        try await blocking {
            let elsewhere = try store.url.replacingOccurrences(of: "127.0.0.1", with: "localhost")
            for style in S3Endpoint.Style.allCases {
                let desk = try Self.desk(store, endpoint: try store.endpoint(url: elsewhere, style: style))
                let upload = try desk.begin(Self.wanted(3), key: nil)
                let host = style == .path ? "//localhost:" : "//\(try store.bucket()).localhost:"
                #expect(upload.puts[0].url.contains(host))
                #expect(try put(upload.puts[0].url, [1, 2, 3], type: "video/mp4").status == 200)
                #expect(try desk.complete(upload.id, owner: "ann", parts: []).state == .complete)
                try desk.drop(upload.id, owner: "ann")
            }
        }
    }

    @Test("is nobody else's, and its id is none that anybody could make")
    func owners() async throws {
        try await blocking {
            let store = ObjectStore.seaweedfs
            let desk = try Self.desk(store)
            let upload = try desk.begin(Self.wanted(26 << 20), key: nil)
            defer { try? desk.drop(upload.id, owner: "ann") }
            #expect(failure { _ = try desk.parts(upload.id, owner: "bob", from: 1, count: 1) } == .sourceNotAllowed)
            #expect(failure { _ = try desk.complete(upload.id, owner: "bob", parts: []) } == .sourceNotAllowed)
            #expect(failure { try desk.drop(upload.id, owner: "bob") } == .sourceNotAllowed)
            #expect(failure { _ = try desk.parts(upload.id, owner: "ann", from: 5, count: 1) } == .invalidTask)
            let other = try Self.desk(store, secret: "another pool's secret")
            #expect(failure { _ = try other.parts(upload.id, owner: "ann", from: 1, count: 1) } == .unknownUpload)
            let id = Array(upload.id)
            let dot = try #require(id.firstIndex(of: "."))
            var forgeries = id.indices.map { (at: $0, by: id[$0] == "A" ? "B" : "A" as Character) }
            // The last of either half has bits that decode to nothing.
            let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
            for last in [dot - 1, id.count - 1] {
                forgeries += alphabet.filter { $0 != id[last] }.map { (at: last, by: $0) }
            }
            for (at, by) in forgeries {
                var text = id
                text[at] = by
                let forged = String(text)
                #expect(
                    failure { _ = try desk.parts(forged, owner: "ann", from: 1, count: 1) } == .unknownUpload,
                    "\(by) at \(at)")
            }
            for text in ["", ".", "a.b", upload.id + "A", String(upload.id.dropLast()), "\(upload.id).x"] {
                #expect(failure { try desk.drop(text, owner: "ann") } == .unknownUpload, "\(text)")
            }
        }
    }

    @Test("that is no media, has no owner or is too large is not begun")
    func refusals() async throws {
        try await blocking {
            let desk = try Self.desk(.seaweedfs)
            let wrong: [(WantedUpload, FailureCode)] = [
                (Self.wanted(3, owner: ""), .invalidTask), (Self.wanted(3, owner: "a/b"), .invalidTask),
                (Self.wanted(3, owner: ".."), .invalidTask), (Self.wanted(3, owner: "{owner}"), .invalidTask),
                (Self.wanted(3, name: ""), .invalidTask), (Self.wanted(3, type: "text/html"), .invalidTask),
                (Self.wanted(3, type: "image/svg+xml"), .invalidTask), (Self.wanted(3, type: "video"), .invalidTask),
                (Self.wanted(3, type: "video/mp4\r\nX: y"), .invalidTask), (Self.wanted(0), .emptyFile),
                (Self.wanted((1 << 30) + 1), .sourceTooLarge),
            ]
            for (wanted, code) in wrong {
                #expect(failure { _ = try desk.begin(wanted, key: nil) } == code, "\(wanted)")
            }
            let names = ["../../etc/passwd": "etc-passwd", "Ünï ✂.mov": "n-.mov", "..": "upload", "a\nb": "a-b"]
            for (name, safe) in names {
                let upload = try desk.begin(Self.wanted(3, name: name), key: nil)
                #expect(upload.uri.hasSuffix("/\(safe)"), "\(upload.uri)")
            }
        }
    }

    @Test("that came otherwise than it was announced is deleted", arguments: ObjectStore.allCases)
    func mismatch(store: ObjectStore) async throws {
        try await blocking {
            let (desk, client) = (try Self.desk(store), try store.client())
            for (bytes, name) in [([UInt8](repeating: 1, count: 4), "a.mp4"), ([1, 2, 3], "a.html")] {
                let upload = try desk.begin(Self.wanted(3, name: name), key: nil)
                let place = try #require(S3Place(uri: upload.uri))
                // As through a store that does not hold URLs to their headers. JuiceFS makes types of names.
                _ = try client.put(place, bytes, contentType: name == "a.html" ? "text/html" : nil, stop: Self.stop)
                #expect(failure { _ = try desk.complete(upload.id, owner: "ann", parts: []) } == .uploadMismatch)
                #expect(try client.info(place, stop: Self.stop) == nil)
            }
        }
    }
}
