import EdgeWire
import Foundation
import Glibc
import HTTPTransfer
import Model
import PoolTestSupport
import StoreEdge
import Synchronization
import TestSupport
import Testing
import WorkerCore

/// What only a worker that comes by the control service meets: answers that do not arrive, and doors that are shut.
@Suite("A worker without a database")
struct EdgeTests {
    /// A way to the service on which answers get lost. One connection, one request, one answer.
    private final class LossyWay: Sendable {
        private let listener: Int32
        let port: Int
        private let target: Int
        /// Answers that are still to be lost, of requests whose path ends so.
        private let losses = Mutex<[String: Int]>([:])

        init(to target: Int) throws {
            self.target = target
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let isBound = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, size) == 0 && listen(descriptor, 64) == 0
                        && getsockname(descriptor, $0, &size) == 0
                }
            }
            guard isBound else { throw StoreError("nothing can be listened on") }
            (listener, port) = (descriptor, Int(UInt16(bigEndian: address.sin_port)))
            OwnThread.start(named: "lossy") { [weak self] in
                while case let peer = accept(descriptor, nil, nil), peer >= 0 {
                    OwnThread.start(named: "lossy") { [weak self] in
                        self?.pass(peer)
                        Glibc.close(peer)
                    }
                }
            }
        }

        func lose(_ path: String, _ count: Int = 1) { losses.withLock { $0[path, default: 0] += count } }

        func close() {
            shutdown(listener, Int32(SHUT_RDWR))
            Glibc.close(listener)
        }

        private func pass(_ peer: Int32) {
            guard let request = Self.message(from: peer) else { return }
            let head = String(decoding: request.prefix { $0 != 0x0D }, as: UTF8.self)
            let path = head.split(separator: " ").dropFirst().first.map(String.init) ?? ""
            guard let answer = try? ask(request) else { return }
            let isLost = losses.withLock { losses in
                guard let key = losses.first(where: { path.hasSuffix($0.key) && $0.value > 0 })?.key else {
                    return false
                }
                losses[key, default: 0] -= 1
                return true
            }
            if !isLost {
                _ = answer.withUnsafeBytes { send(peer, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            }
        }

        private func ask(_ request: [UInt8]) throws -> [UInt8] {
            let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { Glibc.close(connection) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(UInt16(target).bigEndian)
            address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
            let isThere = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(connection, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            guard isThere else { throw StoreError("the service is away") }
            _ = request.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            return Self.message(from: connection) ?? []
        }

        /// Head and body, by the announced length; with a mark that the connection ends here.
        private static func message(from descriptor: Int32) -> [UInt8]? {
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                if let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) {
                    let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
                    let length = head.lowercased().firstMatch(of: /content-length: *(\d+)/).flatMap { Int($0.1) } ?? 0
                    if bytes.count >= end.upperBound + length {
                        bytes.insert(contentsOf: Array("\r\nConnection: close".utf8), at: end.lowerBound)
                        return bytes
                    }
                }
                let count = recv(descriptor, &buffer, buffer.count, 0)
                guard count > 0 else { return nil }
                bytes += buffer[..<count]
            }
        }
    }

    private struct Bench {
        let under: StoreUnderTest
        let service: ControlService
        let way: LossyWay
        let queue: EdgeQueue

        static func with(_ body: (Bench) async throws -> Void) async throws {
            try await StoreUnderTest.with(.sqlite) { under in
                let service = try await ControlService(over: under.store)
                let way = try LossyWay(to: service.port)
                let address = try WebAddress("http://127.0.0.1:\(way.port)")
                let queue = EdgeQueue(EdgeClient(.init(service: address, token: ControlService.token, version: "t")))
                let bench = Bench(under: under, service: service, way: way, queue: queue)
                do {
                    try await body(bench)
                } catch {
                    way.close()
                    await service.stop()
                    throw error
                }
                way.close()
                await service.stop()
            }
        }

        func claim(_ limit: Int = 1, kinds: [JobKind] = [.render], admits: Bool = false) async throws -> [JobRecord] {
            try await queue.claim(
                ClaimRequest(
                    worker: "w1", instance: "1", kinds: kinds, limit: limit, memoryBytes: 1 << 40, leaseSeconds: 30,
                    admits: admits))
        }

        /// Claims whose answer is lost, and what is given out in their place.
        func claimUnheard(_ limit: Int = 1) async throws {
            way.lose("/claim")
            let error = await #expect(throws: StoreError.self) { _ = try await claim(limit) }
            #expect(error?.code == .storeUnavailable)
        }
    }

    @Test("is given again what it was given in an answer that never came, with its lease begun anew")
    func lostClaim() async throws {
        try await Bench.with { bench in
            let first = try await bench.under.store.add(.new())
            let other = try await bench.under.store.add(.new(.proxy))
            try await bench.claimUnheard()
            try await bench.under.advance(seconds: 20)
            #expect(try await bench.claim(kinds: [.proxy]).map(\.id) == [other], "only kinds that it asks for")
            let again = try await bench.claim()
            #expect(again.map(\.id) == [first] && again.map(\.epoch) == [1] && again.map(\.attempt) == [1])
            try await bench.under.advance(seconds: 20)
            _ = try await bench.under.store.sweep()
            #expect(try await bench.under.store.state(first) == .running, "30 s from when it was heard of")
            #expect(try await bench.claim().isEmpty, "and no third time")
            let outcomes = try await bench.queue.finish(
                [AttemptEnding(lease: again[0].lease, outcome: .succeeded("{}"))], worker: "w1")
            #expect(outcomes == [.accepted(.succeeded)])
        }
    }

    @Test("is not given what another has got meanwhile")
    func lostClaimLate() async throws {
        try await Bench.with { bench in
            let store = bench.under.store
            let id = try await store.add(.new { $0.maxAttempts = 9 })
            try await bench.claimUnheard()
            try await bench.under.advance(seconds: 31)
            _ = try await store.sweep()
            try await bench.under.advance(seconds: 3600)
            _ = try await store.sweep()
            let taken = try await store.claimOne(worker: "w2")
            #expect(taken.id == id && taken.epoch == 2)
            #expect(try await bench.claim().isEmpty)
        }
    }

    @Test("is told again that an ending counted, when the first answer was lost")
    func lostFinish() async throws {
        let outcomes: [(AttemptEnding.Outcome, JobState)] = [
            (.succeeded("{}"), .succeeded), (.failed(.broken), .failed), (.dead(.broken), .dead),
            (.interrupted(.drained), .queued),
            (.retry(.away, afterSeconds: 60, avoidingWorker: false, overflow: nil), .scheduled),
        ]
        for (outcome, state) in outcomes {
            try await Bench.with { bench in
                _ = try await bench.under.store.add(.new())
                let job = try #require(try await bench.claim().first)
                let ending = AttemptEnding(lease: job.lease, outcome: outcome)
                bench.way.lose("/finish")
                await #expect(throws: StoreError.self) { _ = try await bench.queue.finish([ending], worker: "w1") }
                #expect(try await bench.under.store.state(job.id) == state, "it was written")
                #expect(try await bench.queue.finish([ending], worker: "w1") == [.accepted(state)])
                #expect(try await bench.queue.finish([ending], worker: "w1") == [.stale], "nothing was lost now")
                #expect(try await bench.under.number("SELECT count(*) FROM attempts") == 1)
            }
        }
    }

    @Test("is told that its ending came too late, though an answer was lost, when the reaper was first")
    func lostFinishTooLate() async throws {
        try await Bench.with { bench in
            let store = bench.under.store
            _ = try await store.add(.new { $0.maxAttempts = 1 })
            let job = try #require(try await bench.claim().first)
            try await bench.under.advance(seconds: 31)
            _ = try await store.sweep()
            #expect(try await store.state(job.id) == .dead)
            let endings: [AttemptEnding.Outcome] = [.succeeded("{}"), .failed(.broken), .interrupted(.drained)]
            for outcome in endings {
                let ending = AttemptEnding(lease: job.lease, outcome: outcome)
                bench.way.lose("/finish")
                await #expect(throws: StoreError.self) { _ = try await bench.queue.finish([ending], worker: "w1") }
                #expect(try await bench.queue.finish([ending], worker: "w1") == [.stale])
            }
        }
    }

    @Test("admits and hands back however many answers are lost")
    func persistence() async throws {
        try await Bench.with { bench in
            let store = bench.under.store
            let id = try await store.add(.new { $0.needsAdmission = true })
            let job = try #require(try await bench.claim(admits: true).first)
            #expect(job.state == .admitting)
            bench.way.lose("/admit", 2)
            _ = try await bench.queue.admit(Admission(lease: job.lease, costSeconds: 7, memoryBytes: 8))
            #expect(try await store.job(id)?.costSeconds == 7)
            _ = try await bench.claim()
            bench.way.lose("/release", 2)
            _ = try await bench.queue.releaseLeases(ofEarlier: .worker("w1", instance: "2"))
            #expect(try await store.state(id) == .queued)
        }
    }

    @Test("hears at once of work that comes, also between two questions")
    func news() async throws {
        try await Bench.with { bench in
            let stream = await bench.queue.wakeUps()
            var wakes = stream.makeAsyncIterator()
            for _ in 0..<5 {
                // Nothing else would wake it for 25 s each time.
                let begun = ContinuousClock.now
                let id = try await bench.under.store.add(.new())
                var claimed: [JobRecord] = []
                while claimed.isEmpty {
                    #expect(await wakes.next() != nil)
                    claimed = try await bench.claim()
                }
                #expect(claimed.map(\.id) == [id])
                #expect(ContinuousClock.now - begun < .seconds(20))
            }
            await bench.queue.close()
        }
    }

    @Test("is let in with its own token only, and never with none")
    func token() async throws {
        try await Bench.with { bench in
            for token in ["", "edge-3f81-aa02-77c5", "dj38-dk20-sl49-qm17"] {
                let address = try WebAddress("http://127.0.0.1:\(bench.service.port)")
                let client = EdgeClient(.init(service: address, token: token, version: "t"))
                let error = await #expect(throws: Failure.self) { _ = try await client.check() }
                #expect(
                    error?.message.contains("lets this worker in") == true && error?.detail?.contains("401") == true)
                let queue = EdgeQueue(client)
                await #expect(throws: StoreError.self) { _ = try await queue.workers() }
            }
            let gone = EdgeClient(
                .init(service: try WebAddress("http://127.0.0.1:1"), token: ControlService.token, version: "t"))
            #expect(try await gone.check() == false, "it may be there later")
        }
    }

    @Test("reads and writes nothing but what its current job names")
    func objects() async throws {
        try await Bench.with { bench in
            let store = bench.under.store
            let edit = #"{"sources":[{"id":"a","uri":"s3://raw/a.mp4"}],"timeline":[]}"#
            let payload = #"{"edit":\#(edit),"output":"s3://exports/out.mp4"}"#
            _ = try await store.insert([
                NewJob(id: .new(), kind: .render, owner: "ann", payload: payload, ingress: .native)
            ])
            let job = try #require(try await bench.claim().first)
            let client = EdgeClient(
                .init(
                    service: try WebAddress("http://127.0.0.1:\(bench.service.port)"), token: ControlService.token,
                    version: "t"))
            func code(_ path: String, _ message: some Encodable) async -> String {
                do {
                    let _: EdgeWire.Nothing = try await client.ask(path, message)
                    return "done"
                } catch EdgeClient.Obstacle.refused(_, let reason) {
                    return reason
                } catch {
                    return "\(error)"
                }
            }
            func read(_ uri: String, worker: String = "w1", epoch: Int64 = 1) async -> String {
                await code(
                    "objects/read",
                    EdgeWire.NameObject(worker: worker, lease: Lease(job: job.id, epoch: epoch), uri: uri))
            }
            func begin(_ uri: String, worker: String = "w1", epoch: Int64 = 1) async -> String {
                let lease = Lease(job: job.id, epoch: epoch)
                return await code(
                    "objects/begin", EdgeWire.NameObject(worker: worker, lease: lease, uri: uri))
            }
            #expect(await read("s3://raw/b.mp4").contains("does not name"))
            #expect(await begin("s3://raw/a.mp4").contains("does not name"), "a source is no output")
            #expect(await read("s3://exports/out.mp4").contains("does not name"))
            #expect(await begin("s3://exports/out.mp4/more").contains("does not name"))
            // Named, and past every check: there is no object store behind this service.
            #expect(await read("s3://raw/a.mp4").contains("no object store"))
            #expect(await begin("s3://exports/out.mp4").contains("no object store"))
            for lost in ["w2", "w1"] {
                let epoch: Int64 = lost == "w1" ? 2 : 1
                #expect(await read("s3://raw/a.mp4", worker: lost, epoch: epoch).contains("hold on the job is lost"))
                #expect(await begin("s3://exports/out.mp4", worker: lost, epoch: epoch).contains("is lost"))
            }
            try await bench.under.advance(seconds: 31)
            #expect(await read("s3://raw/a.mp4").contains("is lost"), "its lease ran out")
            #expect(try await store.uploads(of: job.id).isEmpty)
        }
    }
}
