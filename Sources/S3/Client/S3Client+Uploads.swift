package import HTTPTransfer

extension S3Client {
    /// Begins an upload of which nothing is seen before it is complete.
    ///
    /// - Returns: the store's name of it.
    package func beginUpload(
        _ place: S3Place, contentType: String? = nil, stop: TransferStop
    ) throws(S3Error) -> String {
        var mayHaveMore = false
        return try beginUpload(place, contentType: contentType, mayHaveMore: &mayHaveMore, stop: stop)
    }

    /// - Parameter mayHaveMore: set when a try that brought no answer may have begun an upload that nobody knows, whether
    ///   or not another try has succeeded; it is in `uploads(in:prefix:stop:)`.
    package func beginUpload(
        _ place: S3Place, contentType: String? = nil, mayHaveMore: inout Bool, stop: TransferStop
    ) throws(S3Error) -> String {
        try requireKey(place)
        let headers: [S3Field] = contentType.map { [("Content-Type", $0)] } ?? []
        var course = S3Course(settings, mustKnow: true)
        defer { mayHaveMore = course.isUnclear }
        let answer = try send(
            S3Request("POST", place, query: [("uploads", "")], headers: headers),
            into: .document("InitiateMultipartUploadResult"), course: &course, stop: stop)
        guard let name = answer.document.text("UploadId") else {
            throw Self.error(.malformedAnswer, place, detail: "no UploadId came")
        }
        return name
    }

    /// Uploads one part, in any order; one of the same number is replaced.
    ///
    /// - Parameters:
    ///   - number: 1...10,000. All but the last need 5 MiB, and R2 wants all but the last to be equal.
    ///   - bytes: must stay as they are until this returns.
    package func uploadPart(
        _ place: S3Place, _ uploadID: String, number: Int, bytes: UnsafeRawBufferPointer, stop: TransferStop
    ) throws(S3Error) -> S3Part {
        try requireKey(place)
        let md5 = ETag.of(bytes)
        let request = S3Request(
            "PUT", place, query: [("partNumber", "\(number)"), ("uploadId", uploadID)],
            headers: settings.checksBodies ? [Self.contentMD5(md5)] : [])
        var course = S3Course(settings, bytes: bytes.count)
        let target = settings.checksBodies ? S3Target.etag(ofMD5: md5) : .nothing
        let answer = try send(request, .memory(bytes), into: target, course: &course, stop: stop)
        return S3Part(number: number, etag: answer.etag ?? md5)
    }

    /// Makes an object of parts, all at once.
    ///
    /// That the answer to an earlier try was lost is seen from the object: it then has the ETag that its parts make.
    /// - Returns: its ETag.
    package func completeUpload(
        _ place: S3Place, _ uploadID: String, parts: [S3Part], condition: S3Condition = .none, stop: TransferStop
    ) throws(S3Error) -> String {
        try requireKey(place)
        let ordered = parts.sorted { $0.number < $1.number }
        let document = XMLText.document(
            "CompleteMultipartUpload",
            ordered.map { part in
                XMLText.element(
                    "Part",
                    [
                        XMLText.element("PartNumber", "\(part.number)"),
                        XMLText.element("ETag", ETag.quoted(part.etag)),
                    ])
            })
        let request = S3Request("POST", place, query: [("uploadId", uploadID)], headers: condition.headers)
        var course = S3Course(completing: settings)
        do throws(S3Error) {
            let answer = try send(
                request, .document(document), into: .document("CompleteMultipartUploadResult"), course: &course,
                stop: stop)
            guard let etag = answer.document.text("ETag").map(ETag.unquoted) else {
                throw Self.error(.malformedAnswer, place, detail: "no ETag came")
            }
            return etag
        } catch {
            guard course.isUnclear, let expected = ETag.of(ordered),
                try hasCompleted(place, expected, after: error, stop)
            else { throw error }
            return expected
        }
    }

    /// Whether the object is there that a try should have made whose answer is not known.
    private func hasCompleted(
        _ place: S3Place, _ expected: String, after error: S3Error, _ stop: TransferStop
    ) throws(S3Error) -> Bool {
        switch error.kind {
        case .noSuchUpload, .noSuchKey, .preconditionFailed, .invalidRequest, .malformedAnswer, .server, .transfer:
            // The first reason says more than that this cannot be asked either.
            guard let found = try? info(place, stop: stop) else { return false }
            return found.etag == expected
        case .noSuchBucket, .accessDenied, .signatureRefused, .clockSkew, .conflict, .slowDown, .notImplemented,
            .corrupt, .cancelled:
            return false
        }
    }

    /// Forgets an upload and its parts.
    ///
    /// - Returns: `false` when there is no such upload: it was aborted before, or completed. Some stores say so of none.
    package func abortUpload(_ place: S3Place, _ uploadID: String, stop: TransferStop) throws(S3Error) -> Bool {
        try requireKey(place)
        var course = S3Course(settings)
        do throws(S3Error) {
            let request = S3Request("DELETE", place, query: [("uploadId", uploadID)])
            _ = try send(request, course: &course, stop: stop)
            return true
        } catch {
            if error.kind == .noSuchUpload || error.kind == .noSuchKey { return false }
            throw error
        }
    }
}
