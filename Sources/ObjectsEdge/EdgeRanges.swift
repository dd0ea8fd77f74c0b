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
        var renewals = 0
        while true {
            let ticket = try ticket(for: version, stop)
            guard offset < ticket.version.sizeBytes else { return (0, ticket.version) }
            do throws(S3Error) {
                let (count, info) = try presigned.read(
                    ticket.url, of: place, at: offset, into: buffer, ifMatch: ticket.etag, stop: stop)
                guard info.sizeBytes == ticket.version.sizeBytes else { throw S3Error.replaced(place) }
                return (count, ticket.version)
            } catch {
                // The service has just seen it, or something else.
                if error.kind == .noSuchKey { throw changed }
                guard error.isOfURL, renewals < EdgeURL.mostRenewals else { throw Failure(error) }
            }
            renewals += 1
            held.withLock { held in
                if held?.url == ticket.url { held = nil }
            }
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

/// How URLs of others are used.
enum EdgeURL {
    /// In a row: where a store refuses what has just been signed for it, another signature does not help.
    static let mostRenewals = 3
    /// Of a URL's time; what is left is for the request that begins last.
    private static let usedShare = 0.75

    static func goodUntil(asked: Double, seconds: Int) -> Double { asked + Double(max(0, seconds)) * usedShare }
}

extension S3Error {
    /// Whether another URL may do: this one's time is over, or its signature is not accepted.
    var isOfURL: Bool {
        switch kind {
        // Stores differ in what they say to a URL whose time is over.
        case .accessDenied, .signatureRefused, .clockSkew, .invalidRequest: true
        case .noSuchKey, .noSuchBucket, .noSuchUpload, .preconditionFailed, .conflict, .slowDown, .notImplemented,
            .server, .transfer, .malformedAnswer, .corrupt, .cancelled:
            false
        }
    }

    fileprivate static func replaced(_ place: S3Place) -> S3Error {
        S3Error(.preconditionFailed, "\(place) was replaced while it was read")
    }
}
