import HTTPTransfer
import Model
import PoolTestSupport
import S3
import TestSupport
import Testing

@Suite("A clock that is off", .enabled(if: ObjectStore.areThere, "\(ObjectStore.absence)"))
struct ClockTests {
    private let stop = TransferStop()

    @Test(
        "is corrected by what the store says, and stays so",
        arguments: ObjectStore.allCases, [-7200.0, 3600, 3_000_000])
    func corrected(store: ObjectStore, ahead: Double) async throws {
        try await blocking {
            let place = try store.place()
            let proxy = try FaultProxy(store)
            let client = try store.client(url: proxy.url, settings: TestTime().settings(ahead: ahead))
            try proxy.next([])
            _ = try client.put(place, [1, 2, 3], stop: stop)
            #expect(abs(client.clockIsAheadSeconds - ahead) < 120)
            #expect(try proxy.seen.map(\.status) == [403, 200])
            #expect(try client.bytes(place).bytes == [1, 2, 3])
            #expect(try proxy.seen.map(\.status) == [403, 200, 206], "once for all")
            // URLs are signed with the store's time as well.
            let answer = try HTTPClient(.init(.open)).perform(
                TransferRequest("GET", try WebAddress(client.presign("GET", place, seconds: 60))),
                into: .collect(upTo: 100))
            #expect(answer.body == [1, 2, 3])
        }
    }

    @Test("is noticed where an answer has no words", arguments: ObjectStore.allCases)
    func head(store: ObjectStore) async throws {
        try await blocking {
            let place = try store.place()
            let client = try store.client(settings: TestTime().settings(ahead: -7200))
            #expect(try client.info(place, stop: stop) == nil)
            #expect(abs(client.clockIsAheadSeconds + 7200) < 120)
        }
    }

    @Test("is told of when the store's answers do not help")
    func unhelpful() async throws {
        try await blocking {
            let store = ObjectStore.juicefs
            let place = try store.place()
            let proxy = try FaultProxy(store)
            let client = try store.client(url: proxy.url, settings: TestTime().settings(ahead: 7200))
            // It refuses the time and names the same one.
            try proxy.next(["date:7200"])
            let same = refused { _ = try client.bytes(place) }
            #expect(same?.kind == .clockSkew && same?.code == .storageRefused)
            #expect(try proxy.seen.count == 1)
            // It refuses the time that it names itself.
            try proxy.next(["date:-90000", "date:-90000"])
            let own = refused { _ = try client.bytes(place) }
            #expect(own?.kind == .clockSkew && own?.message.contains("its own time") == true)
            #expect(own?.message.contains("differ by") == true)
            #expect(try proxy.seen.count == 2)
            // And all is well as soon as it tells the truth.
            #expect(refused { _ = try client.bytes(place) }?.kind == .noSuchKey)
        }
    }

    @Test("is not the reason for every refusal")
    func otherReasons() async throws {
        try await blocking {
            let store = ObjectStore.juicefs
            var credentials = try ObjectStore.credentials
            credentials.secretKey = "another-secret"
            let place = try store.place()
            let proxy = try FaultProxy(store)
            let client = try store.client(
                url: proxy.url, credentials: credentials, settings: TestTime().settings(ahead: 7200))
            try proxy.next([])
            #expect(refused { _ = try client.bytes(place) }?.kind == .signatureRefused)
            #expect(try proxy.seen.map(\.status) == [403, 403], "with the store's time, too")
        }
    }
}
