import Foundation
import Model
import TestSupport
import Testing
import WorkerCore

@Suite("A download is refused")
struct RefusalTests {
    // MARK: Where it leads

    /// Spellings of places that nobody on the Internet is at.
    private static let inside = [
        "http://127.0.0.1:PORT/", "http://[::1]:PORT/", "http://0.0.0.0:PORT/", "http://[::]:PORT/",
        "http://2130706433:PORT/", "http://0x7f000001:PORT/", "http://0177.0.0.1:PORT/", "http://127.1:PORT/",
        "http://[::ffff:127.0.0.1]:PORT/", "http://[64:ff9b::7f00:1]:PORT/", "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/", "http://10.0.0.1:PORT/", "http://192.168.0.1/", "http://100.100.100.200/",
        "https://127.0.0.1:PORT/", "http://user@127.0.0.1:PORT/",
    ]

    @Test("where its URL leads into the worker's own network; nobody is called", arguments: inside)
    func direct(url: String) async throws {
        try await Place.with { (place) async throws in
            let source = url.replacing("PORT", with: "\(place.server.port)")
            let failure = await place.failure(source, allowing: [])
            #expect(failure?.code == .sourceNotAllowed, "\(String(describing: failure))")
            #expect(try place.server.requests() == 1, "but for the test itself")
            #expect(try place.isEmpty())
        }
    }

    @Test("where a name leads there", arguments: ["localhost", "LOCALHOST"])
    func names(name: String) async throws {
        try await Place.with { (place) async throws in
            let failure = await place.failure("http://\(name):\(place.server.port)/media", allowing: [])
            #expect(failure?.code == .sourceNotAllowed, "\(String(describing: failure))")
            #expect(try place.server.requests() == 1)
        }
    }

    @Test("where a redirect leads there, even from a host that is allowed", arguments: inside)
    func redirected(url: String) async throws {
        try await Place.with { (place) async throws in
            let other = try HTTPTestServer.start()
            let target = url.replacing("PORT", with: "\(other.port)")
            let escaped = try #require(target.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
            for status in [301, 302, 303, 307, 308] {
                let failure = await place.failure(place.url("/redirect?status=\(status)&to=\(escaped)"))
                #expect(failure?.code == .sourceNotAllowed, "\(status): \(String(describing: failure))")
            }
            #expect(try other.requests() == 1)
            #expect(try place.isEmpty())
        }
    }

    @Test(
        "where a redirect leaves the web, or never ends",
        arguments: [
            ("/redirect?to=file%3A%2F%2F%2Fetc%2Fpasswd", FailureCode.invalidTask),
            ("/redirect?to=ftp%3A%2F%2Flocalhost%2F", .invalidTask), ("/loop", .notReadable),
        ])
    func astray(path: String, code: FailureCode) async throws {
        try await Place.with { (place) async throws in
            #expect(await place.failure(place.url(path))?.code == code)
            #expect(try place.isEmpty())
        }
    }

    @Test("where its output may not be, before anybody is called")
    func output() async throws {
        try await Place.with { (place) async throws in
            var attempt = place.attempt(place.media())
            attempt.job.payload = attempt.job.payload.replacing(place.output, with: "/etc/out.mp4")
            #expect(await place.run(attempt).failure?.code == .sourceNotAllowed)
            #expect(try place.asked().isEmpty)
        }
    }

    // MARK: What comes

    @Test(
        "where it is no media, by the server's words or by its bytes",
        arguments: [
            "type=text/html", "type=application/json", "type=application/vnd.apple.mpegurl", "type=image/svg%2Bxml",
        ])
    func wrongType(query: String) async throws {
        try await Place.with { (place) async throws in
            #expect(await place.failure(place.media(Fixture.media("talk.mp4"), query))?.code == .notMedia)
            #expect(try place.isEmpty())
        }
    }

    @Test("where a page, a playlist or noise calls itself media")
    func wrongBytes() async throws {
        try await Place.with { (place) async throws in
            let page = "\(place.folder)/page.html"
            try write(
                "<!DOCTYPE html><html><body>" + String(repeating: "<p>Sign in", count: 500) + "</html>", to: page)
            let files = [page] + ["playlist_local.mp4", "text.mp4", "garbage.mp4", "subs.srt"].map(Fixture.hostile)
            for file in files {
                for query in ["type=video/mp4", "", "chunked=1"] {
                    #expect(await place.failure(place.media(file, query))?.code == .notMedia, "\(file) \(query)")
                }
            }
            try FileManager.default.removeItem(atPath: page)
            #expect(await place.failure(place.media(Fixture.hostile("empty.mp4")))?.code == .emptyFile)
            #expect(await place.failure(place.url("/status/204"))?.code == .emptyFile)
            #expect(try place.isEmpty())
        }
    }

    @Test("where nothing is there, or it may not be read")
    func absent() async throws {
        try await Place.with { (place) async throws in
            #expect(await place.failure(place.url("/status/404"))?.code == .fileNotFound)
            #expect(await place.failure(place.url("/status/410"))?.code == .fileNotFound)
            #expect(await place.failure(place.url("/status/401"))?.code == .notReadable)
        }
    }

    // MARK: How much comes

    @Test("where it announces too much, before any of it is read")
    func announced() async throws {
        try await Place.with { (place) async throws in
            let source = place.media()
            let failure = await place.failure(source, maxBytes: 100_000)
            #expect(failure?.code == .sourceTooLarge && failure?.category == .limitExceeded)
            #expect(await place.failure(source) { $0.outputBytes = 100_000 }?.code == .sourceTooLarge)
            let size = Int64(try bytes(ofFile: Fixture.media("talk.mp4")).count)
            #expect(await place.failure(source, maxBytes: size - 1)?.code == .sourceTooLarge)
            #expect(try place.isEmpty())
            #expect(await place.failure(source, maxBytes: size) == nil)
        }
    }

    @Test("where it never ends")
    func endless() async throws {
        try await Place.with { (place) async throws in
            let source = place.url("/endless?file=\(Fixture.media("talk.mp4"))")
            #expect(await place.failure(source, maxBytes: 5_000_000)?.code == .sourceTooLarge)
            #expect(try place.isEmpty())
        }
    }

    @Test("where more was announced than there is; and what is behind an announced end is not taken")
    func lyingLength() async throws {
        try await Place.with { (place) async throws in
            let size = try bytes(ofFile: Fixture.media("talk.mp4")).count
            let longer = place.media(Fixture.media("talk.mp4"), "length=\(size + 1000)&etag=none")
            #expect(await place.failure(longer)?.code == .transferFailed)
            #expect(try place.isEmpty())
            let outcome = await place.run(
                place.attempt(place.media(Fixture.media("talk.mp4"), "length=\(size - 1000)", key: "short")))
            #expect(outcome.result?["size_bytes"]?.integerValue == Int64(size - 1000))
            #expect(try bytes(ofFile: place.output).count == size - 1000)
        }
    }

    @Test("in words that tell no secret of its URL")
    func words() async throws {
        try await Place.with { (place) async throws in
            for path in ["/status/403", "/status/404", "/loop", "/truncated", "/bytes"] {
                let source = place.url("\(path)?n=5000&X-Amz-Signature=s3cr3t").replacing("://", with: "://me:hunter2@")
                let failure = try #require(await place.failure(source), "\(path)")
                for secret in ["s3cr3t", "hunter2"] {
                    #expect(!failure.message.contains(secret) && failure.detail?.contains(secret) != true, "\(failure)")
                }
            }
        }
    }
}
