internal import Model
internal import Synchronization
package import WorkerCore

/// Transfers over HTTP/1.1, each on the thread of its caller, with connections kept for the next one.
///
/// Certificates are verified, `~/.netrc` and proxies of the environment are ignored, nothing but http and https is
/// spoken, and redirects are the exception.
package final class HTTPClient: Sendable {
    /// Where transfers may lead.
    package enum Route: Sendable {
        /// To what an operator configured: anywhere.
        case open
        /// To what strangers name. The guard is asked about the very address of every connection.
        case guarded(AddressGuard)
        /// By the proxy that `https_proxy` and the like name. There is no guard then: the proxy chooses the address.
        case environmentProxy
    }

    package struct Settings: Sendable {
        package var route: Route
        /// A PEM file of authorities to trust in place of the system's.
        package var authorityFile: String?
        package var userAgent: String
        /// Handles that stay, with their connections, when nothing is transferred.
        package var keptLanes = 16

        package init(_ route: Route, userAgent: String = "reelpool") {
            (self.route, self.userAgent) = (route, userAgent)
        }
    }

    private let settings: Settings
    private let names = SharedNames()
    /// Those that nobody uses, the last used one last.
    private let idle = Mutex<[Lane]>([])

    package init(_ settings: Settings) { self.settings = settings }

    /// Transfers on the calling thread, which must not be one of Swift's own pool.
    ///
    /// - Returns: the answer whatever its status; only a success reaches the sink.
    package func perform(
        _ request: TransferRequest, body: TransferBody = .none, into sink: TransferSink,
        stop: TransferStop = TransferStop()
    ) throws(TransferError) -> TransferResponse {
        var request = request
        var body = body
        let deadline = request.limits.totalSeconds.map { Monotonic.seconds() + $0 }
        for _ in 0...min(request.redirects, TransferRequest.mostRedirects) {
            if let deadline { request.limits.totalSeconds = max(0.001, deadline - Monotonic.seconds()) }
            let response = try once(request, body: body, into: sink, stop: stop)
            guard request.redirects > 0, let location = response.head.redirect else { return response }
            try request.redirect(to: location, status: response.status, body: &body)
        }
        throw TransferError(.tooManyRedirects, "\(request.address.shown) redirects for ever")
    }

    /// Transfers on a thread of its own. Cancelling the task stops it.
    ///
    /// - Parameter limit: the most that a success may have, in bytes.
    package func send(
        _ request: TransferRequest, body: [UInt8]? = nil, upTo limit: Int = 1 << 20
    ) async throws(TransferError) -> TransferResponse {
        let stop = TransferStop()
        let result: Result<TransferResponse, TransferError> = await withTaskCancellationHandler {
            await OwnThread.run(named: "reelpool.http") {
                do throws(TransferError) {
                    let body = body.map(TransferBody.bytes) ?? .none
                    return .success(try self.perform(request, body: body, into: .collect(upTo: limit), stop: stop))
                } catch {
                    return .failure(error)
                }
            }
        } onCancel: {
            stop.raise()
        }
        return try result.get()
    }

    // MARK: One request

    private func once(
        _ request: TransferRequest, body: TransferBody, into sink: TransferSink, stop: TransferStop
    ) throws(TransferError) -> TransferResponse {
        let lane = try takeLane(for: request.address.origin)
        defer { giveBack(lane) }
        var addressGuard: AddressGuard?
        if case .guarded(let given) = settings.route { addressGuard = given }
        let exchange = Exchange(
            request.address, addressGuard: addressGuard, body: body, sink: sink, stop: stop)
        let options = TransferOptions(request: request, body: body, settings: settings)
        let timing = try options.run(exchange, on: lane, until: stop)
        try exchange.end()
        var response = TransferResponse(
            head: exchange.head, address: request.address, body: exchange.problem, timing: timing)
        if response.head.isSuccess { response.body = sink.takeCollected() }
        return response
    }

    private func takeLane(for origin: String) throws(TransferError) -> Lane {
        let lane = idle.withLock { idle -> Lane? in
            if let index = idle.lastIndex(where: { $0.origin == origin }) { return idle.remove(at: index) }
            return idle.count >= settings.keptLanes ? idle.removeFirst() : nil
        }
        if let lane {
            lane.origin = origin
            return lane
        }
        let new = try Lane(names)
        new.origin = origin
        return new
    }

    private func giveBack(_ lane: Lane) {
        // Closed connections take their time; not within the lock.
        let surplus = idle.withLock { idle -> Lane? in
            idle.append(lane)
            return idle.count > settings.keptLanes ? idle.removeFirst() : nil
        }
        _ = surplus
    }
}
