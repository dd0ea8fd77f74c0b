internal import Envelopes
internal import HTTPTypes
internal import Hummingbird
internal import Model
internal import NIOCore
internal import WorkerCore

/// The scheduler's interface: what AMQP carries in and Redis carries out, over HTTP.
struct JobRoutes: Sendable {
    private static let pageLimit = 500

    let parts: ServiceParts

    func add(to group: RouterGroup<BasicRequestContext>) {
        group.post("jobs", use: submit)
        group.get("jobs", use: list)
        group.get("jobs/:id", use: get)
        group.get("jobs/:id/events", use: events)
        group.post("jobs/:id/cancel", use: cancel)
        group.post("jobs/:id/requeue", use: requeue)
        group.patch("jobs/:id", use: change)
        group.get("workers", use: workers)
    }

    @Sendable private func submit(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        var body = try await Self.parse(request)
        if let key = request.headers[.idempotencyKey] {
            body = body.adding("idempotency_key", .string(key))
        } else if body["id"] == nil, body["idempotency_key"] == nil {
            body = body.adding("id", .string(parts.newID()))
        }
        if body["version"] == nil { body = body.adding("version", 1) }
        let job: NewJob
        do {
            let delivery = Delivery(queue: "http", body: body.bytes)
            let source = EnvelopeReader.Source(ingress: Self.door(request), rules: parts.rules)
            job = try EnvelopeReader(fallback: source).read(delivery, now: parts.now())
            _ = try TaskDocument(kind: job.kind, payload: job.payload)
        } catch {
            throw Problem(Failure(error))
        }
        switch try await parts.store.insert([job]).first {
        case .inserted(let id): return try await answer(id, .created)
        case .duplicate(let id): return try await answer(id, .ok)
        case .ownerFull, nil: throw Self.full(job.owner, job.kind)
        case .insufficientCredit(let needed, let available): throw Self.poor(needed, available)
        case .refused(let failure): throw Problem(failure)
        }
    }

    /// Operators' own command says that it is: its jobs may be billed otherwise than a back end's.
    private static func door(_ request: Request) -> Ingress {
        request.headers[.reelpoolClient] == Ingress.cli.rawValue ? .cli : .http
    }

    @Sendable private func get(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        try await answer(try id(context), .ok, withAttempts: true)
    }

    @Sendable private func list(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let query = request.uri.queryParameters
        var filter = JobFilter(owner: query["owner"].map(String.init))
        if let kind = query["kind"] {
            guard let kind = JobKind(rawValue: String(kind)) else { throw Problem.invalid("kind: \(kind) is none") }
            filter.kinds = [kind]
        }
        if let name = query["state"] {
            guard let states = JobView.states(named: String(name)) else {
                throw Problem.invalid("state: \(name) is none")
            }
            filter.states = states
        }
        if let before = query["before"] {
            guard let id = JobID(String(before)) else { throw Problem.invalid("before: should be a job's id") }
            filter.before = id
        }
        filter.limit = 100
        if let limit = query["limit"] {
            guard let number = Int(limit), (1...Self.pageLimit).contains(number) else {
                throw Problem.invalid("limit: a number from 1 to \(Self.pageLimit)")
            }
            filter.limit = number
        }
        let jobs = try await parts.store.jobs(filter)
        let next: JSONValue = jobs.count == filter.limit ? .text(jobs.last?.id.text) : .null
        return Self.json(["jobs": .array(jobs.map { JobView.json($0) }), "next_before": next], .ok)
    }

    @Sendable private func cancel(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let id = try id(context)
        switch try await parts.store.cancel(id) {
        case .unknownJob: throw Problem.notFound
        case .alreadyEnded(let state): throw Problem.conflict("the job has ended: \(state.rawValue)")
        case .cancelled: return try await answer(id, .ok)
        case .requested: return try await answer(id, .accepted)
        }
    }

    @Sendable private func requeue(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let id = try id(context)
        switch try await parts.store.requeue(id) {
        case .requeued(let new): return try await answer(new, .created)
        case .unknownJob: throw Problem.notFound
        case .notEndedWithoutSuccess:
            throw Problem.conflict("only a job that ended without success can run again")
        case .already(let new): throw Problem.conflict("it runs again already, as \(new)")
        case .ownerFull:
            throw Problem(Failure(code: .queueFull, message: "its owner has as many jobs waiting as allowed"))
        case .insufficientCredit(let needed, let available): throw Self.poor(needed, available)
        case .refused(let failure): throw Problem(failure)
        }
    }

    private static func full(_ owner: String, _ kind: JobKind) -> Problem {
        Problem(.queueFull(owner, kind))
    }

    private static func poor(_ needed: MicroCredits, _ available: MicroCredits) -> Problem {
        Problem(.insufficientCredit(needed: needed, available: available))
    }

    @Sendable private func change(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let id = try id(context)
        let body = try await Self.parse(request)
        guard let members = body.objectValue, Array(members.keys) == ["tier"],
            let tier = body["tier"]?.integerValue, (0...3).contains(tier)
        else { throw Problem.invalid("a tier from 0 to 3 is all that can be changed") }
        guard try await parts.store.job(id) != nil else { throw Problem.notFound }
        guard try await parts.store.reprioritise(id, tier: Tier(Int(tier))) else {
            throw Problem.conflict("the job has started or ended")
        }
        return try await answer(id, .ok)
    }

    @Sendable private func workers(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        Self.json(["workers": .array(try await parts.store.workers().map(JobView.worker))], .ok)
    }

    /// Source: HTML Living Standard, "Server-sent events".
    @Sendable private func events(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let id = try id(context)
        guard try await parts.store.job(id) != nil else { throw Problem.notFound }
        let updates = ProgressFeed(job: id, store: parts.store, taps: parts.taps)
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
            body: ResponseBody { writer in
                for try await event in updates.events() {
                    try await writer.write(ByteBuffer(string: event))
                }
                try await writer.finish(nil)
            })
    }

    // MARK: Pieces

    private func id(_ context: BasicRequestContext) throws -> JobID {
        guard let id = context.parameters.get("id").flatMap({ JobID($0) }) else { throw Problem.notFound }
        return id
    }

    static func parse(_ request: Request, upTo limit: Int = EnvelopeReader.maximumBytes) async throws -> JSONValue {
        let buffer: ByteBuffer
        do {
            buffer = try await request.body.collect(upTo: limit)
        } catch {
            throw Problem.invalid("the body is larger than \(limit) bytes")
        }
        do {
            let value = try JSONValue(
                parsing: Array(buffer.readableBytesView), maximumDepth: EnvelopeReader.maximumDepth)
            guard value.objectValue != nil else { throw Problem.invalid("the body should be a JSON object") }
            return value
        } catch let problem as Problem {
            throw problem
        } catch {
            throw Problem(Failure(code: .invalidJSON, message: "the body is not JSON: \(error)"))
        }
    }

    private func answer(
        _ id: JobID, _ status: HTTPResponse.Status, withAttempts: Bool = false
    ) async throws -> Response {
        guard let job = try await parts.store.job(id) else { throw Problem.notFound }
        let attempts = withAttempts ? try await parts.store.attempts(of: id) : nil
        return Self.json(JobView.json(job, attempts: attempts), status)
    }

    static func json(_ value: JSONValue, _ status: HTTPResponse.Status) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: value.bytes)))
    }
}

extension HTTPField.Name {
    static var idempotencyKey: HTTPField.Name { HTTPField.Name("Idempotency-Key") ?? .ifMatch }
    static var reelpoolClient: HTTPField.Name { HTTPField.Name("Reelpool-Client") ?? .ifMatch }
}

extension JSONValue {
    fileprivate func adding(_ name: String, _ value: JSONValue) -> JSONValue {
        var members = objectValue ?? [:]
        members[name] = value
        return .object(members)
    }
}
