internal import HTTPTransfer
package import Model
package import S3
package import WorkerCore

/// Uploads by signed URLs into a bucket's `uploads/`, each into its owner's folder, with nothing kept of them but what
/// their ids carry.
package struct DirectUploads: UploadDesk {
    /// How long a URL is good: time to begin a request, none for a leak.
    private static let urlSeconds = 900
    /// A rule drops uploads that are older.
    private static let uploadMilliseconds: StoreTime = 86_400_000
    /// From so many bytes on it goes in parts, each of which can be tried again by itself.
    package static let leastInParts: Int64 = 25 << 20
    private static let leastPart: Int64 = 8 << 20
    /// Parts whose URLs come in one answer.
    package static let partPage = 100

    private let client: S3Client
    private let endpoint: S3Endpoint
    private let rules: ObjectRules
    private let bucket: String
    private let seal: UploadSeal
    private let mostBytes: Int64
    private let newID: @Sendable () -> String
    private let now: @Sendable () -> StoreTime

    /// - Parameters:
    ///   - endpoint: where pages reach the store.
    ///   - bucket: of originals.
    ///   - secret: signs ids; the same for all services of a pool.
    ///   - mostBytes: of one upload.
    ///   - newID: of a kind that is never the same again.
    ///   - now: in milliseconds since 1970.
    package init(
        _ client: S3Client, endpoint: S3Endpoint, rules: ObjectRules, bucket: String, secret: String, mostBytes: Int64,
        newID: @escaping @Sendable () -> String, now: @escaping @Sendable () -> StoreTime
    ) {
        (self.client, self.rules, self.bucket, self.mostBytes) = (client, rules, bucket, mostBytes)
        (seal, self.newID, self.now, self.endpoint) = (UploadSeal(secret: secret), newID, now, endpoint)
    }

    // MARK: Beginning

    package func begin(_ wanted: WantedUpload, key: String?) throws(Failure) -> DirectUpload {
        try check(wanted)
        let id = key.map { key in
            seal.name(of: [wanted.owner, key, wanted.name, "\(wanted.sizeBytes)", wanted.contentType])
        }
        let name = UploadNames.key(owner: wanted.owner, id: id ?? newID(), name: wanted.name)
        let place = S3Place(bucket: bucket, key: name)
        // What nobody could use afterwards need not be sent.
        _ = try rules.source(place.uri, owner: wanted.owner)
        var token = UploadToken(
            wanted: wanted, place: place, uploadID: nil, partBytes: Self.partBytes(of: wanted.sizeBytes),
            expiresAt: now() + Self.uploadMilliseconds)
        return try store { () throws(S3Error) in
            if key != nil, let found = try client.info(place, stop: TransferStop()), Self.isAnnounced(found, wanted) {
                return answer(token, .complete, etag: found.etag)
            }
            if wanted.sizeBytes >= Self.leastInParts {
                // The answer to an earlier request of this name may have been lost.
                let earlier = key == nil ? nil : try upload(to: place)
                if let earlier {
                    token.uploadID = earlier
                } else {
                    token.uploadID = try client.beginUpload(
                        place, contentType: wanted.contentType, stop: TransferStop())
                }
            }
            return waiting(token, from: 1, count: Self.partPage)
        }
    }

    private func check(_ wanted: WantedUpload) throws(Failure) {
        guard ObjectRules.isName(wanted.owner) else {
            throw Failure(code: .invalidTask, message: "owner: should be a name without slashes and braces")
        }
        guard !wanted.name.isEmpty, wanted.name.utf8.count <= 1024 else {
            throw Failure(code: .invalidTask, message: "name: should have from 1 to 1024 bytes")
        }
        guard UploadNames.isType(wanted.contentType) else {
            throw Failure(
                code: .invalidTask,
                message: "content_type: should be of video, audio or image, or application/octet-stream")
        }
        guard wanted.sizeBytes > 0 else {
            throw Failure(code: .emptyFile, message: "size_bytes: should be more than 0")
        }
        guard wanted.sizeBytes <= mostBytes else {
            throw Failure(code: .sourceTooLarge, message: "size_bytes: at most \(mostBytes) bytes are taken")
        }
    }

    /// Equal parts of whole MiB, because R2 wants them equal, and so many as a store takes at most.
    private static func partBytes(of sizeBytes: Int64) -> Int64 {
        let least = (sizeBytes + Int64(UploadedPart.mostNumbers) - 1) / Int64(UploadedPart.mostNumbers)
        return max(leastPart, ((least + (1 << 20) - 1) >> 20) << 20)
    }

    private func upload(to place: S3Place) throws(S3Error) -> String? {
        try client.uploads(in: place.bucket, prefix: place.key, stop: TransferStop())
            .first { $0.place == place }?.uploadID
    }

    // MARK: Parts

    package func parts(_ id: String, owner: String, from first: Int, count: Int) throws(Failure) -> DirectUpload {
        let token = try open(id, owner)
        guard (1...token.partCount).contains(first), (1...Self.partPage).contains(count) else {
            throw Failure(
                code: .invalidTask,
                message: "there are parts from 1 to \(token.partCount), and at most \(Self.partPage) at a time")
        }
        return waiting(token, from: first, count: count)
    }

    /// The size is signed, and the type where it is sent with the bytes: a store that honours that takes nothing else.
    private func waiting(_ token: UploadToken, from first: Int, count: Int) -> DirectUpload {
        var upload = answer(token, .waiting)
        upload.putsExpireAt = now() + StoreTime(Self.urlSeconds) * 1000
        guard let uploadID = token.uploadID else {
            let size = token.wanted.sizeBytes
            let headers: [S3Field] = [("Content-Type", token.wanted.contentType), ("Content-Length", "\(size)")]
            let url = client.presign(
                "PUT", token.place, headers: headers, seconds: Self.urlSeconds, at: endpoint)
            upload.puts = [DirectUpload.Put(sizeBytes: size, url: url)]
            return upload
        }
        upload.puts = (first...token.partCount).prefix(count).map { number in
            let size = token.bytes(ofPart: number)
            let url = client.presign(
                "PUT", token.place, query: [("partNumber", "\(number)"), ("uploadId", uploadID)],
                headers: [("Content-Length", "\(size)")], seconds: Self.urlSeconds, at: endpoint)
            return DirectUpload.Put(part: number, sizeBytes: size, url: url)
        }
        return upload
    }

    // MARK: The end

    package func complete(_ id: String, owner: String, parts: [UploadedPart]) throws(Failure) -> DirectUpload {
        let token = try open(id, owner)
        if let uploadID = token.uploadID {
            guard parts.map(\.number).sorted() == Array(1...token.partCount) else {
                throw Self.mismatch("there are parts from 1 to \(token.partCount): all are needed, each once")
            }
            try make(token, uploadID, parts.map { S3Part(number: $0.number, etag: ETag.plain($0.etag)) })
        } else if !parts.isEmpty {
            throw Self.mismatch("this upload has no parts")
        }
        let found = try store { () throws(S3Error) in try client.info(token.place, stop: TransferStop()) }
        guard let found else { throw Self.mismatch("nothing was uploaded yet") }
        guard Self.isAnnounced(found, token.wanted) else {
            try store { () throws(S3Error) in try client.delete(token.place, stop: TransferStop()) }
            throw Self.mismatch(
                "\(token.wanted.sizeBytes) bytes of \(token.wanted.contentType) were announced; what came is deleted: "
                    + "\(found.sizeBytes) bytes of \(found.contentType ?? "no type")")
        }
        return answer(token, .complete, etag: found.etag)
    }

    private func make(_ token: UploadToken, _ uploadID: String, _ parts: [S3Part]) throws(Failure) {
        do throws(S3Error) {
            _ = try client.completeUpload(token.place, uploadID, parts: parts, stop: TransferStop())
        } catch {
            switch error.kind {
            case .noSuchUpload, .noSuchKey:
                // By an earlier request whose answer was lost: then the object is there.
                let found = try store { () throws(S3Error) in try client.info(token.place, stop: TransferStop()) }
                guard let found, ETag.of(parts).map({ $0 == found.etag }) ?? true else { throw Self.unknown }
            case .invalidRequest:
                throw Failure(
                    code: .uploadMismatch, message: "the parts are not those that were uploaded", detail: error.detail)
            default: throw Failure(error)
            }
        }
    }

    package func drop(_ id: String, owner: String) throws(Failure) {
        let token = try open(id, owner, evenIfLate: true)
        try store { () throws(S3Error) in
            if let uploadID = token.uploadID {
                _ = try client.abortUpload(token.place, uploadID, stop: TransferStop())
            }
            try client.delete(token.place, stop: TransferStop())
        }
    }

    // MARK: Pieces

    private func open(_ id: String, _ owner: String, evenIfLate: Bool = false) throws(Failure) -> UploadToken {
        guard let token = seal.open(id), token.place.bucket == bucket else { throw Self.unknown }
        guard token.wanted.owner == owner else {
            throw Failure(code: .sourceNotAllowed, message: "the upload is another owner's")
        }
        guard evenIfLate || now() < token.expiresAt else {
            throw Failure(code: .urlExpired, message: "the upload was not completed in its time; begin another")
        }
        return token
    }

    private func answer(_ token: UploadToken, _ state: DirectUpload.State, etag: String? = nil) -> DirectUpload {
        var upload = DirectUpload(
            id: seal.seal(token), state: state, uri: token.place.uri, wanted: token.wanted,
            partBytes: token.uploadID.map { _ in token.partBytes }, partCount: token.partCount,
            expiresAt: token.expiresAt)
        upload.etag = etag
        return upload
    }

    private static func isAnnounced(_ info: S3ObjectInfo, _ wanted: WantedUpload) -> Bool {
        // JuiceFS makes a type of its own from the name's ending.
        info.sizeBytes == wanted.sizeBytes
            && (info.contentType == wanted.contentType || !UploadNames.mayRun(info.contentType ?? ""))
    }

    private func store<Value>(_ body: () throws(S3Error) -> Value) throws(Failure) -> Value {
        do throws(S3Error) {
            return try body()
        } catch {
            throw Failure(error)
        }
    }

    private static let unknown = Failure(code: .unknownUpload, message: "there is no such upload")

    private static func mismatch(_ message: String) -> Failure { Failure(code: .uploadMismatch, message: message) }
}
