package import HTTPTransfer
internal import Model

extension S3Client {
    /// Objects whose keys begin with a prefix, in the order of their keys' bytes: at most `limit`.
    package func objects(
        in bucket: String, prefix: String = "", limit: Int, stop: TransferStop
    ) throws(S3Error) -> [S3ListedObject] {
        let place = S3Place(bucket: bucket)
        var objects: [S3ListedObject] = []
        var token: String?
        while objects.count < limit {
            var query: [S3Field] = [
                ("list-type", "2"), ("encoding-type", "url"), ("prefix", prefix),
                ("max-keys", "\(min(settings.listPage, limit - objects.count))"),
            ]
            if let token { query.append(("continuation-token", token)) }
            let page = try page(place, query, "ListBucketResult", stop)
            for entry in page.root.all("Contents") {
                objects.append(
                    S3ListedObject(
                        place: S3Place(bucket: bucket, key: try page.name(entry.text("Key"))),
                        sizeBytes: entry.text("Size").flatMap { Int64($0) } ?? 0,
                        etag: ETag.unquoted(entry.text("ETag") ?? ""), modified: entry.text("LastModified")))
            }
            guard page.hasMore else { break }
            let next = page.root.text("NextContinuationToken")
            guard let next, next != token else {
                throw Self.error(.malformedAnswer, place, detail: "a list without end")
            }
            token = next
        }
        return Array(objects.prefix(limit))
    }

    /// All uploads to keys that begin with a prefix.
    package func uploads(
        in bucket: String, prefix: String = "", stop: TransferStop
    ) throws(S3Error) -> [S3Upload] {
        let place = S3Place(bucket: bucket)
        var uploads: [S3Upload] = []
        var marker: [S3Field] = []
        while true {
            // Not with encoded keys: SeaweedFS says that it encodes them here, and does not.
            let query: [S3Field] =
                [("uploads", ""), ("prefix", prefix), ("max-uploads", "\(settings.listPage)")] + marker
            let page = try page(place, query, "ListMultipartUploadsResult", stop)
            for entry in page.root.all("Upload") {
                guard let name = entry.text("UploadId") else { continue }
                let object = S3Place(bucket: bucket, key: try page.name(entry.text("Key")))
                uploads.append(S3Upload(place: object, uploadID: name, begunAt: entry.text("Initiated") ?? ""))
            }
            guard page.hasMore else { return uploads }
            let next: [S3Field] = [
                ("key-marker", try page.name(page.root.text("NextKeyMarker"))),
                ("upload-id-marker", page.root.text("NextUploadIdMarker") ?? ""),
            ]
            guard !next.elementsEqual(marker, by: ==) else {
                throw Self.error(.malformedAnswer, place, detail: "a list without end")
            }
            marker = next
        }
    }

    private func page(
        _ place: S3Place, _ query: [S3Field], _ root: String, _ stop: TransferStop
    ) throws(S3Error) -> Page {
        var course = S3Course(settings)
        let answer = try send(
            S3Request("GET", place, query: query), into: .document(root), course: &course, stop: stop)
        return Page(place: place, root: answer.document)
    }
}

/// A piece of a list.
private struct Page {
    let place: S3Place
    let root: AnswerElement

    var hasMore: Bool { root.text("IsTruncated") == "true" }

    /// A key as it is. A store that does not know how to encode keys says nothing of it.
    func name(_ text: String?) throws(S3Error) -> String {
        guard let text else { return "" }
        guard root.text("EncodingType") == "url" else { return text }
        guard let decoded = PercentEncoding.decodeForm(text) else {
            throw S3Client.error(.malformedAnswer, place, detail: "a key that cannot be decoded")
        }
        return decoded
    }
}
