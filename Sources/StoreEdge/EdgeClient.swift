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
        var request = TransferRequest("POST", try WebAddress("\(base)/\(path)"))
        request.headers = [
            TransferHeader("Authorization", "Bearer \(token)"), TransferHeader("Content-Type", "application/json"),
        ]
        request.limits.totalSeconds = seconds
        request.limits.connectSeconds = min(10, seconds)
        // It may have nothing to say for as long as that.
        request.limits.slowSeconds = Int(seconds) + 1
        let response: TransferResponse
        do {
            response = try await client.send(
                request, body: try EdgeWire.encode(message), upTo: EdgeWire.largestBytes)
        } catch {
            let failure = Failure(error)
            throw Obstacle.unreachable("\(failure.message) \(failure.detail ?? "")")
        }
        guard response.head.isSuccess else { throw Self.obstacle(response) }
        do {
            return try EdgeWire.decode(response.body)
        } catch {
            throw Obstacle.refused(status: response.status, "the answer is not understood: \(error)")
        }
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

    private static func obstacle(_ response: TransferResponse) -> Obstacle {
        let problem = try? JSONValue(parsing: response.body)
        let words = problem?["title"]?.stringValue ?? String(decoding: response.body.prefix(200), as: UTF8.self)
        // What stands between the two answers so, too, while the service is away. Source: RFC 9110 §15.6.
        let mayPass = response.status >= 500 || [408, 425, 429].contains(response.status)
        return mayPass ? .unreachable("\(response.status): \(words)") : .refused(status: response.status, words)
    }
}
