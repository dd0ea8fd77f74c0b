import Foundation
import HTTPTransfer
import Model
import TestSupport
import Testing
import WorkerCore

@Suite("A redirect")
struct RedirectTests {
    private let server: HTTPTestServer
    private let other: HTTPTestServer
    private let client = openClient()

    init() throws { (server, other) = (try HTTPTestServer.start(), try HTTPTestServer.start()) }

    private func request(
        _ target: String, status: Int = 302, method: String = "GET", redirects: Int = 5, headers: [TransferHeader] = []
    ) throws -> TransferRequest {
        let escaped = try #require(target.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
        let address = try WebAddress(server.url("/redirect?status=\(status)&to=\(escaped)"))
        var request = TransferRequest(method, address, headers: headers)
        request.redirects = redirects
        return request
    }

    @Test("is an answer like others unless it is to be followed")
    func off() throws {
        let response = try fetch(client, request("/bytes?n=10", redirects: 0))
        #expect(response.status == 302 && response.head["Location"] == "/bytes?n=10")
    }

    @Test("leads on, relative or absolute", arguments: [301, 302, 303, 307, 308])
    func followed(status: Int) throws {
        for target in ["/bytes?n=10", "bytes?n=10", server.url("/bytes?n=10"), other.url("/bytes?n=10")] {
            let response = try fetch(client, request(target, status: status))
            #expect(response.status == 200 && response.body == pattern(0, 10), "\(target)")
            #expect(response.address.shown.hasSuffix("/bytes"))
        }
    }

    @Test("ends somewhere")
    func loop() throws {
        var request = try get(server.url("/loop"))
        request.redirects = 50
        let error = failure { () throws(TransferError) in _ = try fetch(client, request) }
        #expect(error?.kind == .tooManyRedirects && error?.category == .invalidInput)
        #expect(try ServerCounts(of: server).requests == TransferRequest.mostRedirects + 2)
    }

    @Test(
        "leads to the web only", arguments: ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:25/x"])
    func otherSchemes(target: String) throws {
        let request = try request(target)
        let error = failure { () throws(TransferError) in _ = try fetch(client, request) }
        #expect(error?.kind == .invalidAddress)
    }

    @Test("keeps the body where it should, and turns into a GET where it should")
    func methods() throws {
        for (status, method, expected) in [
            (303, "POST", "GET"), (302, "POST", "GET"), (301, "POST", "GET"), (307, "POST", "POST"),
            (308, "PUT", "PUT"), (302, "PUT", "PUT"), (303, "PUT", "GET"),
        ] {
            let request = try request(
                "/echo", status: status, method: method, headers: [TransferHeader("Content-Type", "text/x")])
            let response = try client.perform(request, body: .bytes([1, 2, 3]), into: .collect(upTo: 1 << 16))
            let echo = try Echo(response)
            #expect(echo.method == expected && echo.size == (expected == "GET" ? 0 : 3), "\(status) \(method)")
            #expect((echo["content-type"] != nil) == (expected != "GET"))
        }
        let once = TransferBody.pull(length: 3, isRepeatable: false) { room, _ in room.count }
        let put = try request("/echo", status: 307, method: "PUT")
        let error = failure { () throws(TransferError) in
            _ = try client.perform(put, body: once, into: .collect(upTo: 1 << 16))
        }
        #expect(error?.kind == .protocolViolation)
    }

    @Test("carries no credentials to another origin, and all to the same")
    func credentials() throws {
        let headers = [
            TransferHeader("Authorization", "Bearer t"), TransferHeader("X-Amz-Security-Token", "t"),
            TransferHeader("Cookie", "a=b"), TransferHeader("Accept", "text/x"), TransferHeader("Range", "bytes=0-"),
        ]
        let same = try Echo(try fetch(client, request("/echo", headers: headers)))
        #expect(same["authorization"] == "Bearer t" && same["x-amz-security-token"] == "t" && same["cookie"] == "a=b")
        let away = try Echo(try fetch(client, request(other.url("/echo"), headers: headers)))
        #expect(away["accept"] == "text/x" && away["range"] == "bytes=0-")
        for name in ["authorization", "x-amz-security-token", "cookie", "referer"] { #expect(away[name] == nil) }
        let named = try Echo(try fetch(client, request(server.url("/echo", host: "localhost"), headers: headers)))
        #expect(named["authorization"] == nil, "another name is another host")
    }

    @Test("is checked by the guard as the first address was")
    func guarded() throws {
        // The server's own name is allowed, and not the address that it names.
        let client = guardedClient(allowing: ["localhost"])
        var request = try request(other.url("/bytes?n=10"))
        request.address = try WebAddress(
            request.address.text.replacing("127.0.0.1:\(server.port)", with: "localhost:\(server.port)"))
        let error = failure { () throws(TransferError) in _ = try fetch(client, request) }
        #expect(error?.kind == .refusedAddress && error?.code == .sourceNotAllowed)
        #expect(try ServerCounts(of: server).requests == 2)
        #expect(try ServerCounts(of: other).requests == 1, "it was not asked")
    }

    @Test("does not go from https to http")
    func downgrade() throws {
        try withCertificate { certificate, key in
            let secure = try HTTPTestServer.start(certificate: certificate, key: key)
            var settings = HTTPClient.Settings(.open)
            settings.authorityFile = certificate
            var request = try get(secure.url("/redirect?to=\(other.url("/bytes"))", host: "localhost"))
            request.redirects = 5
            let error = failure { () throws(TransferError) in _ = try fetch(HTTPClient(settings), request) }
            #expect(error?.kind == .refusedAddress)
        }
    }
}
