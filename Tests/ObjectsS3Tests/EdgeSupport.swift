import Foundation
import HTTPTransfer
import Model
import ObjectsEdge
import ObjectsS3
import PoolTestSupport
import S3
import Service
import StoreEdge
import Synchronization
import TestSupport
import Testing
import WorkerCore

/// The service's desk, watched, with URLs that are of no use at first.
final class WatchedDesk: ObjectDesk {
    struct Counts: Sendable {
        var reads = 0
        var parts = 0
        var completions = 0
    }

    private struct State {
        var counts = Counts()
        var spoilt = 0
    }

    private let desk: S3Desk
    /// Signs as of an hour ago.
    private let late: S3Client
    private let state = Mutex(State())

    init(_ bench: Bench) throws {
        desk = S3Desk(bench.objects, heeding: Interruption())
        var settings = S3ClientSettings()
        settings.clock.wallSeconds = { S3Clock.system.wallSeconds() - 3600 }
        late = try bench.store.client(settings: settings)
    }

    var counts: Counts { state.withLock { $0.counts } }

    /// The next answers have URLs whose time is over.
    func spoil(_ count: Int) { state.withLock { $0.spoilt = count } }

    private func note(_ change: (inout Counts) -> Void) -> Bool {
        state.withLock { state in
            change(&state.counts)
            state.spoilt -= 1
            return state.spoilt >= 0
        }
    }

    func read(_ uri: String, owner: String, seconds: Int) throws(Failure) -> SignedSource {
        let isSpoilt = note { $0.reads += 1 }
        var source = try desk.read(uri, owner: owner, seconds: seconds)
        if isSpoilt, let place = S3Place(uri: uri) { source.url = late.presign("GET", place, seconds: seconds) }
        return source
    }

    func checkOutput(_ uri: String, owner: String) throws(Failure) { try desk.checkOutput(uri, owner: owner) }

    func fence(_ lease: Lease, outputs: [String]) throws(Failure) { try desk.fence(lease, outputs: outputs) }

    func beginUpload(_ uri: String, for lease: Lease) throws(Failure) -> String {
        try desk.beginUpload(uri, for: lease)
    }

    func presignParts(
        _ uri: String, uploadID: String, numbers: [Int], for lease: Lease, seconds: Int
    ) throws(Failure) -> [String] {
        let isSpoilt = note { $0.parts += 1 }
        let urls = try desk.presignParts(uri, uploadID: uploadID, numbers: numbers, for: lease, seconds: seconds)
        guard isSpoilt, let place = S3Place(uri: uri) else { return urls }
        return numbers.map {
            late.presign("PUT", place, query: [("partNumber", "\($0)"), ("uploadId", uploadID)], seconds: seconds)
        }
    }

    func completeUpload(
        _ uri: String, uploadID: String, parts: [UploadedPart], for lease: Lease
    ) throws(Failure) -> String {
        state.withLock { $0.counts.completions += 1 }
        return try desk.completeUpload(uri, uploadID: uploadID, parts: parts, for: lease)
    }

    func abortUpload(_ uri: String, uploadID: String, of lease: Lease) throws(Failure) {
        try desk.abortUpload(uri, uploadID: uploadID, of: lease)
    }
}

/// Time that passes when it is told to.
final class HandClock: PoolClock {
    private let seconds = Mutex(1000.0)
    var now: Double { seconds.withLock { $0 } }
    func advance(_ more: Double) { seconds.withLock { $0 += more } }
    func sleep(seconds: Double) async -> Bool { !Task.isCancelled }
}

/// A control service with the keys, and workers that have nothing but its address and its token.
struct EdgeBench: Sendable {
    let bench: Bench
    let desk: WatchedDesk
    let service: ControlService
    let client: EdgeClient
    let clock = HandClock()

    var store: ObjectStore { bench.store }

    /// - Parameter url: of something between everybody and the store.
    static func with(
        _ store: ObjectStore, through url: String? = nil, _ body: (EdgeBench) async throws -> Void
    ) async throws {
        try await Bench.with(store) { plain in
            let bench = try Bench(store, plain.ledger, through: url)
            let desk = try WatchedDesk(bench)
            let service = try await ControlService(over: bench.ledger) { $0.objects = desk }
            do {
                try await body(EdgeBench(bench: bench, desk: desk, service: service, client: try service.client()))
            } catch {
                await service.stop()
                throw error
            }
            await service.stop()
        }
    }

    /// As an attempt has them.
    func objects(_ lease: Lease, _ interruption: Interruption = Interruption()) -> any MediaObjects {
        let http = HTTPClient(.init(.open))
        return EdgeObjects(client, worker: "w", http: http, clock: clock).heeding(interruption, for: lease)
    }

    /// A render of one source into one output, which this worker has.
    func claimed(_ source: S3Place? = nil, _ output: S3Place? = nil) async throws -> Lease {
        let (source, output) = (try source ?? store.place("in.mp4"), try output ?? store.place("out.mp4"))
        let edit = #"{"sources":[{"id":"a","uri":"\#(source.uri)"}],"timeline":[]}"#
        return try await bench.claimed(payload: #"{"edit":\#(edit),"output":"\#(output.uri)"}"#)
    }

    func put(_ bytes: [UInt8]) async throws -> S3Place {
        try await blocking {
            let place = try store.place("in.mp4")
            _ = try store.client().put(place, bytes, stop: TransferStop())
            return place
        }
    }
}
