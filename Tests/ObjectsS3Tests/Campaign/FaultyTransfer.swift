import Downloads
import HTTPTransfer
import Model
import ObjectsS3
import PoolTestSupport
import S3
import TestSupport
import WorkerCore

/// Protection that is taken away to see whether anybody would notice.
enum Weakness: Sendable {
    case none
    /// Parts are sent without their MD5 and their hash, and nobody compares what the store says.
    case unchecked
    /// Reads do not say which version they are of.
    case anyVersion
}

/// One transfer through a way on which things go wrong, and what came of it.
struct FaultyTransfer: Sendable {
    enum End: Sendable {
        case whole
        case failed(FailureCode)
        /// Neither whole nor failed as it should.
        case wrong(String)
    }

    struct Result: Sendable {
        var transfer: FaultyTransfer
        var end: End
        /// What was done to its requests.
        var faults: [String]
        var seconds: Double
    }

    let number: Int
    let trade: Trade
    let site: TransferSite
    let seed: UInt64
    let fate: Fate
    /// Of the store that a download goes to.
    let otherFate: Fate
    let weakness: Weakness
    let way: FaultProxy
    let otherWay: FaultProxy
    /// Of outputs.
    let job: JobRecord?

    private static let partBytes = 8 * mebibyte

    init(
        _ number: Int, _ trade: Trade, _ site: TransferSite, seed: UInt64, weakness: Weakness, faults: [String]?
    ) async throws {
        (self.number, self.trade, self.site, self.seed, self.weakness) = (number, trade, site, seed, weakness)
        var random = SeededGenerator(seed: seed)
        let isURL = trade.isURL || trade == .download
        var fate = Fate(trade, isURL: isURL, isOutput: trade.isOutput && trade != .download, &random)
        if let faults { fate.faults = faults }
        self.fate = fate
        otherFate = Fate(trade, isURL: false, isOutput: true, &random)
        let proxy = trade.isSecure ? site.secure : site.plain
        let (planned, others) = (fate.faults, otherFate.faults)
        (way, otherWay) = try await blocking {
            let ways = (try proxy.way(), try proxy.way())
            try ways.0.next(planned)
            try ways.1.next(others)
            return ways
        }
        guard trade.isOutput else {
            job = nil
            return
        }
        let client = try site.store.client(url: way.url)
        let payload: JSONValue = [
            "source": .string(client.presign("GET", site.film, seconds: 3600)),
            "output": .string(site.place(number).uri),
        ]
        job = try await site.claimed(trade == .download ? .download : .render, payload.text)
    }

    var place: S3Place { site.place(number) }

    private func settings() -> S3ClientSettings {
        var settings = S3ClientSettings()
        settings.backoff = Backoff(baseSeconds: 0.005, capSeconds: 0.05)
        (settings.tries, settings.stallSeconds, settings.completeSeconds) = (6, 1, 3)
        if weakness == .unchecked { settings.checksBodies = false }
        return settings
    }

    func run() async throws -> Result {
        let begin = ContinuousClock.now
        let end: End
        do {
            let problem = try await work()
            end = problem.map(End.wrong) ?? .whole
        } catch {
            let failure = Failure(error)
            let codes = trade == .download ? fate.codes.union(otherFate.codes) : fate.codes
            let isRight = codes.contains(failure.code) || trade == .replaced && failure.code == .sourceChanged
            end = isRight ? .failed(failure.code) : .wrong("failed with \(failure)")
        }
        let seconds = (ContinuousClock.now - begin) / .seconds(1)
        let faults = try await blocking {
            var seen = try way.seen
            if trade == .download { seen += try otherWay.seen }
            return seen.map(\.fault).filter { $0 != "pass" }
        }
        return Result(transfer: self, end: end, faults: faults, seconds: seconds)
    }

    /// - Returns: what is wrong with what came.
    private func work() async throws -> String? {
        switch trade {
        case .walk, .run, .secureRead, .replaced, .url, .secureURL:
            return try await blocking { try read() }
        case .small, .large, .secureOutput:
            return try await blocking { try write() }
        case .download:
            return try await download()
        }
    }

    // MARK: Reading

    private func read() throws -> String? {
        var random = SeededGenerator(seed: seed &+ 7)
        var (place, truth) = (site.source, site.sourceTruth)
        if trade == .replaced {
            place = S3Place(bucket: place.bucket, key: "\(site.prefix)/replaced/\(number)")
            truth = TransferSite.piece(of: site.block, 2 * mebibyte, mark: seed)
            _ = try site.bench.client.put(place, truth, stop: TransferStop())
        }
        let source = try open(place)
        defer { source.close() }
        guard source.sizeBytes == Int64(truth.count) else { return "another size: \(source.sizeBytes ?? -1)" }
        let replacing = Int.random(in: 1..<8, using: &random)
        var walk = ReadWalk(random: random, size: Int64(truth.count))
        var position: Int64 = 0
        for step in 0..<(trade == .run ? .max : 40) {
            if trade == .replaced, step == replacing {
                let other = TransferSite.piece(of: site.block, truth.count, mark: seed &+ 1)
                _ = try site.bench.client.put(place, other, stop: TransferStop())
            }
            let (offset, count) = trade == .run ? (position, 256 << 10) : walk.next()
            let found = try source.bytes(count, at: offset)
            let expected = truth[min(Int(offset), truth.count)..<min(truth.count, Int(offset) + count)]
            guard isSame(found, expected) else { return "other bytes: \(count) at \(offset)" }
            position += Int64(found.count)
            if trade == .run, found.isEmpty { return position == Int64(truth.count) ? nil : "it ended early" }
        }
        return nil
    }

    private func open(_ place: S3Place) throws -> RangedSource {
        let client = try site.store.client(url: way.url, settings: settings(), authority: way.authority)
        guard trade.isURL else {
            let ranges = S3Ranges(client, place)
            return try RangedSource(weakness == .anyVersion ? VersionlessRanges(ranges: ranges) : ranges)
        }
        var http = HTTPClient.Settings(.guarded(AddressGuard(allowing: ["127.0.0.1"])))
        http.authorityFile = way.authority
        return try RangedSource(
            HTTPRanges(
                HTTPClient(http), try WebAddress(client.presign("GET", place, seconds: 3600)), now: Bench.now,
                pauses: Backoff(baseSeconds: 0.005, capSeconds: 0.05), stallSeconds: 1))
    }

    // MARK: Writing

    private func objects(through way: FaultProxy) throws -> S3Objects {
        try Bench(
            site.store, site.bench.ledger, through: way.url, settings: settings(), authority: way.authority
        ).objects
    }

    private func write() throws -> String? {
        var random = SeededGenerator(seed: seed &+ 7)
        let size =
            trade == .small || trade == .secureOutput && number % 4 > 0
            ? Int.random(in: 1...mebibyte, using: &random)
            : Self.partBytes + Int.random(in: 1...mebibyte, using: &random)
        let bytes = TransferSite.piece(of: site.block, size, mark: seed)
        guard let job else { return "there is no job" }
        let lease = Lease(job: job.id, epoch: job.epoch)
        let objects = try objects(through: way)
        try objects.fence(lease, outputs: [place.uri])
        let output = try objects.stage(
            place.uri, name: nil, bounds: OutputBounds(headBytes: 1000, limitBytes: 1 << 30), for: lease)
        // The beginning last, as a container does.
        let head = min(1000, size)
        if size > head { try output.append(Array(bytes[head...]), at: Int64(head)) }
        try output.put(Array(bytes[..<head]), at: 0)
        try objects.commit([output], for: lease)
        return try compare(bytes)
    }

    /// With what is there, asked for without anything between.
    private func compare(_ bytes: [UInt8]) throws -> String? {
        isSame(try site.bench.client.wholeObject(place), bytes) ? nil : "the object has other bytes"
    }

    private func download() async throws -> String? {
        guard let job else { return "there is no job" }
        let objects = try objects(through: otherWay)
        let executor = DownloadExecutor(
            objects: objects, addresses: AddressGuard(allowing: ["127.0.0.1"]), userAgent: "test",
            pauses: Backoff(baseSeconds: 0.005, capSeconds: 0.05), now: Bench.now)
        let caps = EffectiveCaps(
            memoryBytes: 1 << 27, threads: 1, wallSeconds: 600, stallSeconds: 1, outputBytes: 1 << 30,
            sourceSeconds: 5400, sourceBytes: 1 << 30)
        switch await executor.run(Attempt(job: job, caps: caps, startedAt: 0), report: { _ in }) {
        case .succeeded: return try await blocking { try compare(site.filmTruth) }
        case .failed(let failure): throw failure
        case .admitted: return "it was admitted"
        }
    }
}

/// Ranges of whatever is there at the moment.
private struct VersionlessRanges: RangeStore {
    let ranges: S3Ranges

    var shownName: String { ranges.shownName }

    func fetch(
        at offset: Int64, into buffer: UnsafeMutableRawBufferPointer, version: ObjectVersion?, stop: TransferStop
    ) throws(Failure) -> (count: Int, version: ObjectVersion) {
        let answer = try ranges.fetch(at: offset, into: buffer, version: nil, stop: stop)
        return (answer.count, version ?? answer.version)
    }

    func stream(
        _ range: Range<Int64>, version: ObjectVersion, stop: TransferStop,
        take: @escaping (UnsafeRawBufferPointer) throws -> Void
    ) throws(Failure) {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: range.count, alignment: 8)
        defer { memory.deallocate() }
        let count = try fetch(at: range.lowerBound, into: memory, version: version, stop: stop).count
        do {
            try take(UnsafeRawBufferPointer(rebasing: memory[..<count]))
        } catch {
            throw Failure(error)
        }
    }
}
