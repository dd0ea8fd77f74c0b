import Foundation
import HTTPTransfer
import Model
import TestSupport
import Testing
import WorkerCore

/// A certificate for localhost that nobody but its own file vouches for.
func withCertificate(_ body: (_ certificate: String, _ key: String) throws -> Void) throws {
    try withTemporaryFolder { folder in
        _ = try Command.output(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", "\(folder)/key.pem",
                "-out", "\(folder)/certificate.pem",
            ])
        try body("\(folder)/certificate.pem", "\(folder)/key.pem")
    }
}

@Suite("Connections")
struct ConnectionTests {
    private let server: HTTPTestServer
    init() throws { server = try HTTPTestServer.start() }

    @Test("are used again")
    func reuse() throws {
        let client = openClient()
        for index in 0..<20 {
            let response = try fetch(client, get(server.url("/bytes?n=1000")))
            #expect(response.timing.usedOlderConnection == (index > 0))
            #expect((response.timing.connectSeconds == 0) == (index > 0))
        }
        let counts = try ServerCounts(of: server)
        #expect(counts.connections == 2 && counts.requests == 21, "one of them asks for these numbers")
    }

    @Test("are not used again for a request that asks for a new one")
    func new() throws {
        let client = openClient()
        var request = try get(server.url("/bytes?n=1000"))
        for isNew in [false, true, true, false] {
            request.wantsNewConnection = isNew
            #expect(try fetch(client, request).body == pattern(0, 1000))
        }
        #expect(try ServerCounts(of: server).connections == 4, "one of them asks for this number")
    }

    @Test("that the server closed are replaced, also while something is sent")
    func closed() throws {
        let client = openClient()
        for _ in 0..<10 { #expect(try fetch(client, get(server.url("/closing"))).status == 200) }
        for _ in 0..<10 {
            _ = try fetch(client, get(server.url("/closing")))
            let put = TransferRequest("PUT", try WebAddress(server.url("/echo")))
            let response = try client.perform(put, body: .bytes(pattern(0, 1000)), into: .collect(upTo: 1 << 16))
            #expect(try Echo(response).size == 1000)
        }
    }

    @Test("are not used again after a transfer that broke off")
    func afterFailure() throws {
        let client = openClient()
        let (small, cut) = (try get(server.url("/bytes?n=9")), try get(server.url("/bytes?n=9000000")))
        for _ in 0..<5 {
            #expect(failure { () throws(TransferError) in _ = try fetch(client, cut, upTo: 10) }?.kind == .tooLarge)
            #expect(try fetch(client, small).body == pattern(0, 9))
        }
    }

    @Test("serve many transfers at once, and stay for the next")
    func many() async throws {
        let (client, server) = (openClient(), server)
        for round in 0..<2 {
            try await withThrowingTaskGroup { group in
                for index in 0..<40 {
                    group.addTask {
                        let size = 1000 * (index + 1)
                        let response = try await client.send(get(server.url("/bytes?n=\(size)")))
                        #expect(response.body == pattern(0, size), "round \(round)")
                    }
                }
                try await group.waitForAll()
            }
        }
        let counts = try ServerCounts(of: server)
        #expect(counts.requests == 81)
        #expect(counts.connections <= 81 - 16, "16 stay")
    }

    @Test("hold nobody up: a transfer ends while others wait")
    func independent() async throws {
        let (client, server) = (openClient(), server)
        let waiting = try (0..<8).map { _ in
            let request = try get(server.url("/silent"))
            return Task { _ = try await client.send(request) }
        }
        for _ in 0..<20 { #expect(try await client.send(get(server.url("/bytes?n=10"))).status == 200) }
        for task in waiting { task.cancel() }
        for task in waiting { await #expect(throws: TransferError.self) { try await task.value } }
    }

    // MARK: TLS

    @Test("by TLS are made with those alone who are vouched for")
    func tls() throws {
        try withCertificate { certificate, key in
            let server = try HTTPTestServer.start(certificate: certificate, key: key)
            var settings = HTTPClient.Settings(.open)
            let stranger = try get(server.url("/bytes?n=10", host: "localhost"))
            let error = failure { () throws(TransferError) in _ = try fetch(HTTPClient(settings), stranger) }
            #expect(error?.kind == .tls && error?.code == .transferFailed)

            settings.authorityFile = certificate
            let client = HTTPClient(settings)
            for index in 0..<5 {
                let response = try fetch(client, get(server.url("/bytes?n=100000", host: "localhost")))
                #expect(response.body == pattern(0, 100_000))
                #expect(response.timing.usedOlderConnection == (index > 0))
            }
            let otherName = try get(server.url("/bytes?n=10"))
            #expect(failure { () throws(TransferError) in _ = try fetch(client, otherName) }?.kind == .tls)

            settings.authorityFile = "/nowhere.pem"
            let without = HTTPClient(settings)
            #expect(failure { () throws(TransferError) in _ = try fetch(without, stranger) }?.kind == .tls)
        }
    }

    @Test("by TLS to many at once")
    func manyByTLS() async throws {
        let folder = FileManager.default.temporaryDirectory.path
        let (certificate, key) = ("\(folder)/\(UUID().uuidString).pem", "\(folder)/\(UUID().uuidString).key")
        try withCertificate { from, fromKey in
            try FileManager.default.copyItem(atPath: from, toPath: certificate)
            try FileManager.default.copyItem(atPath: fromKey, toPath: key)
        }
        defer { for path in [certificate, key] { try? FileManager.default.removeItem(atPath: path) } }
        let server = try HTTPTestServer.start(certificate: certificate, key: key)
        var settings = HTTPClient.Settings(.open)
        settings.authorityFile = certificate
        settings.keptLanes = 4
        let client = HTTPClient(settings)
        try await withThrowingTaskGroup { group in
            for _ in 0..<60 {
                group.addTask {
                    let response = try await client.send(get(server.url("/bytes?n=50000", host: "localhost")))
                    #expect(response.body == pattern(0, 50_000))
                }
            }
            try await group.waitForAll()
        }
    }

    // MARK: The guard

    @Test("to this machine are refused when a stranger names it, whatever the spelling")
    func guarded() throws {
        let client = guardedClient()
        for host in [
            "127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "017700000001", "0.0.0.0", "[::1]",
            "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "127.0.0.1.", "[::]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
        ] {
            let request = try get(server.url("/bytes?n=10", host: host))
            let error = failure { () throws(TransferError) in _ = try fetch(client, request) }
            // One spelling or another is no address or no name for libcurl or the resolver, which is as well.
            #expect(
                error?.kind == .refusedAddress || error?.kind == .unresolved, "\(host) \(String(describing: error))")
            if ["127.0.0.1", "localhost", "127.1", "[::1]"].contains(host) {
                #expect(error?.kind == .refusedAddress && error?.code == .sourceNotAllowed, "\(host)")
            }
        }
        #expect(try ServerCounts(of: server).connections == 1)
        let metadata = try get("http://169.254.169.254/latest/meta-data/")
        #expect(failure { () throws(TransferError) in _ = try fetch(client, metadata) }?.kind == .refusedAddress)
    }

    @Test("to this machine are made when it is listed, by name or by block")
    func listed() throws {
        for entry in ["localhost", "127.0.0.1/32", "127.0.0.0/8"] {
            let client = guardedClient(allowing: [entry])
            #expect(try fetch(client, get(server.url("/bytes?n=10", host: "localhost"))).status == 200, "\(entry)")
        }
        let byName = guardedClient(allowing: ["localhost"])
        let request = try get(server.url("/bytes?n=10"))
        #expect(failure { () throws(TransferError) in _ = try fetch(byName, request) }?.kind == .refusedAddress)
    }
}
