internal import EdgeWire
internal import Hummingbird
internal import Model
internal import WorkerCore

/// Objects for workers without credentials: URLs to read sources and to upload parts by, for what the job of a current
/// lease names and nothing else. Every upload is on record before it begins.
struct EdgeObjectRoutes: Sendable {
    let store: any JobStore
    let desk: (any ObjectDesk)?
    let urlSeconds: Int

    func add(to group: RouterGroup<BasicRequestContext>) {
        group.post("objects/read") { request, _ in try await answer(request, read) }
        group.post("objects/fence") { request, _ in try await answer(request, fence) }
        group.post("objects/begin") { request, _ in try await answer(request, begin) }
        group.post("objects/parts") { request, _ in try await answer(request, parts) }
        group.post("objects/complete") { request, _ in try await answer(request, complete) }
        group.post("objects/abort") { request, _ in try await answer(request, abort) }
    }

    @Sendable private func read(_ message: EdgeWire.NameObject) async throws -> EdgeWire.ReadableObject {
        let job = try await job(message.lease, worker: message.worker)
        guard try task(of: job).sources.contains(message.uri) else { throw Self.unnamed(message.uri) }
        return try await atDesk { desk in
            let object = try desk.read(message.uri, owner: job.owner, seconds: urlSeconds)
            return EdgeWire.ReadableObject(object, seconds: urlSeconds)
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

    @Sendable private func begin(_ message: EdgeWire.NameObject) async throws -> EdgeWire.BegunUpload {
        let job = try await job(message.lease, worker: message.worker, writes: true)
        try check(message.uri, isOutputOf: job)
        let id = try await atDesk { desk in
            try desk.checkOutput(message.uri, owner: job.owner)
            return try desk.beginUpload(message.uri, for: message.lease)
        }
        return EdgeWire.BegunUpload(uploadID: id)
    }

    @Sendable private func parts(_ message: EdgeWire.PresignParts) async throws -> EdgeWire.PresignedParts {
        guard (1...EdgeWire.mostParts).contains(message.numbers.count),
            message.numbers.allSatisfy({ (1...UploadedPart.mostNumbers).contains($0) })
        else { throw Problem.invalid("no such parts") }
        _ = try await job(message.lease, worker: message.worker, writes: true)
        let urls = try await atDesk { desk in
            try desk.presignParts(
                message.uri, uploadID: message.uploadID, numbers: message.numbers, for: message.lease,
                seconds: urlSeconds)
        }
        return EdgeWire.PresignedParts(urls: urls, seconds: urlSeconds)
    }

    @Sendable private func complete(_ message: EdgeWire.CompleteUpload) async throws -> EdgeWire.CompletedUpload {
        _ = try await job(message.lease, worker: message.worker, writes: true)
        let etag = try await atDesk { desk in
            try desk.completeUpload(
                message.uri, uploadID: message.uploadID, parts: message.parts, for: message.lease)
        }
        return EdgeWire.CompletedUpload(etag: etag)
    }

    /// Needs no lease: what is on record of an attempt may be ended by anybody, and by itself first.
    @Sendable private func abort(_ message: EdgeWire.AbortUpload) async throws -> EdgeWire.Nothing {
        try await atDesk { desk in
            try desk.abortUpload(message.uri, uploadID: message.uploadID, of: message.lease)
        }
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
        if case .proxy(let proxy) = task {
            let folder = proxy.output.hasSuffix("/") ? proxy.output : "\(proxy.output)/"
            let name = uri.hasPrefix(folder) ? uri.dropFirst(folder.count) : ""
            if !name.isEmpty, !name.contains("/"), name != ".", name != ".." { return }
        }
        throw Self.unnamed(uri)
    }

    private static func unnamed(_ uri: String) -> Problem {
        Problem(Failure(code: .sourceNotAllowed, message: "the job does not name \(uri)"))
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
