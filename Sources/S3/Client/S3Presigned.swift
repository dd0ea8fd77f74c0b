package import HTTPTransfer

/// Requests by URLs that somebody else has signed, for who has no keys: what a range of an object is, and parts of uploads.
///
/// As with `S3Client`, every function blocks the calling thread, tries again what may go well another time, and ends within
/// a second after its stop was raised. A store that redirects elsewhere is not followed: the signature is for one host.
package struct S3Presigned: Sendable {
    private let sender: S3Sender

    package init(http: HTTPClient, settings: S3ClientSettings = S3ClientSettings()) {
        sender = S3Sender(http: http, settings: settings)
    }

    /// Reads a part of an object by a URL for GET.
    ///
    /// - Parameters:
    ///   - place: what the URL is of, for messages: the URL is a secret.
    ///   - offset: before the end.
    ///   - etag: that the object must have, `.preconditionFailed` otherwise.
    /// - Returns: how many bytes were read, fewer than fit only at the end, and what the object is.
    package func read(
        _ url: String, of place: S3Place, at offset: Int64, into buffer: UnsafeMutableRawBufferPointer,
        ifMatch etag: String, stop: TransferStop
    ) throws(S3Error) -> (count: Int, info: S3ObjectInfo) {
        let request = S3Request("GET", place, headers: [("If-Match", ETag.quoted(etag))])
        var course = S3Course(sender.settings, bytes: buffer.count)
        let target = S3Target.memory(buffer, offset: offset, S3ReadProgress(etag: etag))
        let answer = try sender.send(
            request, .none, into: target, course: &course, by: SignedElsewhere(url: url), stop: stop)
        // A shorter object is another one.
        guard answer.head.status != 416 else { throw S3Client.error(.preconditionFailed, place) }
        let found = try S3Client.info(place, answer.head, sizeBytes: answer.sizeBytes)
        // Also where a store does not heed the condition.
        guard found.etag == etag else { throw S3Client.error(.preconditionFailed, place) }
        return (answer.count, found)
    }

    /// Uploads one part by a URL for PUT that names the upload and the part.
    ///
    /// - Parameters:
    ///   - place: what the URL is of, for messages.
    ///   - bytes: must stay as they are until this returns.
    package func uploadPart(
        _ url: String, of place: S3Place, number: Int, bytes: UnsafeRawBufferPointer, stop: TransferStop
    ) throws(S3Error) -> S3Part {
        let md5 = ETag.of(bytes)
        let request = S3Request("PUT", place, headers: [S3Client.contentMD5(md5)])
        var course = S3Course(sender.settings, bytes: bytes.count)
        let answer = try sender.send(
            request, .memory(bytes), into: .etag(ofMD5: md5), course: &course, by: SignedElsewhere(url: url),
            stop: stop)
        return S3Part(number: number, etag: answer.etag ?? md5)
    }
}

private struct SignedElsewhere: S3Authority {
    let url: String

    func wire(_ request: S3Request) -> S3Wire {
        S3Wire(url: url, headers: request.headers.map { TransferHeader($0.name, $0.value) })
    }

    func setback(_ refusal: Refusal, _ wire: S3Wire, _ place: S3Place, _ course: S3Course) -> Setback {
        Setback(refusal, place)
    }
}
