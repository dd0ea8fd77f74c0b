internal import EdgeWire
internal import Hummingbird
internal import Model
internal import WorkerCore

/// Objects for workers without credentials: URLs to read sources and to upload parts by, for what the job of a current
/// lease names and nothing else. Every upload is on record before it begins.
struct EdgeObjectRoutes: Sendable {
    private static let partLimit = 100
    /// Source: AWS, "Amazon S3 multipart upload limits".
    private static let highestPart = 10_000

    let store: any JobStore
    let desk: (any ObjectDesk)?

    func add(to group: RouterGroup<BasicRequestContext>) {
        group.post("objects/read") { request, _ in try await answer(request, read) }
        group.post("objects/fence") { request, _ in try await answer(request, fence) }
        group.post("objects/begin") { request, _ in try await answer(request, begin) }
        group.post("objects/parts") { request, _ in try await answer(request, parts) }
        group.post("objects/complete") { request, _ in try await answer(request, complete) }
        group.post("objects/abort") { request, _ in try await answer(request, abort) }
    }

    @Sendable private func read(_ message: EdgeWire.ReadObject) async throws -> EdgeWire.ReadableObject {
        let job = try await job(message.lease, worker: message.worker)
        guard try task(of: job).sources.contains(message.uri) else { throw Self.unnamed(message.uri) }
        return try await atDesk { desk in
            guard let info = try desk.info(message.uri, owner: job.owner) else {
                throw Failure(code: .fileNotFound, message: "there is no object \(message.uri)")
            }
            let url = try desk.presignRead(message.uri, owner: job.owner, seconds: EdgeWire.urlSeconds)
            return EdgeWire.ReadableObject(url: url, seconds: EdgeWire.urlSeconds, info: info)
        }
    }

    @Sendable private func fence(_ message: EdgeWire.FenceObjects) async throws -> EdgeWire.Nothing {
        let job = try await job(message.lease, worker: message.worker, writes: true)
        for uri in message.outputs { try check(uri, isOutputOf: job) }
        try await atDesk { desk in
            for uri in message.outputs { try desk.checkOutput(uri, owner: job.owner) }
            try desk.fence(message.lease, outputs: message.outputs)
        }
        return EdgeWire.Nothing()
    }

    @Sendable private func begin(_ message: EdgeWire.BeginUpload) async throws -> EdgeWire.BegunUpload {
        let (uri, lease) = (message.uri, message.lease)
        let job = try await job(lease, worker: message.worker, writes: true)
        try check(uri, isOutputOf: job)
        try await atDesk { try $0.checkOutput(uri, owner: job.owner) }
        // An earlier answer may have been lost: nobody will use what it named.
        if let id = try await record(lease, uri)?.uploadID {
            _ = try await atDesk { try $0.abortUpload(uri, uploadID: id) }
            try await store.forgetUploads(lease, uris: [uri])
        }
        guard try await store.beginUpload(uri, for: lease) else { throw Problem.leaseLost }
        let id = try await atDesk { try $0.beginUpload(uri, contentType: message.contentType) }
        guard try await store.nameUpload(uri, id, for: lease) else {
            _ = try await atDesk { try $0.abortUpload(uri, uploadID: id) }
            throw Problem.leaseLost
        }
        return EdgeWire.BegunUpload(uploadID: id)
    }

    @Sendable private func parts(_ message: EdgeWire.PresignParts) async throws -> EdgeWire.PresignedParts {
        guard (1...Self.partLimit).contains(message.numbers.count),
            message.numbers.allSatisfy({ (1...Self.highestPart).contains($0) })
        else { throw Problem.invalid("no such parts") }
        _ = try await job(message.lease, worker: message.worker, writes: true)
        try await requireRecord(message.lease, message.uri, message.uploadID)
        let urls = try await atDesk { desk in
            try message.numbers.map {
                try desk.presignPart(
                    message.uri, uploadID: message.uploadID, number: $0, seconds: EdgeWire.urlSeconds)
            }
        }
        return EdgeWire.PresignedParts(urls: urls, seconds: EdgeWire.urlSeconds)
    }

    /// The ETag is on record before there can be an object that has it.
    @Sendable private func complete(_ message: EdgeWire.CompleteUpload) async throws -> EdgeWire.CompletedUpload {
        let (uri, lease, id) = (message.uri, message.lease, message.uploadID)
        let job = try await job(lease, worker: message.worker, writes: true)
        let record = try await requireRecord(lease, uri, id)
        let expected = try await atDesk { $0.etag(of: message.parts) }
        guard let expected else { throw Problem.invalid("the parts' ETags are none of this store's") }
        guard try await store.sealUpload(uri, etag: expected, for: lease) else { throw Problem.leaseLost }
        let etag = try await atDesk { desk in
            // An earlier answer may have been lost.
            if record.etag == expected, try desk.info(uri, owner: job.owner)?.etag == expected { return expected }
            return try desk.completeUpload(uri, uploadID: id, parts: message.parts)
        }
        return EdgeWire.CompletedUpload(etag: etag)
    }

    /// Needs no lease: what is on record of an attempt may be ended by anybody, and by itself first.
    @Sendable private func abort(_ message: EdgeWire.AbortUpload) async throws -> EdgeWire.Nothing {
        guard let record = try await record(message.lease, message.uri), record.uploadID == message.uploadID else {
            return EdgeWire.Nothing()
        }
        let existed = try await atDesk { try $0.abortUpload(message.uri, uploadID: message.uploadID) }
        // What was sealed and is no upload any more may be an object: that is for the sweep to judge.
        if existed || record.etag == nil { try await store.forgetUploads(message.lease, uris: [message.uri]) }
        return EdgeWire.Nothing()
    }

    // MARK: Checks

    /// The job of a lease that is current.
    private func job(_ lease: Lease, worker: String, writes: Bool = false) async throws -> JobRecord {
        guard let job = try await store.job(lease.job), job.epoch == lease.epoch, job.leaseOwner == worker,
            let until = job.leaseUntil, try await store.now() < until, !writes || job.state == .running
        else { throw Problem.leaseLost }
        return job
    }

    private func task(of job: JobRecord) throws -> TaskDocument {
        try TaskDocument(kind: job.kind, payload: job.payload)
    }

    /// An output that the task names, or one file in a folder that it names.
    private func check(_ uri: String, isOutputOf job: JobRecord) throws {
        let task = try task(of: job)
        if task.outputs.contains(uri) { return }
        if case .proxy(let proxy) = task, uri.hasPrefix(proxy.output + "/") {
            let name = uri.dropFirst(proxy.output.count + 1)
            if !name.isEmpty, !name.contains("/"), name != ".", name != ".." { return }
        }
        throw Self.unnamed(uri)
    }

    private static func unnamed(_ uri: String) -> Problem {
        Problem(Failure(code: .sourceNotAllowed, message: "the job does not name \(uri)"))
    }

    private func record(_ lease: Lease, _ uri: String) async throws -> UploadRecord? {
        try await store.uploads(of: lease.job).first { $0.lease == lease && $0.uri == uri }
    }

    @discardableResult
    private func requireRecord(_ lease: Lease, _ uri: String, _ id: String) async throws -> UploadRecord {
        guard let record = try await record(lease, uri), record.uploadID == id else {
            throw Problem.conflict("there is no such upload on record")
        }
        return record
    }

    /// What blocks, on a thread that may.
    private func atDesk<Value: Sendable>(
        _ body: @escaping @Sendable (any ObjectDesk) throws -> Value
    ) async throws -> Value {
        guard let desk else {
            throw Problem(Failure(code: .sourceNotAllowed, message: "no object store is set up here"))
        }
        return try await OwnThread.run(named: "reelpool.objects") { try body(desk) }
    }
}
