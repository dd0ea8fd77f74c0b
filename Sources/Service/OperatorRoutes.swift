internal import HTTPTypes
internal import Hummingbird
internal import Model
internal import WorkerCore

/// What is asked besides jobs: what one would cost, and that jobs are taken from workers that are gone.
struct OperatorRoutes: Sendable {
    let parts: ServiceParts

    func add(to group: RouterGroup<BasicRequestContext>) {
        group.post("quotes", use: quote)
        group.post("jobs/requeue-in-flight", use: requeueInFlight)
    }

    /// The price of a task, as it would be told for it on arrival. Nothing is looked at and nothing is kept.
    @Sendable private func quote(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let body = try await JobRoutes.parse(request)
        let members = body.objectValue ?? [:]
        if let stranger = members.keys.sorted().first(where: { !["kind", "payload", "bound"].contains($0) }) {
            throw Problem(Failure(code: .unknownField, message: "\(stranger) is not a field"))
        }
        guard let kind = body["kind"]?.stringValue.flatMap(JobKind.init(rawValue:)) else {
            throw Problem(Failure(code: .unknownTask, message: "kind: there is no such task"))
        }
        guard let rates = parts.billing.rates else {
            throw Problem(Failure(code: .invalidTask, message: "nothing has a price here"))
        }
        do {
            var bound = try Self.bound(body["bound"])
            if bound == nil, let payload = body["payload"] {
                bound = MediaBound.declared(by: try TaskDocument(kind: kind, payload: payload.text))
            }
            let quote = try rates.quote(kind, bound)
            return JobRoutes.json(QuoteView.json(kind, quote, bound), .ok)
        } catch {
            throw Problem(Failure(error))
        }
    }

    private static func bound(_ value: JSONValue?) throws -> MediaBound? {
        guard let value, !value.isNull else { return nil }
        guard let members = value.objectValue, Set(members.keys).isSubset(of: ["milliseconds", "resolution"]),
            let milliseconds = value["milliseconds"]?.integerValue, milliseconds >= 0,
            let resolution = value["resolution"]?.stringValue.flatMap(ResolutionClass.init(rawValue:))
        else {
            let classes = ResolutionClass.allCases.map(\.rawValue).joined(separator: ", ")
            throw Failure(
                code: .invalidTask, message: "bound: should have milliseconds, and a resolution of \(classes)")
        }
        return MediaBound(resolution: resolution, milliseconds: milliseconds)
    }

    /// After a broker or workers were lost: what is under way is free again at once, as it was.
    @Sendable private func requeueInFlight(
        _ request: Request, _ context: BasicRequestContext
    ) async throws -> Response {
        let body = try await JobRoutes.parse(request)
        let worker = body["worker"]?.stringValue
        guard Set((body.objectValue ?? [:]).keys).isSubset(of: ["worker"]), worker != nil || body["worker"] == nil
        else { throw Problem.invalid("a worker's name is all that can be said") }
        let ids = try await parts.store.requeueInFlight(worker: worker)
        return JobRoutes.json(["jobs": .array(ids.map { .string($0.text) })], .ok)
    }
}
