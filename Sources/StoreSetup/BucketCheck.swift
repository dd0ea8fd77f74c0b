internal import HTTPTransfer
internal import S3

/// What is done in one bucket, each thing by itself, so that all that is wrong is told at once.
struct BucketCheck {
    /// The smallest that a part may be that is not the last. Source: AWS, "Amazon S3 multipart upload limits".
    private static let partBytes = 5 << 20
    private static let smallBytes = 64 << 10
    private static let (partsName, abortedName) = ("parts", "aborted")
    private static let type: S3Field = ("Content-Type", "application/octet-stream")

    let name: String
    /// A bucket and the beginning of all keys that are used.
    let folder: S3Place
    let client: S3Client
    let publicEndpoint: S3Endpoint
    let http: HTTPClient
    let origins: [String]
    let diagnosis: Diagnosis
    let stop: TransferStop

    func run(_ stopwatch: Stopwatch) -> [CheckReport.Line] {
        var lines = [
            stopwatch.line(.access, name, explain: { diagnosis.problem(of: $0, in: folder.bucket, stop) }) {
                _ = try client.objects(in: folder.bucket, prefix: folder.key, limit: 1, stop: stop)
            }
        ]
        guard lines[0].outcome == .right else { return lines }
        let (place, bytes) = (self.place("object"), Self.bytes(Self.smallBytes, seed: 1))
        let write = stopwatch.line(.write, name, explain: Self.explainWriting) {
            _ = try client.put(place, bytes, stop: stop)
        }
        lines.append(write)
        guard write.outcome == .right else { return lines }
        let checks: [(CheckReport.Check, () throws -> Void)] = [
            (.read, { try read(place, bytes) }), (.range, { try range(place, bytes) }),
            (.ifMatch, { try ifMatch(place) }), (.presignedGet, { try presignedGet(place, bytes) }),
            (.presignedPut, { try presignedPut() }), (.multipart, { try multipart() }), (.abort, { try abort() }),
            (.conditionalWrite, { try conditionalWrite(place) }), (.cors, { try cors() }),
            (.lifecycle, { try lifecycle() }),
        ]
        for (check, body) in checks where !stop.isRaised { lines.append(stopwatch.line(check, name, body)) }
        lines.append(stopwatch.line(.cleanUp, name) { try cleanUp() })
        return lines
    }

    private static func explainWriting(_ error: S3Error) -> CheckProblem {
        guard error.kind == .accessDenied else { return Diagnosis.plain(error) }
        return .wrong("the key may read here, and not write: \(error.detail ?? "")", fix: Diagnosis.permissions)
    }

    private func place(_ name: String) -> S3Place {
        S3Place(bucket: folder.bucket, key: "\(folder.key)/\(name)")
    }

    /// Of an upload in parts, the same for all buckets.
    private static let parts = [
        bytes(partBytes, seed: 3), bytes(partBytes, seed: 4), bytes(1000, seed: 5),
    ]

    /// Bytes of which no piece is like another.
    private static func bytes(_ count: Int, seed: UInt64) -> [UInt8] {
        var state = seed
        let words = (0..<(count + 7) / 8).map { _ in
            // Source: Knuth, The Art of Computer Programming 2, 3.3.4, for the multiplier.
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state
        }
        return words.withUnsafeBytes { Array($0.prefix(count)) }
    }

    // MARK: Objects

    private func object(_ place: S3Place, at offset: Int64 = 0, _ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let read = try bytes.withUnsafeMutableBytes { buffer in
            try client.read(place, at: offset, into: buffer, ifMatch: nil, stop: stop).count
        }
        return Array(bytes.prefix(read))
    }

    private func read(_ place: S3Place, _ bytes: [UInt8]) throws {
        guard try object(place, bytes.count + 1) == bytes else {
            throw CheckProblem.wrong("what is read is not what was written")
        }
    }

    private func range(_ place: S3Place, _ bytes: [UInt8]) throws {
        guard try object(place, at: 1234, 4321) == Array(bytes[1234..<1234 + 4321]),
            try object(place, at: Int64(bytes.count - 10), 100) == Array(bytes.suffix(10))
        else { throw CheckProblem.wrong("a range has other bytes than were asked for") }
    }

    /// By a signed URL, because the client itself looks at ETags, too.
    private func ifMatch(_ place: S3Place) throws {
        let url = client.presign("GET", place)
        let etag = try client.info(place, stop: stop)?.etag ?? ""
        guard try ask("GET", url, [("If-Match", "\"\(etag)\"")]).status == 200 else {
            throw CheckProblem.wrong("the store does not know its own ETag when reading")
        }
        guard try ask("GET", url, [("If-Match", "\"\(String(repeating: "0", count: 32))\"")]).status == 412 else {
            throw CheckProblem.lacking(
                "If-Match is ignored when reading: a source that changes is found out by the ETag of every answer")
        }
    }

    // MARK: Signed URLs

    private func ask(
        _ method: String, _ url: String, _ headers: [S3Field] = [], body: [UInt8]? = nil
    ) throws -> TransferResponse {
        var request = TransferRequest(method, try WebAddress(url), headers: headers.map { TransferHeader($0, $1) })
        request.limits.connectSeconds = 5
        request.limits.totalSeconds = 60
        return try http.perform(
            request, body: body.map(TransferBody.bytes) ?? .none, into: .collect(upTo: 1 << 20), stop: stop)
    }

    private func presignedGet(_ place: S3Place, _ bytes: [UInt8]) throws {
        let url = client.presign("GET", place)
        let answer = try ask("GET", url)
        guard answer.status == 200, answer.body == bytes else {
            throw CheckProblem.wrong(
                "a signed URL does not read: status \(answer.status)",
                fix: "something between may change addresses or the host's name: see proxies before the store")
        }
        guard try ask("GET", String(url.prefix { $0 != "?" })).status != 200 else {
            throw CheckProblem.lacking(
                "anybody may read here without a key", fix: "take public access away from \(folder.bucket)")
        }
    }

    private func presignedPut() throws {
        let place = place("signed")
        let bytes = Self.bytes(1000, seed: 2)
        let url = client.presign("PUT", place, headers: [Self.type, ("Content-Length", "\(bytes.count)")])
        let answer = try ask("PUT", url, [Self.type], body: bytes)
        guard answer.status == 200, try object(place, bytes.count + 1) == bytes else {
            throw CheckProblem.wrong("a signed URL does not write: status \(answer.status)")
        }
        let others = [
            try ask("PUT", url, [Self.type], body: bytes + [0]),
            try ask("PUT", url, [("Content-Type", "text/html")], body: bytes),
        ]
        guard others.allSatisfy({ $0.status >= 400 }) else {
            throw CheckProblem.lacking(
                "a signed URL takes other sizes or types than it was made for: uploads are judged when they end")
        }
    }

    // MARK: Uploads

    private func multipart() throws {
        let place = place(Self.partsName)
        let parts = Self.parts
        let upload = try client.beginUpload(place, stop: stop)
        var done: [S3Part] = []
        for number in [3, 1, 2] {
            let part = try parts[number - 1].withUnsafeBytes { bytes in
                try client.uploadPart(place, upload, number: number, bytes: bytes, stop: stop)
            }
            done.append(part)
        }
        guard try client.info(place, stop: stop) == nil else {
            throw CheckProblem.wrong("an upload is seen before it is complete")
        }
        _ = try client.completeUpload(place, upload, parts: done, stop: stop)
        let seam = Int64(Self.partBytes - 10)
        guard try client.info(place, stop: stop)?.sizeBytes == Int64(parts.map(\.count).reduce(0, +)),
            try object(place, at: seam, 20) == Array(parts[0].suffix(10) + parts[1].prefix(10)),
            try object(place, at: 2 * Int64(Self.partBytes), 2000) == parts[2]
        else { throw CheckProblem.wrong("parts that came out of order are not in order") }
    }

    private func abort() throws {
        let place = place(Self.abortedName)
        let upload = try client.beginUpload(place, stop: stop)
        _ = try Self.bytes(1000, seed: 6).withUnsafeBytes { bytes in
            try client.uploadPart(place, upload, number: 1, bytes: bytes, stop: stop)
        }
        let seen = try client.uploads(in: place.bucket, prefix: place.key, stop: stop)
        _ = try client.abortUpload(place, upload, stop: stop)
        let left = try client.uploads(in: place.bucket, prefix: place.key, stop: stop)
        guard left.isEmpty, try client.info(place, stop: stop) == nil else {
            throw CheckProblem.wrong("an upload that was aborted is still there")
        }
        guard !seen.isEmpty else {
            throw CheckProblem.lacking(
                "unfinished uploads are not in the store's list of them: nobody can look for them")
        }
    }

    private func conditionalWrite(_ place: S3Place) throws {
        var ignored: [String] = []
        let conditions: [(String, S3Condition)] = [
            ("If-None-Match", .ifAbsent), ("If-Match", .ifMatch(String(repeating: "0", count: 32))),
        ]
        for (header, condition) in conditions {
            do throws(S3Error) {
                _ = try client.put(place, [1], condition: condition, stop: stop)
                ignored.append(header)
            } catch {
                switch error.kind {
                case .preconditionFailed: continue
                case .notImplemented: ignored.append(header)
                default: throw error
                }
            }
        }
        guard ignored.isEmpty else {
            throw CheckProblem.lacking(
                "\(ignored.joined(separator: " and ")) \(ignored.count > 1 ? "are" : "is") not heeded when writing: "
                    + "outputs are kept apart by the record of their uploads alone")
        }
    }

    // MARK: Rules

    /// What a browser asks before it uploads. Source: Fetch Standard, "CORS-preflight fetch".
    private func cors() throws {
        guard !origins.isEmpty else {
            throw CheckProblem.skipped("REELPOOL_S3_BROWSER_ORIGINS names no page that uploads")
        }
        let remedy = "`reelpool storage init`; where the store has no such interface, in its dashboard or configuration"
        let url = client.presign("PUT", place("page"), headers: [Self.type], at: publicEndpoint)
        for origin in origins {
            let asked = origin == "*" ? "https://reelpool.invalid" : origin
            let answer = try ask(
                "OPTIONS", url,
                [
                    ("Origin", asked), ("Access-Control-Request-Method", "PUT"),
                    ("Access-Control-Request-Headers", "content-type"),
                ])
            let allowed = answer.head["Access-Control-Allow-Origin"]
            let methods = answer.head["Access-Control-Allow-Methods"] ?? ""
            guard answer.head.isSuccess, allowed == asked || allowed == "*",
                methods.contains("PUT") || methods.contains("*")
            else {
                throw CheckProblem.wrong("pages of \(origin) may not upload: status \(answer.status)", fix: remedy)
            }
            let put = try ask("PUT", url, [("Origin", asked), Self.type], body: [1])
            let exposed = (put.head["Access-Control-Expose-Headers"] ?? "").lowercased()
            guard exposed.contains("etag") || exposed.contains("*") else {
                throw CheckProblem.wrong(
                    "pages of \(origin) may not see ETags, which uploads in parts need", fix: remedy)
            }
        }
    }

    private func lifecycle() throws {
        let rules: [S3LifecycleRule]
        do throws(S3Error) {
            rules = try client.lifecycle(of: folder.bucket, stop: stop).filter(\.isEnabled)
        } catch {
            switch error.kind {
            case .notImplemented: throw CheckProblem.lacking(BucketSetup.noLifecycle)
            case .accessDenied: throw CheckProblem.lacking("the key may not ask for rules: see the store's dashboard")
            default: throw error
            }
        }
        guard rules.contains(where: { BucketRules.uploads.hasPrefix($0.prefix) && $0.expiresAfterDays != nil }) else {
            throw CheckProblem.wrong("nothing makes \(BucketRules.uploads) go", fix: "`reelpool storage init`")
        }
        guard rules.contains(where: { $0.prefix.isEmpty && $0.abortsUploadsAfterDays != nil }) else {
            throw CheckProblem.lacking(
                "no rule drops unfinished uploads (MinIO does so by itself): what a crash leaves may stay")
        }
    }

    // MARK: Afterwards

    /// Also after a stop: nothing of this is to stay.
    private func cleanUp() throws {
        let stop = TransferStop()
        let prefix = folder.key + "/"
        // By their whole keys: MinIO lists no uploads of a folder.
        for name in [Self.partsName, Self.abortedName] {
            for upload in try client.uploads(in: folder.bucket, prefix: prefix + name, stop: stop) {
                _ = try client.abortUpload(upload.place, upload.uploadID, stop: stop)
            }
        }
        for object in try client.objects(in: folder.bucket, prefix: prefix, limit: 100, stop: stop) {
            try client.delete(object.place, stop: stop)
        }
        guard try client.objects(in: folder.bucket, prefix: prefix, limit: 1, stop: stop).isEmpty,
            try client.uploads(in: folder.bucket, prefix: prefix, stop: stop).isEmpty
        else { throw CheckProblem.wrong("what was written does not go", fix: "delete \(folder.uri)") }
    }
}
