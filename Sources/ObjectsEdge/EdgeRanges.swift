internal import EdgeWire
internal import HTTPTransfer
internal import Model
internal import ObjectsS3
internal import S3
internal import Synchronization
internal import WorkerCore

/// An object in ranges, by URLs that are good for a while each and follow one another.
///
/// A URL is replaced before its time is over, by this machine's steady clock from when it was asked for; its wall clock may
/// show anything. One that the store refuses all the same is replaced, too.
final class EdgeRanges: RangeStore {
    private struct Ticket: Sendable {
        var url: String
        var etag: String
        var version: ObjectVersion
        var goodUntil: Double
    }

    private let control: EdgeControl
    private let presigned: S3Presigned
    private let place: S3Place
    /// As the task has it.
    private let uri: String
    private let lease: Lease
    private let clock: any PoolClock
    private let held = Mutex<Ticket?>(nil)

    init(
        _ control: EdgeControl, _ presigned: S3Presigned, place: S3Place, uri: String, lease: Lease,
        clock: any PoolClock
    ) {
        (self.control, self.presigned, self.place) = (control, presigned, place)
        (self.uri, self.lease, self.clock) = (uri, lease, clock)
    }

    var shownName: String { place.uri }

    func fetch(
        at offset: Int64, into buffer: UnsafeMutableRawBufferPointer, version: ObjectVersion?, stop: TransferStop
    ) throws(Failure) -> (count: Int, version: ObjectVersion) {
        try withTicket(for: version, stop) { ticket throws(S3Error) in
            guard offset < ticket.version.sizeBytes else { return (0, ticket.version) }
            let (count, info) = try presigned.read(
                ticket.url, of: place, at: offset, into: buffer, ifMatch: ticket.etag, stop: stop)
            guard info.sizeBytes == ticket.version.sizeBytes else { throw S3Error.replaced(place) }
            return (count, ticket.version)
        }
    }

    func stream(
        _ range: Range<Int64>, version: ObjectVersion, stop: TransferStop,
        take: @escaping (UnsafeRawBufferPointer) throws -> Void
    ) throws(Failure) {
        var taken = range.lowerBound
        try withTicket(for: version, stop) { ticket throws(S3Error) in
            // What one URL has brought stays when the next goes on.
            guard taken < range.upperBound else { return }
            try presigned.stream(
                ticket.url, of: place, taken..<range.upperBound, ofETag: ticket.etag, stop: stop
            ) { bytes in
                try take(bytes)
                taken += Int64(bytes.count)
            }
        }
    }

    private func withTicket<Value>(
        for version: ObjectVersion?, _ stop: TransferStop, _ body: (Ticket) throws(S3Error) -> Value
    ) throws(Failure) -> Value {
        try EdgeURL.renewing { (refused: Ticket?) throws(Failure) in
            held.withLock { held in
                if let refused, held?.url == refused.url { held = nil }
            }
            return try ticket(for: version, stop)
        } use: { ticket throws(S3Error) in
            try body(ticket)
        } failure: { error in
            // The service has just seen it, or something else.
            error.kind == .noSuchKey ? changed : Failure(error)
        }
    }

    private func ticket(for version: ObjectVersion?, _ stop: TransferStop) throws(Failure) -> Ticket {
        if let ticket = held.withLock({ $0 }), clock.now < ticket.goodUntil { return ticket }
        let asked = clock.now
        let object: EdgeWire.ReadableObject
        do throws(Failure) {
            object = try control.read(uri, lease, stop)
        } catch {
            throw version != nil && error.code == .fileNotFound ? changed : error
        }
        let found = ObjectVersion(sizeBytes: object.sizeBytes, etag: object.etag)
        guard version ?? found == found else { throw changed }
        let ticket = Ticket(
            url: object.url, etag: object.etag, version: found,
            goodUntil: EdgeURL.goodUntil(asked: asked, seconds: object.seconds))
        held.withLock { $0 = ticket }
        return ticket
    }

    private var changed: Failure {
        Failure(code: .sourceChanged, message: "\(place) was replaced while it was read")
    }
}

extension S3Error {
    fileprivate static func replaced(_ place: S3Place) -> S3Error {
        S3Error(.preconditionFailed, "\(place) was replaced while it was read")
    }
}
