import Downloads
import Foundation
import Model
import Synchronization
import TestSupport
import Testing
import WorkerCore

@Suite("A download whose connection breaks")
struct ResumeTests {
    private static let talk = Fixture.media("talk.mp4")

    @Test(
        "goes on where it was, of the same object",
        arguments: [
            "cut=100000", "cut=200000&times=4", "cut=100000&chunked=1", "reset=150000", "cut=1500&times=3",
            "cut=100000&star=1",
        ])
    func goesOn(query: String) async throws {
        try await Place.with { (place) async throws in
            let outcome = await place.run(place.attempt(place.media(Self.talk, query)))
            let content = try bytes(ofFile: Self.talk)
            #expect(outcome.failure == nil)
            #expect(try bytes(ofFile: place.output) == content)
            #expect(outcome.result?["sha256"]?.stringValue == sha256(content))
            let asked = try place.asked()
            #expect(asked.count >= 2)
            for headers in asked.dropFirst() {
                let etag = try #require(headers["if-range"])
                #expect(etag.hasPrefix("\"") && headers["if-match"] == etag)
                #expect(headers["range"]?.hasPrefix("bytes=") == true && headers["range"] != "bytes=0-")
            }
            let fractions = outcome.events.map(\.fraction)
            #expect(fractions == fractions.sorted())
        }
    }

    @Test("before anything was handed on begins again, whatever the server can do")
    func beginsAgain() async throws {
        try await Place.with { (place) async throws in
            let outcome = await place.run(
                place.attempt(place.media(Self.talk, "cut=500&times=2&etag=none&noranges=1&change=1")))
            #expect(outcome.failure == nil)
            let asked = try place.asked()
            #expect(asked.count == 3 && asked.allSatisfy { $0["range"] == nil })
            let size = try bytes(ofFile: place.output).count
            #expect(size == (try bytes(ofFile: Self.talk).count))
        }
    }

    @Test("or finds its server busy goes on when it is not", arguments: [500, 502, 503, 429, 408])
    func busy(status: Int) async throws {
        try await Place.with { (place) async throws in
            #expect(await place.failure(place.media(Self.talk, "status=\(status)&times=2")) == nil)
            #expect(try place.asked().count == 3)
        }
    }

    @Test("fails where nobody vouches for the rest", arguments: ["etag=weak", "etag=none"])
    func noETag(query: String) async throws {
        try await Place.with { (place) async throws in
            let failure = await place.failure(place.media(Self.talk, "cut=100000&\(query)"))
            #expect(failure?.code == .transferFailed, "\(String(describing: failure))")
            #expect(try place.asked().count == 1 && place.isEmpty())
        }
    }

    @Test(
        "never mixes two objects: one that has changed, or a rest that is not clear, fails, however careless the server",
        arguments: [
            "", "careless=1", "noranges=1", "careless=1&noranges=1", "chunked=1", "shift=1", "shift=-1", "star=1",
        ])
    func changed(query: String) async throws {
        try await Place.with { (place) async throws in
            let change = query.contains("shift") || query.contains("star") ? "&chunked=1" : "&change=1"
            let failure = await place.failure(place.media(Self.talk, "cut=100000\(change)&\(query)"))
            #expect(failure?.code == .transferFailed, "\(String(describing: failure))")
            #expect(try place.asked().count == 2 && place.isEmpty())
        }
    }

    @Test("ends as one whole object or as none, whatever happens to it")
    func random() async throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("faulty downloads with seed \(seed)")
        var numbers = SeededGenerator(seed: seed)
        try await Place.with { (place) async throws in
            let content = try bytes(ofFile: Self.talk)
            var changed = content
            changed[content.count - 1] ^= 1
            var counts = (whole: 0, failed: 0)
            for number in 0..<60 {
                let fault = ["cut", "reset"].randomElement(using: &numbers) ?? "cut"
                var query = "\(fault)=\(Int.random(in: 0..<content.count, using: &numbers))"
                query += "&times=\(Int.random(in: 1...4, using: &numbers))"
                for flag in ["change", "careless", "noranges", "chunked", "star"] {
                    if Int.random(in: 0..<7, using: &numbers) == 0 { query += "&\(flag)=1" }
                }
                query += ["", "", "", "", "&etag=weak", "&etag=none"].randomElement(using: &numbers) ?? ""
                let outcome = await place.run(place.attempt(place.media(Self.talk, query, key: "\(number)")))
                if let failure = outcome.failure {
                    #expect(failure.code == .transferFailed, "\(query): \(failure)")
                    #expect(try place.isEmpty())
                    counts.failed += 1
                } else {
                    let made = try bytes(ofFile: place.output)
                    #expect(made == content || made == changed, "\(query)")
                    #expect(outcome.result?["sha256"]?.stringValue == sha256(made))
                    try FileManager.default.removeItem(atPath: place.output)
                    counts.whole += 1
                }
            }
            print("of 60 faulty downloads \(counts.whole) came through, and \(counts.failed) failed cleanly")
            #expect(counts.whole > 0 && counts.failed > 0)
        }
    }

    @Test("again and again is given up, for the job's next attempt")
    func givenUp() async throws {
        try await Place.with { (place) async throws in
            let failure = await place.failure(place.media(Self.talk, "cut=2000&times=99"))
            #expect(failure?.code == .transferFailed && failure?.category == .dependencyUnavailable)
            #expect(try place.asked().count == 6 && place.isEmpty())
        }
    }

    @Test("is not given up as long as something comes")
    func manyBreaks() async throws {
        try await Place.with { (place) async throws in
            let size = 20_000_000
            let source = place.media(Self.talk, "n=\(size)&cut=1200000&times=99")
            let outcome = await place.run(place.attempt(source))
            #expect(outcome.failure == nil)
            #expect(try place.asked().count == 17)
            #expect(outcome.result?["size_bytes"]?.integerValue == Int64(size))
            #expect(try outcome.result?["sha256"]?.stringValue == sha256(bytes(ofFile: place.output)))
        }
    }

    @Test("stalls, and goes on")
    func stalled() async throws {
        try await Place.with { (place) async throws in
            let source = place.media(Self.talk, "stall=100000")
            let outcome = await place.run(place.attempt(source) { $0.stallSeconds = 1 })
            #expect(outcome.failure == nil)
            #expect(try bytes(ofFile: place.output) == bytes(ofFile: Self.talk))
        }
    }

    @Test("when its URL has run out meanwhile says so")
    func expiredMeanwhile() async throws {
        try await Place.with { (place) async throws in
            // A minute passes from look to look at the clock.
            let looks = Looks()
            let executor = place.executor(now: { testTime + 60_000 * looks.next() })
            let query = "cut=100000&then=403&X-Amz-Date=20260101T000000Z&X-Amz-Expires=90"
            let result = await executor.run(place.attempt(place.media(Self.talk, query))) { _ in }
            #expect(Outcome(result, []).failure?.code == .urlExpired)
            #expect(try place.asked().count == 2 && place.isEmpty())
        }
    }
}

/// How often it was looked.
private final class Looks: Sendable {
    private let count = Mutex<Int64>(0)

    func next() -> Int64 {
        count.withLock { count in
            count += 1
            return count
        }
    }
}
