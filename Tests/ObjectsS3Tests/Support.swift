import Foundation
import HTTPTransfer
import Model
import ObjectsS3
import PoolTestSupport
import S3
import SQLStore
import StoreSQLite
import Synchronization
import TestSupport
import Testing
import WorkerCore

/// Bytes that are the same for the same seed.
func randomBytes(_ count: Int, seed: UInt64) -> [UInt8] {
    var random = SeededGenerator(seed: seed)
    return [UInt8](unsafeUninitializedCapacity: count + 8) { buffer, filled in
        while filled < count {
            UnsafeMutableRawBufferPointer(buffer).storeBytes(of: random.next(), toByteOffset: filled, as: UInt64.self)
            filled += 8
        }
        filled = count
    }
}

/// Whether bytes are the same. Tests are not optimised, and a comparison one by one takes a second for 20 MB.
func isSame(_ one: [UInt8], _ other: some Collection<UInt8>) -> Bool {
    one.withUnsafeBytes { one in
        other.withContiguousStorageIfAvailable { other in
            let other = UnsafeRawBufferPointer(other)
            guard one.count == other.count else { return false }
            guard let left = one.baseAddress, let right = other.baseAddress else { return one.isEmpty }
            return memcmp(left, right, one.count) == 0
        } ?? one.elementsEqual(other)
    }
}

func newSeed() -> UInt64 { .random(in: 0..<1_000_000) }

/// A store's ranges, counted.
final class CountedRanges: RangeStore {
    struct Request: Sendable {
        var offset: Int64
        var count: Int
        var hasVersion: Bool
    }

    private let ranges: any RangeStore
    private let asked = Mutex<[Request]>([])

    init(_ ranges: any RangeStore) { self.ranges = ranges }

    var shownName: String { ranges.shownName }
    var requests: [Request] { asked.withLock { $0 } }
    var bytes: Int { requests.reduce(0) { $0 + $1.count } }

    func fetch(
        at offset: Int64, into buffer: UnsafeMutableRawBufferPointer, version: ObjectVersion?, stop: TransferStop
    ) throws(Failure) -> (count: Int, version: ObjectVersion) {
        let answer = try ranges.fetch(at: offset, into: buffer, version: version, stop: stop)
        asked.withLock { $0.append(Request(offset: offset, count: answer.count, hasVersion: version != nil)) }
        return answer
    }

    /// What is handed over counts, and not what was asked for.
    func stream(
        _ range: Range<Int64>, version: ObjectVersion, stop: TransferStop,
        take: @escaping (UnsafeRawBufferPointer) throws -> Void
    ) throws(Failure) {
        var count = 0
        defer {
            asked.withLock { $0.append(Request(offset: range.lowerBound, count: count, hasVersion: true)) }
        }
        try ranges.stream(range, version: version, stop: stop) { bytes in
            count += bytes.count
            try take(bytes)
        }
    }
}

extension ByteSource {
    func bytes(_ count: Int, at offset: Int64) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: max(1, count)) { buffer, filled in
            let room = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer).prefix(count))
            filled = try read(into: room, at: offset)
        }
    }
}

extension ByteSink {
    func put(_ bytes: [UInt8], at offset: Int64) throws { try bytes.withUnsafeBytes { try write($0, at: offset) } }

    /// In pieces such as a process sends.
    func append(_ bytes: [UInt8], at offset: Int64 = 0, pieces: Int = 256 << 10) throws {
        try bytes.withUnsafeBytes { all in
            for start in stride(from: 0, to: all.count, by: pieces) {
                let piece = UnsafeRawBufferPointer(rebasing: all[start..<min(start + pieces, all.count)])
                try write(piece, at: offset + Int64(start))
            }
        }
    }
}

extension S3Client {
    func wholeObject(_ place: S3Place) throws -> [UInt8] {
        guard let size = try info(place, stop: TransferStop())?.sizeBytes else {
            throw CommandFailure(description: "there is no \(place)")
        }
        return try [UInt8](unsafeUninitializedCapacity: Int(size) + 1) { buffer, filled in
            let room = UnsafeMutableRawBufferPointer(
                rebasing: UnsafeMutableRawBufferPointer(buffer).prefix(Int(size) + 1))
            filled = try read(place, at: 0, into: room, ifMatch: nil, stop: TransferStop()).count
        }
    }

    func uploadNames(_ place: S3Place) throws -> [String] {
        try uploads(in: place.bucket, prefix: place.key, stop: TransferStop()).filter { $0.place == place }
            .map(\.uploadID)
    }

    func isThere(_ place: S3Place) throws -> Bool { try info(place, stop: TransferStop()) != nil }
}

/// Objects over a real ledger, as a daemon has them.
struct Bench: Sendable {
    static let rules = ObjectRules(
        read: [ObjectRules.Pattern("reelpool-tests")].compactMap(\.self),
        write: [ObjectRules.Pattern("reelpool-tests")].compactMap(\.self))

    let store: ObjectStore
    let ledger: SQLJobStore
    let client: S3Client
    let objects: S3Objects
    /// What could not be cleared up.
    let reports: Reports

    final class Reports: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func add(_ what: String, _ failure: Failure) { lines.withLock { $0.append("\(what): \(failure.message)") } }
    }

    static func now() -> StoreTime { StoreTime(Date().timeIntervalSince1970 * 1000) }

    static func with(_ store: ObjectStore, _ body: (Bench) async throws -> Void) async throws {
        let folder = NSTemporaryDirectory() + "reelpool-objects-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let database = try SQLiteDatabase(
            path: "\(folder)/jobs.db", options: .init(durability: .processDeath, busySeconds: 30))
        let ledger = SQLJobStore(
            database, policy: StorePolicy(ownerLimits: [:], backoff: Backoff(baseSeconds: 0.001, capSeconds: 0.001)))
        try await ledger.migrate()
        _ = try await blocking { try store.bucket() }
        do {
            try await body(try Bench(store, ledger))
        } catch {
            await ledger.close()
            throw error
        }
        await ledger.close()
    }

    init(
        _ store: ObjectStore, _ ledger: SQLJobStore, through url: String? = nil, over given: (any UploadLedger)? = nil,
        settings: S3ClientSettings = S3ClientSettings(), authority: String? = nil,
        now: @escaping @Sendable () -> StoreTime = Bench.now
    ) throws {
        (self.store, self.ledger) = (store, ledger)
        client = try store.client(url: url, settings: settings, authority: authority)
        let reports = Reports()
        self.reports = reports
        objects = S3Objects(
            client, rules: Self.rules, ledger: given ?? ledger, now: now, report: { reports.add($0, $1) })
    }

    /// A job that this worker has.
    func claimed(attempts: Int = 9, payload: String = "{}") async throws -> Lease {
        var job = NewJob(
            id: try #require(JobID(UUID().uuidString)), kind: .render, owner: "ann", payload: payload, ingress: .native)
        job.maxAttempts = attempts
        _ = try await ledger.insert([job])
        return try await claim(job.id)
    }

    func claim(_ id: JobID) async throws -> Lease {
        var lease: Lease?
        try await eventually("the job can be claimed") {
            _ = try await ledger.sweep()
            // Nobody renews it, however long the machine takes.
            let request = ClaimRequest(
                worker: "w", kinds: [.render], limit: 1, memoryBytes: 1 << 40, leaseSeconds: 3600)
            lease = try await ledger.claim(request).first.map { Lease(job: $0.id, epoch: $0.epoch) }
            return lease != nil
        }
        let found = try #require(lease)
        #expect(found.job == id)
        return found
    }

    func end(_ lease: Lease, _ outcome: AttemptEnding.Outcome) async throws {
        let endings = [AttemptEnding(lease: lease, outcome: outcome)]
        guard case .accepted = try await ledger.finish(endings, worker: "w").first else {
            throw CommandFailure(description: "an ending was not accepted")
        }
    }

    /// What the daemon does every few seconds.
    func sweep(_ objects: S3Objects? = nil) async throws {
        let objects = objects ?? self.objects
        for lease in try await blocking({ objects.unsettled() }) {
            let job = try await ledger.job(lease.job)
            guard job?.state.isFinal ?? true else { continue }
            try await blocking {
                guard let job else { return objects.settleForgotten(lease) }
                objects.settle(Lease(job: job.id, epoch: job.epoch), succeeded: job.state == .succeeded)
            }
        }
    }

    static let failed = AttemptEnding.Outcome.failed(Failure(code: .damagedMedia, message: "broken"))
    static let drained = AttemptEnding.Outcome.interrupted(Failure(code: .drained, message: "drained"))
}

let mebibyte = 1 << 20

/// As demuxers read: runs here and there, a look at the end, and back.
struct ReadWalk {
    var random: SeededGenerator
    let size: Int64
    private var position: Int64 = 0

    init(random: SeededGenerator, size: Int64) { (self.random, self.size) = (random, size) }

    mutating func next() -> (offset: Int64, count: Int) {
        let count = Int.random(in: 1...300_000, using: &random)
        switch Int.random(in: 0..<10, using: &random) {
        case 0: position = .random(in: 0..<size, using: &random)
        case 1: position = max(0, size - .random(in: 0...400_000, using: &random))
        case 2: position = max(0, position - .random(in: 0...500_000, using: &random))
        case 3: position = min(size, position + .random(in: 0...500_000, using: &random))
        default: break
        }
        defer { position = min(size, position + Int64(count)) }
        return (position, count)
    }
}

/// Ends an attempt as soon as it hangs, and looks at the clock.
final class Alarm: Sendable {
    private let raised = Mutex<ContinuousClock.Instant?>(nil)

    init(_ interruption: Interruption, when hangs: @escaping @Sendable () throws -> Bool) {
        OwnThread.start(named: "test.raise") { [self] in
            let end = ContinuousClock.now + patience
            while (try? hangs()) != true, ContinuousClock.now < end { usleep(20_000) }
            raised.withLock { $0 = ContinuousClock.now }
            interruption.raise()
        }
    }

    /// - Parameter what: has just ended.
    func check(_ what: String) throws {
        let moment = try #require(raised.withLock { $0 }, "\(what) ended by itself")
        let seconds = (ContinuousClock.now - moment) / .seconds(1)
        print("\(what) was left after \((seconds * 1000).rounded()) ms")
        // A second, and as much for a machine that does much else.
        #expect(seconds < 2)
    }
}
