internal import HTTPTransfer
package import Model
package import WorkerCore

/// Brings what is behind a task's URL into a store, byte for byte as it comes. In the daemon itself: nothing is decoded.
///
/// The URL is a stranger's. Whatever it leads to, redirects included, is asked about at the guard when it is connected to.
package final class DownloadExecutor: TaskExecutor {
    private let objects: any MediaObjects
    private let client: HTTPClient
    private let pauses: Backoff
    private let now: @Sendable () -> StoreTime

    /// - Parameters:
    ///   - addresses: where URLs may lead.
    ///   - pauses: between a broken connection and the next.
    ///   - now: milliseconds since 1970, by which URLs expire.
    package init(
        objects: any MediaObjects, addresses: AddressGuard, userAgent: String,
        pauses: Backoff = Backoff(baseSeconds: 0.5, capSeconds: 15), now: @escaping @Sendable () -> StoreTime
    ) {
        (self.objects, self.pauses, self.now) = (objects, pauses, now)
        client = HTTPClient(.init(.guarded(addresses), userAgent: userAgent))
    }

    package func run(
        _ attempt: Attempt, report: @escaping @Sendable (ProgressEvent) -> Void
    ) async -> AttemptResult {
        let (stop, interruption) = (TransferStop(), Interruption())
        attempt.stop.listen { _ in
            stop.raise()
            interruption.raise()
        }
        defer { attempt.stop.stopListening() }
        let objects = objects.heeding(interruption, for: attempt.lease)
        do {
            return .succeeded(
                try await OwnThread.run(named: "reelpool.fetch") { try self.work(attempt, objects, stop, report) })
        } catch {
            return .failed(attempt.stop.reason?.failure ?? Failure(error))
        }
    }

    /// - Returns: the result as JSON.
    private func work(
        _ attempt: Attempt, _ objects: any MediaObjects, _ stop: TransferStop,
        _ report: @escaping @Sendable (ProgressEvent) -> Void
    ) throws -> String {
        guard case .download(let task) = try TaskDocument(kind: attempt.job.kind, payload: attempt.job.payload) else {
            throw Failure(code: .internalFault, message: "this is no download")
        }
        let address = try WebAddress(task.source)
        let isOver = { (moment: StoreTime?) -> Bool in moment.map { $0 <= self.now() } ?? false }
        guard !isOver(task.expiry) else {
            throw Failure(code: .urlExpired, message: "\(address.shown) expired before it was opened")
        }
        let limitBytes = min(attempt.caps.outputBytes, task.maxBytes ?? .max)
        try objects.checkOutput(task.output, owner: attempt.job.owner)
        try objects.fence(attempt.lease, outputs: [task.output])
        let clock = SystemClock()
        let body = DownloadBody(
            place: address.shown, limitBytes: limitBytes,
            stage: { limit in
                try objects.stage(
                    task.output, name: nil, bounds: OutputBounds(headBytes: 0, limitBytes: limit), for: attempt.lease)
            }, report: report, clock: { clock.now })
        let download = Download(
            client: client, address: address, body: body,
            bounds: Download.Bounds(
                deadline: clock.now + Double(attempt.caps.wallSeconds), stallSeconds: attempt.caps.stallSeconds),
            pauses: pauses, hasExpired: { isOver($0 == address ? task.expiry : URLExpiry.moment(of: $0.text)) },
            stop: stop, clock: { clock.now })
        try download.run()
        report(
            ProgressEvent(
                phase: .finishing, fraction: 1, frames: 0, framesPerSecond: 0, speed: 0, remainingSeconds: nil))
        guard let staged = body.staged else { throw Failure(code: .internalFault, message: "nothing was downloaded") }
        if let reason = attempt.stop.reason { throw reason.failure }
        try objects.commit([staged], for: attempt.lease)
        let result: JSONValue = [
            "size_bytes": .integer(body.receivedBytes), "content_type": .string(body.contentType),
            "sha256": .string(body.sha256), "output": .string(staged.uri),
        ]
        return result.text
    }
}
