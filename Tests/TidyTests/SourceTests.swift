import Foundation
import TestSupport
import Testing

/// The rules of CONTRIBUTING.md that a program can check.
@Suite("The sources")
struct SourceTests {
    private static let swift = repositoryFiles(endingIn: [".swift"], under: "Sources")

    private static func lines(_ path: String) throws -> [String] {
        String(decoding: try bytes(ofFile: "\(Fixture.repository)/\(path)"), as: UTF8.self)
            .components(separatedBy: "\n")
    }

    /// Lines that a rule forbids, as `path:number`.
    ///
    /// - Parameter words: of which such a line has one. A file's bytes are searched for them in a thousandth of the time
    ///   that its lines take.
    private static func places(
        in files: [String] = swift, mentioning words: [String], where matches: (_ line: String) -> Bool
    ) throws -> [String] {
        try files.flatMap { path in
            let text = Data(try bytes(ofFile: "\(Fixture.repository)/\(path)"))
            guard words.contains(where: { text.range(of: Data($0.utf8)) != nil }) else { return [String]() }
            return try lines(path).enumerated().filter { matches($0.element) }.map { "\(path):\($0.offset + 1)" }
        }
    }

    @Test("are files of one idea: none has more than 500 lines")
    func length() throws {
        let files = repositoryFiles(endingIn: [".swift", ".c", ".h"], under: "Sources")
        #expect(files.count > 60)
        for file in files { #expect(try Self.lines(file).count <= 501, "\(file)") }
    }

    @Test("import FFmpeg's headers in Media only")
    func ffmpeg() throws {
        let importing = try Self.places(mentioning: ["import CFFmpeg"]) { $0.contains("import CFFmpeg") }
        #expect(!importing.isEmpty)
        #expect(importing.filter { !$0.hasPrefix("Sources/Media/") } == [])
    }

    @Test("import each database in its driver only", arguments: ["CPostgres", "GRDB"])
    func databases(library: String) throws {
        let importing = try Self.places(mentioning: ["import \(library)"]) { $0.contains("import \(library)") }
        let driver = library == "GRDB" ? "Sources/StoreSQLite/" : "Sources/StorePostgres/"
        #expect(!importing.isEmpty)
        #expect(importing.filter { !$0.hasPrefix(driver) } == [])
    }

    @Test("ask for FFmpeg's version in its shims only")
    func versions() throws {
        let files = repositoryFiles(endingIn: [".swift", ".c", ".h"], under: "Sources")
        let asking = try Self.places(in: files, mentioning: ["_VERSION"]) {
            $0.contains(/LIB(AV|SW)[A-Z]*_VERSION|AV_VERSION_INT/)
        }
        #expect(!asking.isEmpty)
        #expect(asking.filter { !$0.hasPrefix("Sources/C/CFFmpegShims/") } == [])
    }

    /// What each module may import of the others; arrows point down.
    private static let layers: [String: Set<String>] = [
        "Model": [], "Bitstream": [], "Planning": ["Model"], "Media": ["Model", "CFFmpeg", "CFFmpegShims"],
        "LocalFiles": ["Model"], "Lettering": ["CAss", "Model"],
        "Engine": ["Bitstream", "Lettering", "LocalFiles", "Media", "Model", "Planning"],
        "FixtureHarness": ["Engine", "Lettering", "LocalFiles", "Media", "Model"],
        "LocalObjects": ["LocalFiles", "Model", "WorkerCore"],
        "Isolation": ["CLinux", "Model"], "CodecHost": ["Isolation", "Model"],
        "WorkerCore": ["Model"], "PoolConfig": ["Model", "WorkerCore"], "SQLStore": ["Model", "WorkerCore"],
        "StorePostgres": ["CPostgres", "Model", "SQLStore", "WorkerCore"],
        "StoreSQLite": ["Model", "SQLStore", "WorkerCore"], "Envelopes": ["Model", "WorkerCore"],
        "QueueRabbitMQ": ["CRabbitMQ", "CRabbitMQShims", "Model", "WorkerCore"],
        "ProgressRedis": ["CHiredis", "Envelopes", "Model", "WorkerCore"],
        "MediaTasks": ["CodecHost", "Isolation", "Model", "WorkerCore"],
        "Downloads": ["HTTPTransfer", "Model", "WorkerCore"],
        "reelpool": [
            "Engine", "FixtureHarness", "HTTPTransfer", "Lettering", "LocalFiles", "Media", "Model", "Planning",
            "PoolConfig", "SQLStore", "Signals", "StorePostgres", "StoreSQLite", "StoreSetup", "WorkerCore",
        ],
        "Signals": [], "HTTPTransfer": ["CCurl", "CCurlShims", "Model", "WorkerCore"],
        "S3": ["HTTPTransfer", "Model", "WorkerCore"], "ObjectsS3": ["HTTPTransfer", "Model", "S3", "WorkerCore"],
        "Payments": ["HTTPTransfer", "Model", "WorkerCore"],
        "Webhooks": ["Envelopes", "HTTPTransfer", "WorkerCore"],
        "Pool": [
            "CodecHost", "Downloads", "Envelopes", "HTTPTransfer", "Isolation", "LocalObjects", "MediaTasks", "Model",
            "ObjectsEdge", "ObjectsS3", "Payments", "PoolConfig", "ProgressRedis", "QueueRabbitMQ", "S3", "SQLStore",
            "Service", "StoreEdge",
            "StorePostgres",
            "StoreSQLite", "StoreSetup", "Webhooks", "WorkerCore",
        ],
        "StoreSetup": ["HTTPTransfer", "Model", "PoolConfig", "S3"],
        "EdgeWire": ["Model", "WorkerCore"], "StoreEdge": ["EdgeWire", "HTTPTransfer", "Model", "WorkerCore"],
        "ObjectsEdge": ["EdgeWire", "HTTPTransfer", "Model", "ObjectsS3", "S3", "StoreEdge", "WorkerCore"],
        "Service": ["EdgeWire", "Envelopes", "Model", "WorkerCore"],
        "reelpoold": ["Model", "Pool", "PoolConfig", "Signals", "WorkerCore"],
        "reelpool-codec": ["Engine", "Isolation", "Lettering", "Media", "Model"],
        "reelpool-bench": ["CodecHost", "Isolation", "Model"],
    ]

    @Test("import downwards only")
    func layering() throws {
        let foreign = [
            "CAss", "CCurl", "CCurlShims", "CFFmpeg", "CFFmpegShims", "CLinux", "CPostgres", "CRabbitMQ",
            "CRabbitMQShims",
            "CHiredis",
        ]
        let modules = Set(Self.layers.keys).union(foreign)
        for file in Self.swift {
            let module = String(file.split(separator: "/")[1])
            let allowed = try #require(Self.layers[module], "\(file) is in a module without a layer")
            let imported = try Self.lines(file).filter { $0.prefix(20).contains("import ") }
                .compactMap { line in
                    line.firstMatch(of: /^(?:[a-z]+ )?import (?:[a-z]+ )?(\w+)/).map { String($0.1) }
                }
            #expect(Set(imported).intersection(modules).subtracting(allowed) == [], "\(file)")
        }
    }

    @Test("run no other program")
    func noSubprocess() throws {
        let running = try Self.places(mentioning: ["Process(", "posix_spawn", "execv", "popen(", "system("]) {
            $0.contains(/\bProcess\(|posix_spawn|\bexecv|\bpopen\(|\bsystem\(/)
        }
        #expect(running == [])
    }

    @Test("say who serialises what the compiler is told not to check")
    func uncheckedSendable() throws {
        let unchecked = try Self.places(mentioning: ["@unchecked Sendable", "nonisolated(unsafe)"]) {
            $0.contains("@unchecked Sendable") || $0.contains("nonisolated(unsafe)")
        }
        #expect(!unchecked.isEmpty)
        for place in unchecked {
            let parts = place.split(separator: ":")
            let number = try #require(Int(parts[1]))
            let above = try Self.lines(String(parts[0]))[max(0, number - 5)..<number - 1]
            #expect(above.contains { $0.contains("SAFETY:") }, "\(place)")
        }
    }

    @Test("force nothing that may fail")
    func noForce() throws {
        let forced = try Self.places(mentioning: ["try!", "as!"]) { $0.contains(/\btry!|\bas!/) }
        #expect(forced == [])
    }

    @Test("and everything beside them name no place of the machine they were written on")
    func noPaths() throws {
        let files = repositoryFiles(endingIn: [".swift", ".c", ".h", ".md", ".py", ".sh", ".json", "Makefile"])
        let home = FileManager.default.homeDirectoryForCurrentUser.path
        for place in Set([Fixture.repository, home]) where place.count > 1 {
            let naming = try Self.places(in: files, mentioning: [place + "/"]) { $0.contains(place + "/") }
            #expect(naming == [], "\(place)")
        }
    }
}
