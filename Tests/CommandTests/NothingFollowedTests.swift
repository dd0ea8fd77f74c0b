import Foundation
import TestSupport
import Testing

/// What the program opens, by the kernel's word.
@Suite("Nothing a file names", .enabled(if: Trace.isPossible, "needs strace"))
struct NothingFollowedTests {
    private static let media = Fixture.media("no_audio.mp4")

    /// Texts that name another file or an address, under names that fool a reader or do not.
    private static func traps(_ folder: String) -> [(name: String, text: String)] {
        let target = "\(folder)/target.mp4"
        let playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3.0,\n"
        return [
            ("playlist.m3u8", "\(playlist)\(target)\n#EXT-X-ENDLIST\n"), ("playlist.mp4", "\(playlist)target.mp4\n"),
            ("address.m3u8", "\(playlist)http://127.0.0.1:9/x.ts\n"), ("address.mp4", "\(playlist)tcp://127.0.0.1:9\n"),
            ("script.ffconcat", "ffconcat version 1.0\nfile '\(target)'\n"),
            ("script.mp4", "ffconcat version 1.0\nfile 'target.mp4'\n"),
            (
                "manifest.mpd",
                "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\"><Period>"
                    + "<AdaptationSet><Representation id=\"1\"><BaseURL>http://127.0.0.1:9/x.mp4</BaseURL>"
                    + "</Representation></AdaptationSet></Period></MPD>"
            ),
            ("session.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n"),
            ("master.m3u8", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nfile://\(target)\n"),
        ]
    }

    @Test("is opened by probe or render", arguments: ["probe", "render"])
    func trapsAreNotSprung(command: String) throws {
        try withTemporaryFolder { folder in
            try FileManager.default.copyItem(atPath: Self.media, toPath: "\(folder)/target.mp4")
            for trap in Self.traps(folder) {
                let path = "\(folder)/\(trap.name)"
                try write(trap.text, to: path)
                let edit = try writeEdit(folder, source: path)
                let arguments = command == "probe" ? [path] : [edit, "--output", "\(folder)/out.mp4"]
                let trace = try Trace(folder, [command, "--json"] + arguments)
                #expect(trace.status == 65 || trace.status == 69, "\(trap.name)")
                #expect(trace.opened(under: folder).subtracting([path, edit, folder]).isEmpty, "\(trap.name)")
                #expect(trace.connections.isEmpty, "\(trap.name)")
            }
        }
    }

    @Test("is opened while a sound file is read, and the named one is")
    func soundFile() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/target.mp4"
            try FileManager.default.copyItem(atPath: Self.media, toPath: path)
            let trace = try Trace(folder, ["probe", "--json", path])
            #expect(trace.status == 0)
            #expect(trace.opened(under: folder) == [path])
            #expect(trace.connections.isEmpty)
        }
    }

    @Test(
        "is an address that a source may be",
        arguments: ["http://127.0.0.1:9/x.mp4", "file:///etc/hostname", "tcp://127.0.0.1:9"])
    func addresses(uri: String) throws {
        try withTemporaryFolder { folder in
            let edit = try writeEdit(folder, source: uri)
            let trace = try Trace(folder, ["render", "--json", edit, "--output", "\(folder)/out.mp4"])
            #expect(trace.status == 65)
            #expect(trace.connections.isEmpty)
            #expect(!trace.text.contains("/etc/hostname\""))
        }
    }
}

/// A run of the program under `strace`.
struct Trace {
    let status: Int32
    let text: String

    static let isPossible = FileManager.default.isExecutableFile(atPath: "/usr/bin/strace")

    init(_ folder: String, _ arguments: [String]) throws {
        let log = FileManager.default.temporaryDirectory.path + "/reelpool-test-\(UUID().uuidString).strace"
        defer { try? FileManager.default.removeItem(atPath: log) }
        let calls = "trace=open,openat,openat2,creat,connect,sendto,execve"
        let result = try Command.run(
            "strace", ["-f", "-y", "-s", "4096", "-e", calls, "-o", log, Fixture.program] + arguments)
        status = result.status
        text = String(decoding: try bytes(ofFile: log), as: UTF8.self)
    }

    /// Files below a folder that an open was tried on.
    func opened(under folder: String) -> Set<String> {
        var found: Set<String> = []
        for line in text.split(separator: "\n") where line.contains("open") {
            let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
            if parts.count > 2, parts[1].hasPrefix(folder) { found.insert(String(parts[1])) }
        }
        return found
    }

    /// Calls that reach out of the machine's own files.
    var connections: [Substring] {
        text.split(separator: "\n").filter {
            $0.contains("AF_INET") || $0.contains("execve(") && !$0.contains(Fixture.program)
        }
    }
}
