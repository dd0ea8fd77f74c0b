internal import EdgeWire
internal import HTTPTypes
internal import Hummingbird
internal import Model
internal import NIOCore
package import WorkerCore

/// What the service is to workers without a database, beside what it works on anyway.
package struct EdgeParts: Sendable {
    /// What such a worker shows as its bearer token; not a scheduler's.
    package var token: String
    /// Where their progress goes: as that of a worker in this process.
    package var progress: any ProgressSink
    /// `nil` where no object store is set up.
    package var objects: (any ObjectDesk)?
    /// How long presigned URLs are good for.
    package var urlSeconds: Int

    package init(
        token: String, progress: any ProgressSink, objects: (any ObjectDesk)? = nil,
        urlSeconds: Int = EdgeWire.urlSeconds
    ) {
        (self.token, self.progress, self.objects, self.urlSeconds) = (token, progress, objects, urlSeconds)
    }
}

/// The pool for workers that reach nothing but this: what `WorkQueue` says, over HTTP.
struct EdgeRoutes: Sendable {
    private static let claimLimit = 1000
    private static let leaseSeconds = 1.0...3600

    let store: any JobStore
    let edge: EdgeParts
    let bell: EdgeBell

    func add(to group: RouterGroup<BasicRequestContext>) {
        group.post("claim") { request, _ in try await answer(request, claim) }
        group.post("renew") { request, _ in try await answer(request, renew) }
        group.post("finish") { request, _ in try await answer(request, finish) }
        group.post("admit") { request, _ in try await answer(request, admit) }
        group.post("heartbeat") { request, _ in try await answer(request, heartbeat) }
        group.post("workers") { request, _ in try await answer(request, workers) }
        group.post("release") { request, _ in try await answer(request, release) }
        group.post("job") { request, _ in try await answer(request, look) }
        group.post("wait") { request, _ in try await answer(request, wait) }
        group.post("progress") { request, _ in try await answer(request, progress) }
        EdgeObjectRoutes(store: store, desk: edge.objects, urlSeconds: edge.urlSeconds).add(to: group)
    }

    // MARK: Claims and leases

    @Sendable private func claim(_ message: EdgeWire.Claim) async throws -> EdgeWire.Jobs {
        guard (1...Self.claimLimit).contains(message.limit), Self.leaseSeconds.contains(message.leaseSeconds) else {
            throw Problem.invalid("a limit or a lease that no worker asks for")
        }
        let unheard = try await unheard(message)
        return EdgeWire.Jobs(unheard.isEmpty ? try await store.claim(message.request) : unheard)
    }

    /// What the worker was given in an answer that never reached it: it is given that again, with the lease begun anew.
    private func unheard(_ message: EdgeWire.Claim) async throws -> [JobRecord] {
        let held = try await store.held(by: message.worker, instance: message.instance)
        let known = Set(message.holding)
        let unheard = held.filter { message.kinds.contains($0.kind) && !known.contains($0.lease) }
            .prefix(message.limit)
        guard !unheard.isEmpty else { return [] }
        let outcome = try await store.renew(
            unheard.map(\.lease), worker: message.worker, seconds: message.leaseSeconds)
        return unheard.filter { !outcome.lost.contains($0.lease) }
    }

    @Sendable private func renew(_ message: EdgeWire.Renewal) async throws -> EdgeWire.Renewed {
        guard Self.leaseSeconds.contains(message.seconds) else {
            throw Problem.invalid("a lease that no worker asks for")
        }
        return EdgeWire.Renewed(
            try await store.renew(message.leases, worker: message.worker, seconds: message.seconds))
    }

    @Sendable private func finish(_ message: EdgeWire.Finish) async throws -> EdgeWire.Finished {
        var outcomes = try await store.finish(message.endings.map(\.ending), worker: message.worker)
        for (index, ending) in message.endings.enumerated() where ending.isRepeated && outcomes[index] == .stale {
            outcomes[index] = try await written(ending.ending, by: message.worker)
        }
        return EdgeWire.Finished(outcomes)
    }

    /// Whether an ending that comes again is what was written of its attempt: then it came in time before.
    private func written(_ ending: AttemptEnding, by worker: String) async throws -> FinishOutcome {
        guard let job = try await store.job(ending.lease.job),
            let attempt = try await store.attempts(of: job.id).first(where: { $0.epoch == ending.lease.epoch }),
            attempt.worker == worker, attempt.endedAt != nil
        else { return .stale }
        switch ending.outcome {
        case .succeeded:
            guard job.state == .succeeded, job.epoch == ending.lease.epoch else { return .stale }
        case .failed(let failure), .interrupted(let failure), .dead(let failure), .cancelled(let failure),
            .retry(let failure, _, _, _):
            guard attempt.failure == failure else { return .stale }
        }
        return .accepted(job.state)
    }

    @Sendable private func admit(_ message: EdgeWire.Admitting) async throws -> EdgeWire.Admitted {
        EdgeWire.Admitted(counted: try await store.admit(message.admission))
    }

    @Sendable private func look(_ message: EdgeWire.Look) async throws -> EdgeWire.Seen {
        EdgeWire.Seen(try await store.job(message.job))
    }

    // MARK: Workers and news

    @Sendable private func heartbeat(_ message: EdgeWorker) async throws -> EdgeWire.Nothing {
        try await store.heartbeat(message.record)
        return EdgeWire.Nothing()
    }

    @Sendable private func workers(_ message: EdgeWire.Nothing) async throws -> EdgeWire.Workers {
        EdgeWire.Workers(try await store.workers())
    }

    @Sendable private func release(_ message: EdgeWorker) async throws -> EdgeWire.Released {
        EdgeWire.Released(jobs: try await store.releaseLeases(ofEarlier: message.record))
    }

    @Sendable private func wait(_ message: EdgeWire.Wait) async throws -> EdgeWire.News {
        EdgeWire.News(latest: await bell.wait(after: message.seen, seconds: EdgeWire.waitSeconds))
    }

    /// Of attempts that the worker has, or had last. Where it goes is what the store has, not what the worker says.
    @Sendable private func progress(_ message: EdgeWire.Progress) async throws -> EdgeWire.Nothing {
        for update in message.updates {
            guard let job = try await store.job(update.job), job.epoch == update.epoch,
                job.leaseOwner == nil || job.leaseOwner == message.worker
            else { continue }
            var update = update
            (update.kind, update.owner, update.route) = (job.kind, job.owner, job.progressRoute)
            edge.progress.tell(update)
        }
        return EdgeWire.Nothing()
    }
}

extension JobRecord {
    var lease: Lease { Lease(job: id, epoch: epoch) }
}

/// Reads a message, and writes what comes of it.
func answer<Message: Decodable, Answer: Encodable>(
    _ request: Request, _ body: (Message) async throws -> Answer
) async throws -> Response {
    let bytes: [UInt8]
    do {
        bytes = Array(try await request.body.collect(upTo: EdgeWire.largestBytes).readableBytesView)
    } catch {
        throw Problem.invalid("the body is larger than \(EdgeWire.largestBytes) bytes, or ended early")
    }
    let message: Message
    do {
        message = try EdgeWire.decode(bytes)
    } catch {
        throw Problem.invalid("the body is not understood: \(error)")
    }
    let answer = try EdgeWire.encode(try await body(message))
    return Response(
        status: .ok, headers: [.contentType: "application/json"],
        body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer)))
}
