import HTTPTransfer
import Model
import PoolTestSupport
import S3
import Testing

@Suite("An upload in parts", .enabled(if: ObjectStore.areThere, "\(ObjectStore.absence)"))
struct UploadTests {
    private let stop = TransferStop()
    /// The smallest that may be followed by another. Source: AWS, "Amazon S3 multipart upload limits".
    private static let partBytes = 5 << 20

    @Test("takes parts in any order, and shows nothing before it is complete", arguments: ObjectStore.allCases)
    func order(store: ObjectStore) async throws {
        let place = try await blocking { try store.place("film.mp4") }
        let (client, stop) = (try store.client(), stop)
        let bytes = randomBytes(Self.partBytes * 3 + 1234, seed: 5)
        let upload = try await blocking { try client.beginUpload(place, contentType: "video/mp4", stop: stop) }
        // The last ones first, and three at a time; the first last, as the writer of an MP4 has it.
        let parts = try await withThrowingTaskGroup(of: S3Part.self, returning: [S3Part].self) { group in
            for number in [4, 3, 2] {
                let part = Array(bytes[((number - 1) * Self.partBytes)...].prefix(Self.partBytes))
                group.addTask { try await blocking { try client.part(place, upload, number, part) } }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let first = try await blocking { try client.part(place, upload, 1, Array(bytes.prefix(Self.partBytes))) }
        try await blocking {
            #expect(try client.info(place, stop: stop) == nil)
            let all = parts + [first]
            let etag = try client.completeUpload(place, upload, parts: all, stop: stop)
            #expect(etag == ETag.of(all))
            let read = try client.bytes(place)
            #expect(read.bytes == bytes)
            #expect(read.info.etag == etag && read.info.contentType == "video/mp4")
            try client.delete(place, stop: stop)
        }
    }

    @Test("keeps the last of parts with one number", arguments: ObjectStore.allCases)
    func replacedPart(store: ObjectStore) async throws {
        try await blocking {
            let (client, place) = (try store.client(), try store.place())
            let upload = try client.beginUpload(place, stop: stop)
            _ = try client.part(place, upload, 1, randomBytes(1000, seed: 6))
            let part = try client.part(place, upload, 1, [1, 2, 3])
            _ = try client.completeUpload(place, upload, parts: [part], stop: stop)
            #expect(try client.bytes(place).bytes == [1, 2, 3])
        }
    }

    @Test("that is aborted leaves nothing, and takes nothing more", arguments: ObjectStore.allCases)
    func abort(store: ObjectStore) async throws {
        try await blocking {
            let (client, place) = (try store.client(), try store.place())
            let upload = try client.beginUpload(place, stop: stop)
            let part = try client.part(place, upload, 1, [1])
            #expect(try client.abortUpload(place, upload, stop: stop))
            #expect(refused { _ = try client.part(place, upload, 2, [2]) }?.kind == .noSuchUpload)
            let complete = refused { _ = try client.completeUpload(place, upload, parts: [part], stop: stop) }
            #expect(complete?.kind == .noSuchUpload && complete?.code == .transferFailed)
            #expect(try client.info(place, stop: stop) == nil)
            #expect(try client.uploads(in: place.bucket, prefix: place.key, stop: stop) == [])
            // SeaweedFS says so of uploads that it never had, not of those that it has no more.
            #expect(try client.abortUpload(place, upload, stop: stop) == (store == .seaweedfs))
            #expect(try client.abortUpload(place, "nonsense", stop: stop) == false)
        }
    }

    @Test("refuses to be complete with parts that it does not have", arguments: ObjectStore.allCases)
    func wrongParts(store: ObjectStore) async throws {
        try await blocking {
            let (client, place) = (try store.client(), try store.place())
            let upload = try client.beginUpload(place, stop: stop)
            var part = try client.part(place, upload, 1, [1])
            part.etag = String(part.etag.reversed())
            let error = refused { _ = try client.completeUpload(place, upload, parts: [part], stop: stop) }
            #expect(error?.kind == .invalidRequest && error?.serverCode == "InvalidPart")
            #expect(try client.info(place, stop: stop) == nil)
            _ = try client.abortUpload(place, upload, stop: stop)
        }
    }

    @Test("is in the list of those that were begun, which has pages", arguments: ObjectStore.allCases)
    func lists(store: ObjectStore) async throws {
        try await blocking {
            var settings = S3ClientSettings()
            settings.listPage = 2
            let (client, folder) = (try store.client(settings: settings), try store.place(""))
            func place(_ name: String) -> S3Place { S3Place(bucket: folder.bucket, key: folder.key + name) }
            var begun: Set<String> = []
            for name in ["a b", "a+b", "c%20", "d/ü", "d/ü"] {
                begun.insert(try client.beginUpload(place(name), stop: stop))
            }
            let listed = try client.uploads(in: folder.bucket, prefix: folder.key, stop: stop)
            #expect(Set(listed.map(\.uploadID)) == begun && listed.count == 5)
            #expect(Set(listed.map(\.place)) == Set(["a b", "a+b", "c%20", "d/ü"].map(place)))
            #expect(listed.allSatisfy { $0.begunAt.hasPrefix("20") })
            for upload in listed { #expect(try client.abortUpload(upload.place, upload.uploadID, stop: stop)) }
            #expect(try client.uploads(in: folder.bucket, prefix: folder.key, stop: stop) == [])
        }
    }

    @Test(
        "is completed on a condition by SeaweedFS, and without regard to it by JuiceFS", arguments: ObjectStore.allCases
    )
    func conditions(store: ObjectStore) async throws {
        try await blocking {
            let (client, place) = (try store.client(), try store.place())
            _ = try client.put(place, [9], stop: stop)
            let upload = try client.beginUpload(place, stop: stop)
            let part = try client.part(place, upload, 1, [1])
            let error = refused {
                _ = try client.completeUpload(place, upload, parts: [part], condition: .ifAbsent, stop: stop)
            }
            switch store {
            case .seaweedfs:
                #expect(error?.kind == .preconditionFailed)
                #expect(try client.bytes(place).bytes == [9])
                _ = try client.abortUpload(place, upload, stop: stop)
            case .juicefs:
                #expect(error == nil)
                #expect(try client.bytes(place).bytes == [1])
            }
        }
    }
}
