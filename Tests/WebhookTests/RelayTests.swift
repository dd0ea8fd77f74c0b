import Envelopes
import Foundation
import Model
import SQLStore
import TestSupport
import Testing
import Webhooks
import WorkerCore

@Suite("A webhook")
struct RelayTests {
    private let server: HTTPTestServer
    init() throws { server = try HTTPTestServer.start() }

    /// The function of docs/scheduling.md, in Python.
    private static func documentedVerifier() throws -> String {
        try #require(try Document("docs/scheduling.md").blocks("python").first { $0.contains("hmac") })
    }

    private static func verify(_ item: Heard.Item, secret: String, body: String? = nil) throws -> String {
        let program = """
            \(try documentedVerifier())
            import sys
            print(verify(sys.argv[1], sys.argv[2], sys.argv[3].encode()))
            """
        let words = ["-c", program, secret, item.headers["reelpool-signature"] ?? "", body ?? item.body]
        return String(decoding: try Command.output("python3", words), as: UTF8.self)
    }

    @Test("tells how a job ended, signed so that the documented receiver believes it")
    func delivered() async throws {
        try await RelayUnderTest.with { relay in
            let target = "/hook/a?x=1"
            let id = try #require(try await relay.end(server.url(target)).first)
            try await eventually("it is delivered") { try Heard(server)[target].count == 1 }
            let item = try #require(try Heard(server)[target].first)
            let json = try item.json()
            #expect(json["type"] == "job.succeeded" && json["id"]?.stringValue == item.headers["idempotency-key"])
            #expect(json["data"]?["id"]?.stringValue == id.text && json["data"]?["state"] == "succeeded")
            #expect(json["data"]?["result"]?["a"] == "ü\n" && json["data"]?["owner"] == "alice")
            #expect(json["created_at"] == json["data"]?["finished_at"])
            #expect(item.headers["content-type"] == "application/json" && item.headers["user-agent"] == "reelpool/test")
            #expect(try Self.verify(item, secret: secret) == "True\n")
            #expect(try Self.verify(item, secret: "another-secret") == "False\n")
            #expect(try Self.verify(item, secret: secret, body: item.body + " ") == "False\n")
            try await eventually("the outbox is empty") { try relay.isEmpty() }
            #expect(try Heard(server).items.count == 1)
        }
    }

    @Test("names each way to end, and is not sent of those that nobody asked about")
    func types() async throws {
        try await RelayUnderTest.with { relay in
            let failure = Failure(code: .truncated, message: "too short", detail: "for operators")
            try await relay.end(server.url("/hook/failed"), as: .failed(failure))
            try await relay.end(server.url("/hook/dead"), as: .dead(failure))
            try await relay.end(server.url("/hook/cancelled"), as: .cancelled(Failure(code: .cancelled, message: "x")))
            try await eventually("all are delivered") { try Heard(server).items.count == 3 }
            let heard = try Heard(server)
            #expect(try heard["/hook/failed"].first?.json()["type"] == "job.failed")
            #expect(try heard["/hook/dead"].first?.json()["type"] == "job.failed")
            #expect(try heard["/hook/cancelled"].first?.json()["type"] == "job.cancelled")
            let told = try #require(heard["/hook/failed"].first)
            #expect(try told.json()["data"]?["failure"]?["code"] == "truncated")
            #expect(!told.body.contains("for operators"))
        }
    }

    @Test("is sent again until it is taken, as the same")
    func retries() async throws {
        try await RelayUnderTest.with { relay in
            let target = "/hook/flaky?fail=3"
            try await relay.end(server.url(target))
            try await eventually("the fourth is taken") { try Heard(server)[target].count == 4 }
            let items = try Heard(server)[target]
            #expect(Set(items.map(\.body)).count == 1)
            #expect(Set(items.compactMap { $0.headers["idempotency-key"] }).count == 1)
            for item in items { #expect(try Self.verify(item, secret: secret) == "True\n") }
            try await eventually("the outbox is empty") { try relay.isEmpty() }
            #expect(relay.dropped.all.isEmpty)
        }
    }

    @Test("differs for every job, and for every try of one")
    func identity() async throws {
        try await RelayUnderTest.with { relay in
            let url = server.url("/hook/many")
            let ids = try await relay.end(url, count: 3, as: .failed(Failure(code: .truncated, message: "x")))
            try await eventually("three are told") { try Heard(server).items.count == 3 }
            _ = try await relay.store.requeue(ids[0])
            let again = try await relay.store.claim(
                ClaimRequest(worker: "w", kinds: [.noop], limit: 1, memoryBytes: 1 << 30, leaseSeconds: 60))
            _ = try await relay.store.finish(
                again.map { AttemptEnding(lease: Lease(job: $0.id, epoch: $0.epoch), outcome: .succeeded("{}")) },
                worker: "w")
            try await eventually("the second end is told") { try Heard(server).items.count == 4 }
            #expect(Set(try Heard(server).items.compactMap { $0.headers["idempotency-key"] }).count == 4)
        }
    }

    @Test("is given up when the receiver is gone, or the time is over")
    func givenUp() async throws {
        try await RelayUnderTest.with { relay in
            try await relay.end(server.url("/hook/gone?status=410&token=s3cr3t"))
            try await eventually("it is dropped") { relay.dropped.all.count == 1 }
            try await eventually("the outbox is empty") { try relay.isEmpty() }
            #expect(try Heard(server).items.count == 1)
            #expect(!relay.dropped.all[0].contains("s3cr3t") && relay.dropped.all[0].contains("410"))
        }
        var patience = WebhookPatience()
        (patience.shortestPauseSeconds, patience.longestPauseSeconds, patience.giveUpSeconds) = (0.05, 0.1, 0.5)
        try await RelayUnderTest.with(patience: patience) { relay in
            try await relay.end(server.url("/hook/never?status=500"))
            try await eventually("it is dropped") { relay.dropped.all.count == 1 }
            #expect(relay.dropped.all[0].contains("status 500"))
            #expect(try Heard(server)["/hook/never?status=500"].count >= 1)
            try await eventually("the outbox is empty") { try relay.isEmpty() }
        }
    }

    @Test("follows no redirect")
    func redirect() async throws {
        try await RelayUnderTest.with { relay in
            try await relay.end(server.url("/redirect?status=307&to=/hook/elsewhere"))
            try await relay.end(server.url("/hook/after"))
            try await eventually("another is told") { try Heard(server)["/hook/after"].count == 1 }
            #expect(try Heard(server)["/hook/elsewhere"].isEmpty)
        }
    }

    @Test("goes to no private address that is not listed, whatever its name says by then")
    func privateAddress() async throws {
        // The names were fine when the jobs came: the rules have changed, or the names have.
        try await RelayUnderTest.with(hosts: []) { relay in
            try await relay.end(server.url("/hook/literal"))
            try await eventually("it is dropped") { relay.dropped.all.count == 1 }
        }
        let named = AddressGuard(allowing: ["10.0.0.0/8"])
        #expect(named.refusal(of: try #require(IPAddress("127.0.0.1")), host: "localhost") == .loopback)
        // A name that is listed for another address, and resolves to this machine.
        let rules = WebhookRules(privateHosts: ["10.0.0.0/8"])
        #expect(rules.problem(with: server.url("/hook/name", host: "localhost")) != nil)
        #expect(try Heard(server).items.isEmpty)
    }

    @Test("to a receiver that is slow holds up no other, and is not sent too often at once")
    func slow() async throws {
        let quick = try HTTPTestServer.start()
        try await RelayUnderTest.with { relay in
            try await relay.end(server.url("/hook/slow?seconds=3"), count: 40)
            try await eventually("the slow one is busy") { try Heard(server).items.count == 2 }
            try await relay.end(quick.url("/hook/quick"), count: 20)
            try await eventually("the quick one has all") { try Heard(quick).items.count == 20 }
            let heard = try Heard(server)
            #expect(heard.items.count < 40, "the slow one has not")
            #expect(heard.most <= WebhookRelay.mostForOneHost)
            #expect(try Heard(quick).most <= WebhookRelay.mostForOneHost)
        }
    }

    @Test("that nobody answers holds up no other")
    func dead() async throws {
        try await RelayUnderTest.with { relay in
            try await relay.end("http://127.0.0.1:1/", count: 100)
            try await relay.end(server.url("/hook/alive"), count: 5)
            try await eventually("the others are told") { try Heard(server).items.count == 5 }
            #expect(relay.dropped.all.isEmpty)
        }
    }

    @Test("waits longer each time, between five seconds and an hour, for a day")
    func pauses() {
        let patience = WebhookPatience()
        #expect(patience.pauseSeconds(age: 0, unit: 0.5) == 5)
        #expect(patience.pauseSeconds(age: 60, unit: 0.5) == 60)
        #expect(patience.pauseSeconds(age: 50_000, unit: 0.5) == 3600)
        #expect(patience.pauseSeconds(age: 60, unit: 0) == 45)
        #expect(patience.pauseSeconds(age: 86_399, unit: 0) != nil)
        #expect(patience.pauseSeconds(age: 86_400, unit: 0) == nil)
        var (age, tries) = (0.0, 0)
        while let pause = patience.pauseSeconds(age: age, unit: 0.5) { (age, tries) = (age + pause, tries + 1) }
        #expect((30...45).contains(tries), "\(tries) tries in a day")
    }
}
