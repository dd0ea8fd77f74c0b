internal import EdgeWire
package import HTTPTransfer
package import Model
internal import WorkerCore

/// The control service as a worker without a database sees it: all that it needs is one address that it may call.
package final class EdgeClient: Sendable {
    package struct Settings: Sendable {
        /// What the interface lies below, such as `https://control.example.org`.
        package var service: WebAddress
        package var token: String
        /// A PEM file of authorities to trust in place of the system's.
        package var authorityFile: String?
        package var version: String

        package init(service: WebAddress, token: String, authorityFile: String? = nil, version: String) {
            (self.service, self.token) = (service, token)
            (self.authorityFile, self.version) = (authorityFile, version)
        }
    }

    /// Why there is no answer.
    package enum Obstacle: Error {
        /// Nothing is known of what became of the request; asked again, it may be answered.
        case unreachable(String)
        /// Asked again, it would be refused again.
        case refused(status: Int, String)
    }

    private let base: String
    private let shown: String
    private let token: String
    private let client: HTTPClient

    package init(_ settings: Settings) {
        // An edge may lie behind a proxy of its own; whoever runs it says so in the environment.
        var transfers = HTTPClient.Settings(.environmentProxy, userAgent: "reelpool/\(settings.version)")
        transfers.authorityFile = settings.authorityFile
        client = HTTPClient(transfers)
        let address = settings.service.text
        base = (address.hasSuffix("/") ? String(address.dropLast()) : address) + EdgeWire.root
        shown = settings.service.shown
        token = settings.token
    }

    /// Whether the service is there and lets this worker in.
    ///
    /// - Throws: what only an operator can put right: another token, another address. A service that is not there now may
    ///   be there later: that is `false`.
    package func check() async throws(Failure) -> Bool {
        do {
            let _: EdgeWire.Workers = try await ask("workers", EdgeWire.Nothing(), within: 10)
            return true
        } catch Obstacle.refused(let status, let reason) {
            throw Failure(
                code: .storeUnavailable, message: "\(shown) is no control service that lets this worker in",
                detail: "\(status): \(reason)")
        } catch {
            return false
        }
    }

    /// Asks and waits for the answer.
    ///
    /// - Parameter seconds: the longest that it may take.
    package func ask<Answer: Decodable>(
        _ path: String, _ message: some Encodable, within seconds: Double = 20
    ) async throws -> Answer {
        let request = try request(path, within: seconds)
        let response: TransferResponse
        do {
            response = try await client.send(
                request, body: try EdgeWire.encode(message), upTo: EdgeWire.largestBytes)
        } catch {
            throw Refusal(error).obstacle
        }
        if let refusal = Refusal(response) { throw refusal.obstacle }
        do {
            return try EdgeWire.decode(response.body)
        } catch {
            throw Refusal(notUnderstood: response, error).obstacle
        }
    }

    /// Asks once on the calling thread, which must not be one of Swift's own pool.
    func answer<Answer: Decodable>(
        _ path: String, _ message: some Encodable, within seconds: Double, stop: TransferStop
    ) -> Result<Answer, Refusal> {
        let response: TransferResponse
        do {
            response = try client.perform(
                try request(path, within: seconds), body: .bytes(try EdgeWire.encode(message)),
                into: .collect(upTo: EdgeWire.largestBytes), stop: stop)
        } catch {
            return .failure(Refusal(error))
        }
        if let refusal = Refusal(response) { return .failure(refusal) }
        do {
            return .success(try EdgeWire.decode(response.body))
        } catch {
            return .failure(Refusal(notUnderstood: response, error))
        }
    }

    /// No redirect is followed: the token is for one service.
    private func request(_ path: String, within seconds: Double) throws -> TransferRequest {
        var request = TransferRequest("POST", try WebAddress("\(base)/\(path)"))
        request.headers = [
            TransferHeader("Authorization", "Bearer \(token)"), TransferHeader("Content-Type", "application/json"),
        ]
        request.limits.totalSeconds = seconds
        request.limits.connectSeconds = min(10, seconds)
        // It may have nothing to say for as long as that.
        request.limits.slowSeconds = Int(seconds) + 1
        return request
    }

    /// The same with an error that a store's users know.
    func askStore<Answer: Decodable>(
        _ path: String, _ message: some Encodable, within seconds: Double = 20
    ) async throws(StoreError) -> Answer {
        do {
            return try await ask(path, message, within: seconds)
        } catch Obstacle.refused(let status, let reason) {
            throw StoreError("the control service refuses this", detail: "\(status): \(reason)")
        } catch Obstacle.unreachable(let reason) {
            throw StoreError("the control service cannot be reached", detail: reason)
        } catch {
            throw StoreError("the control service cannot be asked", detail: "\(error)", code: .internalFault)
        }
    }
}
