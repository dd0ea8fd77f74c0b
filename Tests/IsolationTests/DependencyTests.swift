import Foundation
import Isolation
import Model
import TestSupport
import Testing

/// What the program that reads media is linked with, by its ELF header.
@Suite("reelpool-codec")
struct DependencyTests {
    /// What it asks the loader for itself. Source: ELF gABI, DT_NEEDED.
    private static func needed(by program: String) throws -> [String] {
        let text = String(decoding: try Command.output("readelf", ["-d", program]), as: UTF8.self)
        return text.matches(of: /\(NEEDED\).*\[(.+?)\]/).map { String($0.1) }
    }

    private static let services = ["libcurl", "libpq", "librabbitmq", "libhiredis", "libsqlite3", "libssl"]

    @Test("asks for FFmpeg and for no network, queue or database library")
    func direct() throws {
        let needed = try Self.needed(by: Programs.codec)
        #expect(needed.contains { $0.hasPrefix("libavformat.so") })
        for service in Self.services { #expect(!needed.contains { $0.hasPrefix(service) }, "\(service)") }
    }

    /// FFmpeg's own libraries are another matter: docs/sandbox.md says what they bring, and why it cannot be reached.
    @Test("meets such libraries through FFmpeg only")
    func transitive() throws {
        let text = String(decoding: try Command.output("ldd", [Programs.codec]), as: UTF8.self)
        let direct = try Self.needed(by: Programs.codec)
        let swift = direct.filter {
            $0.hasPrefix("libswift") || $0.hasPrefix("lib_Foundation") || $0 == "libdispatch.so"
        }
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count > 2, swift.contains(String(words[0].drop { $0.isWhitespace })) else { continue }
            for library in try Self.needed(by: String(words[2])) {
                for service in Self.services { #expect(!library.hasPrefix(service), "\(words[0]) needs \(library)") }
            }
        }
    }

    @Test("does nothing when somebody calls it")
    func called() throws {
        for arguments in [[], ["--help"], ["template"], ["template", "--channel-fd", "4"]] {
            let result = try Command.run(Programs.codec, arguments)
            #expect(result.status == 64)
            #expect(result.output.isEmpty && result.errors.contains("is started by reelpoold"))
        }
    }

    @Test("ends when the one who started it has no channel for it")
    func withoutChannel() throws {
        let result = try Command.run(Programs.codec, ["template", "--channel-fd", "3"])
        #expect(result.status == 70)
    }
}

@Suite("A sandbox report")
struct SandboxReportTests {
    @Test("names what is missing, and is complete without that")
    func missing() {
        var report = SandboxReport(applied: Set(SandboxReport.Measure.allCases), landlockABI: 7, seconds: 0)
        #expect(report.isComplete && report.missing.isEmpty)
        report.applied.remove(.landlock)
        #expect(!report.isComplete && report.missing == [.landlock])
    }
}

@Suite("A message of the channel")
struct ChannelMessageTests {
    private static let event = ProgressEvent(
        phase: .encoding, fraction: 0.25, frames: 17, framesPerSecond: 30.5, speed: 1.5, remainingSeconds: 4)

    @Test("carries progress there and back")
    func progress() {
        #expect(ChannelMessage(progress: Self.event).progress == Self.event)
        var unknown = Self.event
        unknown.remainingSeconds = nil
        #expect(ChannelMessage(progress: unknown).progress == unknown)
    }

    @Test("of progress that cannot be is none", arguments: [-0.1, 1.1, .nan, .infinity])
    func impossible(fraction: Double) {
        var event = Self.event
        event.fraction = fraction
        #expect(ChannelMessage(progress: event).progress == nil)
    }
}

@Suite("A task for a process")
struct CodecTaskTests {
    @Test("is the same after its journey")
    func roundTrip() throws {
        var task = CodecTask(
            kind: .render, sources: [.init(name: "a", sizeBytes: 5), .init(name: "b", sizeBytes: nil)],
            outputs: ["film.mp4"], threads: 3)
        task.edit = try EditDocument(
            json: Data(EditText.timeline([(.zero, Rational(1, 3))], of: "a").utf8))
        task.salvage = true
        #expect(try CodecTask(json: task.encoded()) == task)
    }
}
