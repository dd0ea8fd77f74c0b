internal import ArgumentParser
internal import Foundation
internal import Glibc
internal import HTTPTransfer
internal import Model
internal import ObjectsS3
internal import S3
internal import SQLStore
internal import StoreSQLite
internal import WorkerCore

/// Moves one object as a worker does: down through the source that a job reads, up through the output that it writes,
/// with the upload on record in a ledger. Prints the seconds that it took.
///
/// The store is that of AWS_ENDPOINT_URL, with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
@main
struct TransferBench: AsyncParsableCommand {
    enum Direction: String, ExpressibleByArgument, CaseIterable { case down, up }

    /// As much as a child asks for at a time.
    private static let pieceBytes = 1 << 20

    @Argument(help: "down or up") var direction: Direction
    @Argument(help: "s3://bucket/key") var uri: String
    @Argument(help: "what is sent, or becomes of what comes") var file: String

    func run() async throws {
        let folder = NSTemporaryDirectory() + "transfer-bench-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let database = try SQLiteDatabase(path: "\(folder)/jobs.db", options: .init())
        let ledger = SQLJobStore(
            database, policy: StorePolicy(ownerLimits: [:], backoff: Backoff(baseSeconds: 1, capSeconds: 1)))
        try await ledger.migrate()
        let lease = try await Self.lease(ledger)
        let objects = try objects(ledger)
        let clock = ContinuousClock()
        let start = clock.now
        let bytes = try await OwnThread.run(named: "reelpool.bench") {
            switch direction {
            case .down: try down(objects)
            case .up: try up(objects, lease)
            }
        }
        let time = clock.now - start
        let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18
        print("{\"seconds\": \(seconds), \"bytes\": \(bytes)}")
        await ledger.close()
    }

    private func objects(_ ledger: SQLJobStore) throws -> S3Objects {
        let variables = ProcessInfo.processInfo.environment
        guard let url = variables["AWS_ENDPOINT_URL"], let key = variables["AWS_ACCESS_KEY_ID"],
            let secret = variables["AWS_SECRET_ACCESS_KEY"], let place = S3Place(uri: uri),
            let endpoint = S3Endpoint(url: url, region: "us-east-1", style: .path),
            let all = ObjectRules.Pattern(place.bucket)
        else { throw ValidationError("no store, or no place in it") }
        var http = HTTPClient.Settings(.open)
        http.keptLanes = 32
        let client = S3Client(
            endpoint: endpoint, credentials: S3Credentials(accessKey: key, secretKey: secret), http: HTTPClient(http),
            settings: S3ClientSettings())
        return S3Objects(
            client, rules: ObjectRules(read: [all], write: [all]), ledger: ledger,
            now: { StoreTime(Date().timeIntervalSince1970 * 1000) })
    }

    /// Of a job that this process has.
    private static func lease(_ ledger: SQLJobStore) async throws -> Lease {
        guard let id = JobID(UUID().uuidString) else { throw ValidationError("no identity") }
        _ = try await ledger.insert([NewJob(id: id, kind: .render, owner: "bench", payload: "{}", ingress: .native)])
        let request = ClaimRequest(worker: "w", kinds: [.render], limit: 1, memoryBytes: 1 << 40, leaseSeconds: 3600)
        guard let job = try await ledger.claim(request).first else { throw ValidationError("no job") }
        return Lease(job: job.id, epoch: job.epoch)
    }

    private func down(_ objects: S3Objects) throws -> Int64 {
        let output = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard output >= 0 else { throw ValidationError("\(file) cannot be written") }
        defer { close(output) }
        let source = try objects.open(uri, owner: "bench")
        // As proxies and analyses read.
        source.expectWhole()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.pieceBytes, alignment: 64)
        defer { buffer.deallocate() }
        var position: Int64 = 0
        while true {
            let count = try source.read(into: buffer, at: position)
            guard count > 0 else { return position }
            guard Glibc.write(output, buffer.baseAddress, count) == count else {
                throw ValidationError("\(file) cannot be written")
            }
            position += Int64(count)
        }
    }

    private func up(_ objects: S3Objects, _ lease: Lease) throws -> Int64 {
        let input = open(file, O_RDONLY)
        guard input >= 0 else { throw ValidationError("\(file) cannot be read") }
        defer { close(input) }
        // As a render of that length is bounded beforehand.
        let bounds = OutputBounds(headBytes: 1 << 20, limitBytes: 2 << 30)
        try objects.fence(lease, outputs: [uri])
        let staged = try objects.stage(uri, name: nil, bounds: bounds, for: lease)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.pieceBytes, alignment: 64)
        defer { buffer.deallocate() }
        var position: Int64 = 0
        while case let count = Glibc.read(input, buffer.baseAddress, buffer.count), count > 0 {
            try staged.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]), at: position)
            position += Int64(count)
        }
        try objects.commit([staged], for: lease)
        objects.settle(lease, succeeded: true)
        return position
    }
}
