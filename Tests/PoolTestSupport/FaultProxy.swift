internal import Foundation
internal import HTTPTransfer
internal import Synchronization
internal import TestSupport

/// `Tests/HTTPServer/fault_proxy.py` before a store: real requests, and answers that go wrong as they are told.
package final class FaultProxy: Sendable {
    /// A request that came.
    package struct Seen: Sendable, Decodable {
        package var method: String
        package var target: String
        package var fault: String
        /// What the store answered; 0 when it was not asked.
        package var status: Int
        /// Of a body that was sent back whole, in bytes.
        package var sent: Int
        /// In seconds, of a clock that nobody sets.
        package var at: Double
    }

    /// What happens to the first request that is so.
    package struct Rule: Sendable, Encodable {
        package var method: String
        package var contains: String
        package var lacks: String
        package var fault: String

        package init(_ method: String, contains: String, lacks: String = "", fault: String) {
            (self.method, self.contains, self.lacks, self.fault) = (method, contains, lacks, fault)
        }

        /// The request that makes an object of an upload's parts.
        package static func completion(_ fault: String) -> Rule { Rule("POST", contains: "uploadId=", fault: fault) }
    }

    private let server: HTTPTestServer
    private let port: Int
    /// Whom clients have to trust.
    package let authority: String?

    package init(_ store: ObjectStore, certificate: TestCertificate? = nil) throws {
        let address = try store.url.replacingOccurrences(of: "http://", with: "")
        server = try HTTPTestServer(
            program: [
                "python3", "\(Fixture.repository)/Tests/HTTPServer/fault_proxy.py", address,
            ] + (certificate.map { [$0.file, $0.key] } ?? []), scheme: certificate == nil ? "http" : "https")
        (port, authority) = (server.port, certificate?.file)
    }

    private init(_ server: HTTPTestServer, port: Int, authority: String?) {
        (self.server, self.port, self.authority) = (server, port, authority)
    }

    /// Another way through the same process, with requests and faults of its own.
    package func way() throws -> FaultProxy {
        let answer = String(decoding: try ask("/.way", []), as: UTF8.self)
        guard let port = Int(answer) else { throw CommandFailure(description: "no port is \(answer)") }
        return FaultProxy(server, port: port, authority: authority)
    }

    package var url: String { "\(server.scheme)://127.0.0.1:\(port)" }

    /// What becomes of the next requests, one for each; and forgets what came before.
    package func next(_ faults: [String]) throws { try ask("/.faults", Array(try JSONEncoder().encode(faults))) }

    /// What becomes of certain requests, before all others.
    package func set(_ rules: [Rule]) throws { try ask("/.rules", Array(try JSONEncoder().encode(rules))) }

    /// Lets go of what is held, now and from now on.
    package func release() throws { try ask("/.release", []) }

    /// From now on it refuses what is signed for another region.
    ///
    /// - Parameter telling: whether the refusal says which it should be.
    package func require(region: String, telling: Bool) throws {
        try server.post("/.region", Array(#"{"region": "\#(region)", "tells": \#(telling)}"#.utf8))
    }

    /// Since `next`.
    package var seen: [Seen] {
        get throws { try JSONDecoder().decode([Seen].self, from: Data(try ask("/.seen", nil))) }
    }

    @discardableResult
    private func ask(_ path: String, _ body: [UInt8]?) throws -> [UInt8] {
        var settings = HTTPClient.Settings(.open)
        settings.authorityFile = authority
        let request = TransferRequest(body == nil ? "GET" : "POST", try WebAddress(url + path))
        let response = try HTTPClient(settings).perform(
            request, body: body.map(TransferBody.bytes) ?? .none, into: .collect(upTo: 1 << 24))
        try response.requireSuccess()
        return response.body
    }
}

/// A certificate for this machine's loopback address that nobody but its own file vouches for.
package struct TestCertificate: Sendable {
    package let file: String
    package let key: String

    package init(in folder: String) throws {
        (file, key) = ("\(folder)/certificate.pem", "\(folder)/key.pem")
        _ = try Command.output(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key,
                "-out", file,
            ])
    }
}
