import Downloads
import Foundation
import Model
import TestSupport
import Testing
import WorkerCore

@Suite("A download")
struct DownloadTests {
    @Test(
        "is the object byte for byte, with its hash, size and type",
        arguments: [("talk.mp4", "video/mp4"), ("film24.mkv", "video/x-matroska"), ("tone.wav", "audio/wav")])
    func whole(name: String, type: String) async throws {
        try await Place.with { (place) async throws in
            let source = Fixture.media(name)
            for query in ["type=video/mp4", "type=application/octet-stream", "", "chunked=1"] {
                let outcome = await place.run(place.attempt(place.media(source, query)))
                let content = try bytes(ofFile: source)
                let expected: JSONValue = [
                    "size_bytes": .integer(content.count), "content_type": .string(type),
                    "sha256": .string(sha256(content)), "output": .string(place.output),
                ]
                #expect(outcome.result == expected, "\(query): \(String(describing: outcome.failure))")
                #expect(try bytes(ofFile: place.output) == content)
                try FileManager.default.removeItem(atPath: place.output)
            }
        }
    }

    @Test("is told as it goes, and its fractions are those of the announced length")
    func progress() async throws {
        try await Place.with { (place) async throws in
            let attempt = place.attempt(place.media(Fixture.media("talk.mp4"), "n=2000000&stall=1000000&times=9"))
            let (executor, events) = (place.executor(), Events())
            async let result = executor.run(attempt) { events.add($0) }
            try await eventually("half of it has come, and is told") {
                (events.all.last?.fraction ?? 0) > 0.45
            }
            attempt.stop.stop(.cancelled)
            _ = await result
            #expect(events.all.allSatisfy { $0.phase == .transferring && (0...0.5).contains($0.fraction) })

            let outcome = await place.run(place.attempt(place.media(key: "other")))
            #expect(outcome.events.first?.phase == .transferring && outcome.events.first?.fraction == 0)
            #expect(outcome.events.last?.phase == .finishing && outcome.events.last?.fraction == 1)
        }
    }

    @Test("follows redirects to where it may go")
    func redirected() async throws {
        try await Place.with { (place) async throws in
            let target = try #require(place.media().addingPercentEncoding(withAllowedCharacters: .alphanumerics))
            let outcome = await place.run(place.attempt(place.url("/redirect?status=307&to=\(target)")))
            #expect(outcome.failure == nil)
            #expect(try bytes(ofFile: place.output) == bytes(ofFile: Fixture.media("talk.mp4")))
        }
    }

    // MARK: Stopping

    @Test(
        "stops within a second of the request, leaves nothing, and says why",
        arguments: [
            "/silent", "/media?key=k&file=FILE&stall=200000&times=9", "/media?key=k&file=FILE&stall=100&times=9",
        ]
    )
    func stop(path: String) async throws {
        try await Place.with { (place) async throws in
            let source = place.url(path.replacing("FILE", with: Fixture.media("talk.mp4")))
            for reason in [StopReason.cancelled, .drained, .leaseLost] {
                let attempt = place.attempt(source)
                let executor = place.executor()
                async let result = executor.run(attempt) { _ in }
                try await eventually("it waits for bytes") { try place.server.openConnections() >= 2 }
                let moment = ContinuousClock.now
                attempt.stop.stop(reason)
                let outcome = Outcome(await result, [])
                let seconds = (ContinuousClock.now - moment) / .seconds(1)
                print("a blocked download stopped after \((seconds * 1000).rounded()) ms")
                // A second on a machine that does nothing else.
                #expect(seconds < 5)
                #expect(outcome.failure == reason.failure)
                #expect(try place.isEmpty())
            }
        }
    }

    @Test("stops while it waits before it tries again")
    func stopInPause() async throws {
        try await Place.with { (place) async throws in
            let attempt = place.attempt(place.url("/status/503"))
            let executor = place.executor()
            async let result = executor.run(attempt) { _ in }
            // The server asks for seven seconds.
            try await eventually("it was asked") { try place.server.requests() >= 2 }
            let moment = ContinuousClock.now
            attempt.stop.stop(.cancelled)
            #expect(Outcome(await result, []).failure?.code == .cancelled)
            #expect((ContinuousClock.now - moment) / .seconds(1) < 5)
        }
    }

    @Test("of a job that was stopped before opens no connection")
    func stoppedBefore() async throws {
        try await Place.with { (place) async throws in
            let attempt = place.attempt(place.media())
            attempt.stop.stop(.drained)
            #expect(await place.run(attempt).failure?.code == .drained)
            #expect(try place.asked().isEmpty)
        }
    }

    @Test("that takes longer than its kind may is stopped, and not tried again")
    func wallTime() async throws {
        try await Place.with { (place) async throws in
            let source = place.media(Fixture.media("talk.mp4"), "stall=200000&times=99")
            let failure = await place.failure(source) { $0.wallSeconds = 1 }
            #expect(failure?.code == .wallTimeLimit)
            #expect(try place.isEmpty())
        }
    }

    // MARK: URLs that run out

    @Test(
        "of a URL that has expired fails as such, without a visit",
        arguments: [
            ("X-Amz-Date=20251231T234459Z&X-Amz-Expires=900", nil), ("", "2025-12-31T23:59:59Z"),
            ("X-Amz-Date=20260101T000000Z&X-Amz-Expires=900", "2026-01-01T00:00:00+00:00"),
            ("Expires=1767225600&Signature=x", nil),
        ])
    func expired(query: String, expiresAt: String?) async throws {
        try await Place.with { (place) async throws in
            let source = place.media(Fixture.media("talk.mp4"), query)
            let failure = await place.run(place.attempt(source, expiresAt: expiresAt)).failure
            #expect(failure?.code == .urlExpired && failure?.category == .invalidInput)
            #expect(failure?.message.contains("X-Amz") == false)
            #expect(try place.asked().isEmpty)
        }
    }

    @Test("of a URL that is still good goes well")
    func notExpired() async throws {
        try await Place.with { (place) async throws in
            let query = "X-Amz-Date=20251231T235959Z&X-Amz-Expires=900"
            let attempt = place.attempt(
                place.media(Fixture.media("talk.mp4"), query), expiresAt: "2026-01-01T00:00:01Z")
            #expect(await place.run(attempt).failure == nil)
        }
    }

    @Test("that a server refuses is one of an expired URL only where the URL's time is over")
    func refusedByServer() async throws {
        try await Place.with { (place) async throws in
            #expect(await place.failure(place.url("/status/403"))?.code == .notReadable)
            let expired = "/status/403?X-Amz-Date=20251231T200000Z&X-Amz-Expires=60"
            let target = try #require(expired.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
            #expect(await place.failure(place.url("/redirect?to=\(target)"))?.code == .urlExpired)
        }
    }
}

extension HTTPTestServer {
    private struct Counts: Decodable {
        var open: Int
        var requests: Int
    }

    private func counts() throws -> Counts { try JSONDecoder().decode(Counts.self, from: Data(try get("/counts"))) }

    /// The one that asks is among them.
    func openConnections() throws -> Int { try counts().open }
    func requests() throws -> Int { try counts().requests }
}

struct NotInTime: Error { var what: String }

/// Looks again and again until something holds.
func eventually(_ what: String, _ condition: () throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(patience)
    while try !condition() {
        guard ContinuousClock.now < end else { throw NotInTime(what: what) }
        try await Task.sleep(for: .milliseconds(10))
    }
}
