import Foundation
import HTTPTransfer
import Model
import TestSupport
import Testing
import WorkerCore

@Suite("A transfer that cannot go well")
struct FaultTests {
    private let server: HTTPTestServer
    private let client = openClient()

    init() throws { server = try HTTPTestServer.start() }

    private func error(
        _ path: String, client: HTTPClient? = nil, limits: TransferLimits = TransferLimits(), redirects: Int = 0
    ) throws -> TransferError? {
        var request = try get(path.hasPrefix("/") ? server.url(path) : path)
        request.limits = limits
        request.redirects = redirects
        return failure { () throws(TransferError) in _ = try fetch(client ?? self.client, request) }
    }

    @Test(
        "is never taken for a whole one",
        arguments: ["/truncated?n=1000000", "/chunked?n=1000000&cut=1", "/reset?n=1000000"])
    func cutOff(path: String) throws {
        let error = try error(path)
        #expect(error?.kind == .truncated || error?.kind == .reset, "\(String(describing: error))")
        #expect(error?.code == .transferFailed)
    }

    @Test("says that nothing came")
    func nothing() throws {
        #expect(try error("/reset?n=0")?.kind == .reset)
        #expect(try error("/nonsense")?.kind == .protocolViolation)
    }

    @Test("says that nobody is there")
    func unreachable() throws {
        let error = try error("http://127.0.0.1:1/")
        #expect(error?.kind == .unreachable && error?.code == .transferFailed)
        // Names below .invalid are nobody's. Source: RFC 6761.
        #expect(try self.error("http://reelpool.invalid/")?.kind == .unresolved)
    }

    @Test("ends when it takes longer than allowed")
    func total() throws {
        var limits = TransferLimits()
        limits.totalSeconds = 0.5
        for path in ["/silent", "/stall", "/slow?n=100000&pause=0.02"] {
            let start = Date()
            let error = try error(path, limits: limits)
            #expect(error?.kind == .timedOut && error?.code == .transferFailed, "\(path)")
            #expect(Date().timeIntervalSince(start) < patience)
        }
    }

    @Test("ends when next to nothing moves")
    func stalled() throws {
        var limits = TransferLimits()
        (limits.slowBytesPerSecond, limits.slowSeconds) = (1000, 1)
        for path in ["/silent", "/stall", "/slow?n=100000&pause=0.02"] {
            #expect(try error(path, limits: limits)?.kind == .stalled, "\(path)")
        }
    }

    @Test("ends when no connection comes about in time")
    func connect() throws {
        var limits = TransferLimits()
        limits.connectSeconds = 0.3
        // Nobody answers at an address that is set aside for documents, or the network says at once that it cannot.
        let error = try error("http://192.0.2.1/", limits: limits)
        #expect(error?.kind == .timedOut || error?.kind == .unreachable)
    }

    // MARK: Stopping

    @Test(
        "stops within a second of the request, whatever it does",
        arguments: ["/silent", "/stall", "/slow?n=100000&pause=0.02"])
    func stop(path: String) throws {
        let stop = TransferStop()
        let (server, raised) = (server, RaisedAt())
        when({ (try? ServerCounts(of: server).open).map { $0 >= 2 } ?? false }) {
            raised.note()
            stop.raise()
        }
        let request = try get(server.url(path))
        let error = failure { () throws(TransferError) in _ = try fetch(client, request, stop: stop) }
        #expect(error?.kind == .cancelled && error?.code == .cancelled)
        #expect(raised.secondsSince < 1)
    }

    @Test("stops while it connects, and while it sends")
    func stopEarly() throws {
        let stop = TransferStop()
        let raised = RaisedAt()
        when({ true }) {
            Thread.sleep(forTimeInterval: 0.2)
            raised.note()
            stop.raise()
        }
        // Not accepted and not refused: the listener's queue of one is full.
        let listener = try FullListener()
        let request = try get("http://127.0.0.1:\(listener.port)/")
        #expect(failure { () throws(TransferError) in _ = try fetch(client, request, stop: stop) }?.kind == .cancelled)
        #expect(raised.secondsSince < 1)

        let second = TransferStop()
        let (sending, server) = (Counter(), server)
        when({ sending.count > 0 }) {
            raised.note()
            second.raise()
        }
        let endless = TransferBody.pull(length: 1 << 50, isRepeatable: true) { room, _ in
            sending.add()
            return room.count
        }
        let put = TransferRequest("PUT", try WebAddress(server.url("/silent")))
        let error = failure { () throws(TransferError) in
            _ = try client.perform(put, body: endless, into: .collect(upTo: 1), stop: second)
        }
        #expect(error?.kind == .cancelled)
        #expect(raised.secondsSince < 1)
    }

    @Test("does not begin after the request to stop")
    func stoppedBefore() throws {
        let stop = TransferStop()
        stop.raise()
        let request = try get(server.url("/bytes?n=10"))
        #expect(failure { () throws(TransferError) in _ = try fetch(client, request, stop: stop) }?.kind == .cancelled)
        #expect(try ServerCounts(of: server).requests == 1)
    }

    @Test("stops with the task that waits for it")
    func task() async throws {
        let (client, request, server) = (client, try get(server.url("/stall")), server)
        let task = Task { () -> TransferError? in
            do throws(TransferError) {
                _ = try await client.send(request)
                return nil
            } catch {
                return error
            }
        }
        try await blocking {
            let end = Date(timeIntervalSinceNow: patience)
            while try ServerCounts(of: server).open < 2, Date() < end { Thread.sleep(forTimeInterval: 0.01) }
        }
        task.cancel()
        #expect(await task.value?.kind == .cancelled)
    }

    // MARK: Words

    @Test(
        "tells no secret of a URL or a header",
        arguments: ["/status/403", "/truncated?n=1000", "/nonsense", "/reset?n=0"])
    func secrets(path: String) throws {
        let separator = path.contains("?") ? "&" : "?"
        let url = "http://user:hunter2@127.0.0.1:\(server.port)\(path)\(separator)X-Amz-Signature=s3cr3t"
        let request = try get(url, [TransferHeader("Authorization", "Bearer t0k3n")])
        let error = failure { () throws(TransferError) in try fetch(client, request).requireSuccess() }
        let words = "\(error?.message ?? "") \(error?.detail ?? "") \(request.address) \(request.address.shown)"
        #expect(error != nil && words.contains("127.0.0.1"))
        for secret in ["hunter2", "s3cr3t", "t0k3n", "user"] { #expect(!words.contains(secret), "\(words)") }
    }

    @Test(
        "is refused for what is no URL of the web",
        arguments: [
            "", "x", "/path", "file:///etc/passwd", "ftp://example.com/", "gopher://x/", "http://", "https:///x",
            "http://exa mple.com/", "http://a\0b/", "http://[::1", "dict://127.0.0.1:11211/", "http://x:99999/",
            "javascript:alert(1)", "//example.com/",
        ])
    func addresses(text: String) {
        #expect(failure { () throws(TransferError) in _ = try WebAddress(text) }?.kind == .invalidAddress)
    }
}

/// When something was done, by a clock that nobody sets.
private final class RaisedAt: Sendable {
    private let counter = Counter()
    private static let start = ContinuousClock.now

    private static var milliseconds: Int {
        let passed = ContinuousClock.now - start
        return Int(passed.components.seconds) * 1000 + Int(passed.components.attoseconds / 1_000_000_000_000_000)
    }

    func note() { counter.add(Self.milliseconds - counter.count) }
    var secondsSince: Double { Double(Self.milliseconds - counter.count) / 1000 }
}
