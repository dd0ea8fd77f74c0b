package import HTTPTransfer
package import Model
package import S3

/// An object in a store, in ranges.
package struct S3Ranges: RangeStore {
    private let client: S3Client
    private let place: S3Place

    package init(_ client: S3Client, _ place: S3Place) { (self.client, self.place) = (client, place) }

    package var shownName: String { place.uri }

    package func fetch(
        at offset: Int64, into buffer: UnsafeMutableRawBufferPointer, version: ObjectVersion?, stop: TransferStop
    ) throws(Failure) -> (count: Int, version: ObjectVersion) {
        do throws(S3Error) {
            let (count, info) = try client.read(place, at: offset, into: buffer, ifMatch: version?.etag, stop: stop)
            return (count, ObjectVersion(sizeBytes: info.sizeBytes, etag: info.etag))
        } catch {
            throw failure(error, isKnown: version != nil)
        }
    }

    package func stream(
        _ range: Range<Int64>, version: ObjectVersion, stop: TransferStop,
        take: @escaping (UnsafeRawBufferPointer) throws -> Void
    ) throws(Failure) {
        do throws(S3Error) {
            try client.stream(place, range, ofETag: version.etag ?? "", stop: stop, take: take)
        } catch {
            throw failure(error, isKnown: true)
        }
    }

    private func failure(_ error: S3Error, isKnown: Bool) -> Failure {
        guard isKnown, error.kind == .noSuchKey else { return Failure(error) }
        return Failure(code: .sourceChanged, message: "\(place) was deleted while it was read")
    }
}
