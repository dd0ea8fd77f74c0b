package import Envelopes
internal import HTTPTypes
internal import Hummingbird
package import Logging
internal import Model
internal import NIOCore
internal import Synchronization
package import WorkerCore

/// What the service works on.
package struct ServiceParts: Sendable {
    package var store: any JobStore
    package var taps: [any ProgressTap]
    package var attempts: AttemptCounts
    package var newID: @Sendable () -> String
    package var now: @Sendable () -> StoreTime
    /// Why the process is not ready; empty when it is.
    package var obstacles: @Sendable () async -> [String]
    /// `nil` where no worker without a database is let in.
    package var edge: EdgeParts?
    /// `nil` where there is no store to upload to.
    package var uploads: (any UploadDesk)?
    /// `nil` where the books are nobody's business.
    package var ledger: (any LedgerStore)?
    /// `nil` where no provider is configured that tells of payments.
    package var payments: (any PaymentDesk)?
    var rules = TaskRules()
    /// `nil` where nobody could sign one.
    package var webhooks: WebhookRules? {
        get { rules.webhooks }
        set { rules.webhooks = newValue }
    }

    /// Who pays for jobs that come in by HTTP, and by which prices.
    package var billing: BillingRules {
        get { rules.billing }
        set { rules.billing = newValue }
    }

    package init(
        store: any JobStore, taps: [any ProgressTap], attempts: AttemptCounts, newID: @escaping @Sendable () -> String,
        now: @escaping @Sendable () -> StoreTime, obstacles: @escaping @Sendable () async -> [String]
    ) {
        (self.store, self.taps, self.attempts) = (store, taps, attempts)
        (self.newID, self.now, self.obstacles) = (newID, now, obstacles)
        rules.defaultOwner = nil
        rules.admittedKinds = TaskRules.mediaKinds
    }
}

/// The HTTP side: the scheduler's interface behind a bearer token, and what operators' machinery asks.
package enum SchedulerService {
    /// Listens and answers until the task is cancelled.
    ///
    /// - Parameters:
    ///   - port: 0 for any that is free; `onStart` is told which.
    ///   - token: what a scheduler shows as its bearer token; without one its interface lets nobody in.
    package static func run(
        _ parts: ServiceParts, host: String, port: Int, token: String?, log: Logger,
        onStart: @escaping @Sendable (Int) -> Void = { _ in }
    ) async throws {
        let bell = EdgeBell(name: parts.newID())
        let routes = router(parts, token: token, bell)
        try await withThrowingTaskGroup(of: Void.self) { group in
            if parts.edge != nil {
                group.addTask { for await _ in await parts.store.wakeUps() { bell.ring() } }
            }
            try await serve(routes, host: host, port: port, log: log, onStart: onStart)
            group.cancelAll()
        }
    }

    /// For a worker without a database: whether it lives and is ready, and how its attempts end. Otherwise as `run`.
    package static func runHealth(
        attempts: AttemptCounts, obstacles: @escaping @Sendable () async -> [String], host: String, port: Int,
        log: Logger, onStart: @escaping @Sendable (Int) -> Void
    ) async throws {
        let router = Router()
        addHealth(to: router, obstacles: obstacles) { MetricsText.of(attempts) }
        try await serve(router, host: host, port: port, log: log, onStart: onStart)
    }

    private static func serve(
        _ router: Router<BasicRequestContext>, host: String, port: Int, log: Logger,
        onStart: @escaping @Sendable (Int) -> Void
    ) async throws {
        // What it has to say is said by whoever calls this; being cancelled is no error.
        var quiet = log
        quiet.logLevel = .critical
        let listener = Listener()
        let application = Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname(host, port: port), serverName: "reelpool"),
            onServerRunning: { channel in
                listener.keep(channel)
                onStart(channel.localAddress?.port ?? port)
            }, logger: quiet)
        let work = Task { try await application.run() }
        do {
            try await withTaskCancellationHandler {
                try await work.value
            } onCancel: {
                listener.close { work.cancel() }
            }
        } catch {
            // How a server that is told to end does so is nobody's affair.
            try Task.checkCancellation()
            throw error
        }
    }

    private static func addHealth(
        to router: Router<BasicRequestContext>, obstacles: @escaping @Sendable () async -> [String],
        metrics: @escaping @Sendable () async throws -> String
    ) {
        router.get("livez") { _, _ in "ok\n" }
        router.get("readyz") { _, _ -> Response in
            let lines = await obstacles()
            return Response(
                status: lines.isEmpty ? .ok : .serviceUnavailable, headers: [.contentType: "text/plain"],
                body: ResponseBody(
                    byteBuffer: ByteBuffer(string: lines.isEmpty ? "ok\n" : lines.joined(separator: "\n") + "\n")))
        }
        router.get("metrics") { _, _ -> Response in
            Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: try await metrics())))
        }
    }

    private static func router(
        _ parts: ServiceParts, token: String?, _ bell: EdgeBell
    ) -> Router<BasicRequestContext> {
        let router = Router()
        router.add(middleware: ProblemMiddleware())
        addHealth(to: router, obstacles: parts.obstacles) { try await MetricsText.of(parts.store, parts.attempts) }
        router.get("openapi.json") { _, _ in JobRoutes.json(OpenAPI.document, .ok) }
        // Without a token nobody is let in.
        let scheduler = router.group("v1").add(middleware: BearerToken(token: token))
        OperatorRoutes(parts: parts).add(to: scheduler)
        JobRoutes(parts: parts).add(to: scheduler)
        UploadRoutes(desk: parts.uploads).add(to: scheduler)
        if let ledger = parts.ledger { CreditRoutes(ledger: ledger).add(to: scheduler) }
        if let payments = parts.payments { PaymentRoutes(desk: payments).add(to: router.group("v1/stripe")) }
        if let edge = parts.edge {
            let workers = router.group("v1/edge").add(middleware: BearerToken(token: edge.token))
            EdgeRoutes(store: parts.store, edge: edge, bell: bell).add(to: workers)
        }
        return router
    }
}

/// Where connections come in.
///
/// One that is accepted in the moment in which its server's task is cancelled is dropped unopened, for which NIO ends the
/// process (https://github.com/apple/swift-nio/issues/3481). So first nothing is accepted any more, then what came is
/// taken up, and then the task is cancelled.
private final class Listener: Sendable {
    private static let pause = TimeAmount.milliseconds(100)

    private let channel = Mutex<(any Channel)?>(nil)

    func keep(_ new: any Channel) { channel.withLock { $0 = new } }

    /// - Parameter after: called when nothing comes in any more, from any thread.
    func close(_ after: @escaping @Sendable () -> Void) {
        guard let channel = channel.withLock({ $0 }) else { return after() }
        channel.close().whenComplete { _ in
            channel.eventLoop.scheduleTask(in: Self.pause) { after() }
        }
    }
}

/// Failures of ours leave as problems, and say no more than their owner may know.
private struct ProblemMiddleware: RouterMiddleware {
    @concurrent func handle(
        _ request: Request, context: BasicRequestContext,
        next: @concurrent (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as any ClassifiedError {
            throw Problem(Failure(code: error.code, message: error.message))
        }
    }
}

private struct BearerToken: RouterMiddleware {
    let token: String?

    @concurrent func handle(
        _ request: Request, context: BasicRequestContext,
        next: @concurrent (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        guard let token, let given = request.headers[.authorization], Self.isEqual(given, "Bearer \(token)") else {
            throw Problem.unauthorized
        }
        return try await next(request, context)
    }

    /// Takes as long for a wrong token as for a right one.
    private static func isEqual(_ left: String, _ right: String) -> Bool {
        let (left, right) = (Array(left.utf8), Array(right.utf8))
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
