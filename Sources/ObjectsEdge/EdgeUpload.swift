internal import EdgeWire
internal import HTTPTransfer
internal import Model
internal import ObjectsS3
internal import S3
internal import Synchronization
internal import WorkerCore

/// The parts of one upload by URLs that the service signs for each.
final class EdgeUpload: UploadPort {
    private struct Ticket: Sendable {
        var url: String
        var goodUntil: Double
    }

    /// Parts whose URLs are asked for at once.
    private static let batch = 8

    private let control: EdgeControl
    private let presigned: S3Presigned
    private let place: S3Place
    private let uploadID: String
    private let lease: Lease
    private let clock: any PoolClock
    private let report: @Sendable (String, Failure) -> Void
    private let held = Mutex<[Int: Ticket]>([:])

    init(
        _ control: EdgeControl, _ presigned: S3Presigned, place: S3Place, uploadID: String, lease: Lease,
        clock: any PoolClock, report: @escaping @Sendable (String, Failure) -> Void
    ) {
        (self.control, self.presigned, self.place) = (control, presigned, place)
        (self.uploadID, self.lease, self.clock, self.report) = (uploadID, lease, clock, report)
    }

    func send(
        _ number: Int, _ bytes: UnsafeRawBufferPointer, stop: TransferStop
    ) throws(Failure) -> UploadedPart {
        try EdgeURL.renewing { (_: String?) throws(Failure) in
            try url(of: number, stop)
        } use: { url throws(S3Error) in
            let part = try presigned.uploadPart(url, of: place, number: number, bytes: bytes, stop: stop)
            return UploadedPart(number: part.number, etag: part.etag)
        }
    }

    /// Each is handed out once.
    private func url(of number: Int, _ stop: TransferStop) throws(Failure) -> String {
        if let ticket = held.withLock({ $0.removeValue(forKey: number) }), clock.now < ticket.goodUntil {
            return ticket.url
        }
        // The first part is the last to leave: nobody knows when.
        let numbers = number == 1 ? [1] : Array(number...min(number + Self.batch - 1, UploadedPart.mostNumbers))
        let asked = clock.now
        let signed = try control.parts(place.uri, lease, uploadID, numbers, stop)
        let goodUntil = EdgeURL.goodUntil(asked: asked, seconds: signed.seconds)
        held.withLock { held in
            for (other, url) in zip(numbers, signed.urls).dropFirst() {
                held[other] = Ticket(url: url, goodUntil: goodUntil)
            }
        }
        return signed.urls[0]
    }

    func abort() {
        do throws(Failure) {
            try control.abort(place.uri, lease, uploadID)
        } catch {
            report("an upload to \(place) was not aborted", error)
        }
    }
}
