internal import FoundationEssentials
package import HTTPTransfer
internal import Model

extension S3Client {
    /// Reads a part of an object.
    ///
    /// - Parameters:
    ///   - offset: at or behind the end, nothing is read.
    ///   - ifMatch: the ETag that the object must have, `.preconditionFailed` otherwise: so that what is read in pieces is
    ///     of one object.
    /// - Returns: how many bytes were read, fewer than fit only at the end, and what the object is.
    package func read(
        _ place: S3Place, at offset: Int64, into buffer: UnsafeMutableRawBufferPointer, ifMatch: String?,
        stop: TransferStop
    ) throws(S3Error) -> (count: Int, info: S3ObjectInfo) {
        try requireKey(place)
        let headers: [S3Field] = ifMatch.map { [("If-Match", ETag.quoted($0))] } ?? []
        let request = S3Request("GET", place, headers: headers)
        var course = S3Course(settings, bytes: buffer.count)
        let range = offset..<offset + Int64(buffer.count)
        let target = S3Target.range(range, S3RangeProgress(etag: ifMatch, .memory(buffer)))
        let answer = try send(request, into: target, course: &course, stop: stop)
        let found: S3ObjectInfo
        if answer.head.status == 416 {
            // Such an answer need not say what the object is.
            guard let asked = try info(place, stop: stop) else { throw Self.error(.noSuchKey, place) }
            guard offset >= asked.sizeBytes else { throw Self.error(.malformedAnswer, place) }
            found = asked
        } else {
            found = try Self.info(place, answer.head, sizeBytes: answer.sizeBytes)
        }
        // Also where a store does not heed the condition.
        guard ifMatch == nil || ifMatch == found.etag else { throw Self.error(.preconditionFailed, place) }
        return (answer.count, found)
    }

    /// Hands over the bytes of a range in their order as they come, each once, whatever breaks meanwhile.
    ///
    /// - Parameters:
    ///   - range: not empty, and within the object.
    ///   - etag: that the object must have, `.preconditionFailed` otherwise.
    ///   - take: called on this thread; may block.
    package func stream(
        _ place: S3Place, _ range: Range<Int64>, ofETag etag: String, stop: TransferStop,
        take: @escaping (UnsafeRawBufferPointer) throws -> Void
    ) throws(S3Error) {
        try requireKey(place)
        try sender.stream(place, range, ofETag: etag, by: keys(for: .none), stop: stop, take: take)
    }

    /// - Returns: `nil` when there is no such object. That there is no such bucket cannot be told from it.
    package func info(_ place: S3Place, stop: TransferStop) throws(S3Error) -> S3ObjectInfo? {
        try requireKey(place)
        var course = S3Course(settings)
        do throws(S3Error) {
            let answer = try send(S3Request("HEAD", place), into: .info, course: &course, stop: stop)
            return try Self.info(place, answer.head, sizeBytes: answer.head.contentLength)
        } catch {
            if error.kind == .noSuchKey { return nil }
            throw error
        }
    }

    /// Puts an object in one piece.
    ///
    /// - Returns: its ETag.
    package func put(
        _ place: S3Place, _ bytes: [UInt8], contentType: String? = nil, condition: S3Condition = .none,
        stop: TransferStop
    ) throws(S3Error) -> String {
        try requireKey(place)
        var headers = condition.headers
        if let contentType { headers.append(("Content-Type", contentType)) }
        let md5 = bytes.withUnsafeBytes { ETag.of($0) }
        headers.append(Self.contentMD5(md5))
        var course = S3Course(settings, bytes: bytes.count, mustKnow: condition != .none)
        do throws(S3Error) {
            let request = S3Request("PUT", place, headers: headers)
            let answer = try send(request, .object(bytes), into: .etag(ofMD5: md5), course: &course, stop: stop)
            return answer.etag ?? md5
        } catch {
            // An earlier try may be what is in the way of this one.
            guard error.kind == .preconditionFailed, course.isUnclear, try info(place, stop: stop)?.etag == md5 else {
                throw error
            }
            return md5
        }
    }

    /// Also when there is none.
    package func delete(_ place: S3Place, stop: TransferStop) throws(S3Error) {
        try requireKey(place)
        var course = S3Course(settings)
        do throws(S3Error) {
            _ = try send(S3Request("DELETE", place), course: &course, stop: stop)
        } catch {
            if error.kind != .noSuchKey { throw error }
        }
    }

    // MARK: Pieces

    /// A bucket would be asked for in place of an object.
    func requireKey(_ place: S3Place) throws(S3Error) {
        guard !place.key.isEmpty else {
            throw S3Error(.invalidRequest, "\(place): an object needs a key")
        }
    }

    static func error(_ kind: S3Error.Kind, _ place: S3Place, detail: String? = nil) -> S3Error {
        S3Error(kind, "\(place): \(ErrorTable.words(kind))", detail: detail)
    }

    /// - Parameter md5: in hexadecimal digits.
    static func contentMD5(_ md5: String) -> S3Field {
        ("Content-MD5", Data(Hexadecimal.bytes(md5) ?? []).base64EncodedString())
    }

    static func info(
        _ place: S3Place, _ head: TransferHead, sizeBytes: Int64?
    ) throws(S3Error) -> S3ObjectInfo {
        guard let sizeBytes, let etag = head["ETag"], !etag.isEmpty else {
            throw error(.malformedAnswer, place, detail: "no size came, or no ETag")
        }
        return S3ObjectInfo(
            sizeBytes: sizeBytes, etag: ETag.unquoted(etag), contentType: head["Content-Type"],
            modified: head["Last-Modified"])
    }
}
