import PoolConfig
import Testing
import WorkerCore

@Suite("A daemon's settings")
struct PoolSettingsTests {
    private static let machine = MachineLimits(memoryBytes: 32 << 30, hostName: "box-7")

    private static func load(_ environment: [String: String], overrides: [String: String] = [:]) throws -> PoolSettings
    {
        try PoolSettings.load(overrides: overrides, environment: environment, machine: machine)
    }

    private static func problems(_ environment: [String: String]) -> [String] {
        do {
            _ = try PoolSettings.load(environment: environment, machine: machine)
            return []
        } catch {
            return error.lines
        }
    }

    @Test("are all optional: one machine, no servers")
    func standards() throws {
        let settings = try Self.load(["PATH": "/bin", "HOME": "/root"])
        #expect(settings.database == .sqlite(path: "reelpool.db"))
        #expect(settings.name == "box-7" && settings.slots == 1 && settings.arrivals == nil)
        #expect(settings.caps[.render]?.memoryBytes == 6 << 30 && settings.caps[.render]?.threads == 4)
        #expect(settings.caps[.proxy]?.sourceSeconds == 90 * 60)
        #expect(settings.secondsPerChunk == 30)
    }

    @Test("take the names that compose files have")
    func names() throws {
        let settings = try Self.load([
            "RENDER_MEMORY": "4g", "RENDER_CPUS": "2.5", "RENDER_FFMPEG_THREADS": "2", "PROXY_MEMORY": "700m",
            "PROXY_FFMPEG_THREADS": "3", "MAX_VIDEO_DURATION_MINUTES": "45", "REELPOOL_KINDS": "render, proxy",
            "REELPOOL_SLOTS": "3",
        ])
        #expect(settings.kinds == [.render, .proxy] && settings.slots == 3)
        #expect(settings.caps[.render]?.memoryBytes == 4 << 30 && settings.caps[.render]?.threads == 2)
        #expect(settings.caps[.proxy]?.memoryBytes == 700 << 20)
        #expect(settings.caps[.render]?.sourceSeconds == 45 * 60)
    }

    @Test("of downloads are bounds of time and size, and not of a process")
    func downloads() throws {
        let standard = try Self.load([:])
        #expect(standard.kinds.contains(.download) && standard.sourceHosts == [])
        #expect(standard.caps[.download]?.outputBytes == 10 << 30 && standard.caps[.download]?.threads == 1)
        let settings = try Self.load([
            "MAX_VIDEO_SIZE_GB": "3", "DOWNLOAD_TIMEOUT_MINUTES": "5", "DOWNLOAD_STALL_SECONDS": "7",
            "REELPOOL_SOURCE_HOSTS": "media.internal, 10.0.0.0/8",
        ])
        #expect(settings.caps[.download]?.outputBytes == 3 << 30)
        #expect(settings.caps[.download]?.wallSeconds == 300 && settings.caps[.download]?.stallSeconds == 7)
        #expect(settings.sourceHosts == ["media.internal", "10.0.0.0/8"])
        #expect(try Self.load(["DOWNLOAD_MAX_OUTPUT": "20g"]).caps[.download]?.outputBytes == 20 << 30)
        #expect(Self.problems(["DOWNLOAD_FFMPEG_THREADS": "2", "DOWNLOAD_MAX_OUTPUT": "all"]).count == 2)
    }

    private static let store = [
        "REELPOOL_S3_ENDPOINT": "https://store.example", "REELPOOL_S3_ACCESS_KEY": "AKIA7",
        "REELPOOL_S3_SECRET_KEY": "wJalrXUtnFEMI", "REELPOOL_S3_BUCKET_RAW": "my-raw",
    ]

    @Test("of an object store say what tasks may name, by default what the neighbouring back ends do")
    func objectStore() throws {
        #expect(try Self.load([:]).objectStore == nil && Self.load([:]).allowsURLs)
        let standard = try #require(try Self.load(Self.store).objectStore)
        #expect(standard.region == "auto" && standard.style == .path && standard.buckets == ["raw": "my-raw"])
        #expect(standard.readable == ["{raw}/clips", "{raw}/uploads/{owner}"])
        #expect(standard.writable == ["{raw}/clips"] && standard.browserOrigins == [])
        let more = Self.store.merging([
            "REELPOOL_S3_STYLE": "virtual", "REELPOOL_S3_READ_ALLOW": "{raw}/u/{owner}, other",
            "REELPOOL_S3_WRITE_ALLOW": "out/{owner}", "REELPOOL_S3_SESSION_TOKEN": "t",
            "REELPOOL_S3_REGION": "us-east-1",
            "REELPOOL_ALLOW_URLS": "no", "REELPOOL_SOURCE_HOSTS": "media.internal, 10.0.0.0/8",
        ]) { $1 }
        let settings = try Self.load(more)
        let given = try #require(settings.objectStore)
        #expect(given.style == .virtual && given.region == "us-east-1" && given.sessionToken == "t")
        #expect(given.readable == ["{raw}/u/{owner}", "other"] && given.writable == ["out/{owner}"])
        #expect(!settings.allowsURLs && settings.sourceHosts == ["media.internal", "10.0.0.0/8"])
    }

    @Test(
        "of an object store that cannot be right are refused, without a secret in the words",
        arguments: [
            ["REELPOOL_S3_SECRET_KEY": ""], ["REELPOOL_S3_ACCESS_KEY": ""], ["REELPOOL_S3_ENDPOINT": ""],
            ["REELPOOL_S3_ENDPOINT": "store.example"], ["REELPOOL_S3_ENDPOINT": "https://u:hunter2@store.example"],
            ["REELPOOL_S3_SECRET_KEY": "minioadmin"], ["REELPOOL_S3_SECRET_KEY": "hunter2"],
            ["REELPOOL_S3_SECRET_KEY": "aaaaaaaaaaaaaaaa"], ["REELPOOL_S3_STYLE": "dns"],
            ["REELPOOL_S3_BUCKET_RAW": ""], ["REELPOOL_S3_BUCKET_RAW": "a/b"],
            ["REELPOOL_S3_READ_ALLOW": "{exports}/x"], ["REELPOOL_S3_ENDPONT": "https://x"],
            ["REELPOOL_S3_BROWSER_ORIGINS": "app.example"], ["REELPOOL_S3_PUBLIC_ENDPOINT": "media.example"],
            ["REELPOOL_S3_BROWSER_ORIGINS": "https://app.example/"],
        ])
    func badStore(change: [String: String]) {
        let lines = Self.problems(Self.store.merging(change) { $1 })
        #expect(!lines.isEmpty)
        #expect(!lines.contains { $0.contains("hunter2") || $0.contains("minioadmin") })
    }

    @Test("of an object store alone are read without the rest, which may be wrong")
    func storeAlone() throws {
        let wrong = ["REELPOOL_SLOTS": "many", "REELPOOL_BROKER": "nowhere", "RENDER_MEMROY": "6g"]
        let store = try PoolSettings.loadObjectStore(
            overrides: ["REELPOOL_S3_BROWSER_ORIGINS": "https://app.example,http://localhost:3000"],
            environment: Self.store.merging(wrong) { $1 })
        #expect(store.buckets == ["raw": "my-raw"])
        #expect(store.browserOrigins == ["https://app.example", "http://localhost:3000"])
        for environment in [[:], ["REELPOOL_S3_BUCKET_RAW": "x"], Self.store.merging(["REELPOOL_S3_X": "1"]) { $1 }] {
            #expect(throws: ConfigurationProblems.self) {
                try PoolSettings.loadObjectStore(environment: environment)
            }
        }
    }

    @Test("on the command line go before those in the environment")
    func overrides() throws {
        let settings = try Self.load(["REELPOOL_SLOTS": "3"], overrides: ["REELPOOL_SLOTS": "2"])
        #expect(settings.slots == 2)
    }

    @Test("that are empty are as if they were not there")
    func empty() throws {
        let settings = try Self.load(["REELPOOL_BROKER": "", "REELPOOL_SLOTS": ""])
        #expect(settings.arrivals == nil && settings.slots == 1)
    }

    @Test("that are wrong are all told at once")
    func allProblems() {
        let lines = Self.problems([
            "REELPOOL_SLOTS": "many", "RENDER_MEMROY": "6g", "REELPOOL_BROKER": "amqp://guest:guest@mq",
            "REELPOOL_API_TOKEN": "secret", "REELPOOL_DATABASE": "mysql://x", "PROXY_MEMORY": "lots",
            "REELPOOL_KINDS": "render,cook",
        ])
        let names = [
            "RENDER_MEMROY", "REELPOOL_SLOTS", "REELPOOL_BROKER", "REELPOOL_API_TOKEN", "REELPOOL_DATABASE",
            "PROXY_MEMORY", "REELPOOL_KINDS",
        ]
        for name in names { #expect(lines.contains { $0.hasPrefix(name + " ") }, "\(name) in \(lines)") }
        #expect(lines.count == names.count, "\(lines)")
    }

    @Test("of a worker without a database are an address and a token, and nothing that could be lost")
    func control() throws {
        let token = "tg61-nv08-wr35-kz92"
        let settings = try Self.load(["REELPOOL_CONTROL": "https://control.example.org", "REELPOOL_EDGE_TOKEN": token])
        #expect(settings.control?.url == "https://control.example.org" && settings.control?.token == token)
        func names(_ changes: [String: String]) -> [String] {
            let base = ["REELPOOL_CONTROL": "https://control.example.org", "REELPOOL_EDGE_TOKEN": token]
            let lines = Self.problems(base.merging(changes) { $1 })
            #expect(!lines.contains { $0.contains(token) })
            return lines.compactMap { $0.split(separator: " ").first.map(String.init) }
        }
        #expect(names([:]) == [])
        for local in ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:80/x"] {
            #expect(names(["REELPOOL_CONTROL": local]) == [], "\(local)")
        }
        for open in [
            "http://control.example.org", "http://127.0.0.1.example.org", "http://localhost.example.org/", "x",
        ] {
            #expect(names(["REELPOOL_CONTROL": open]) == ["REELPOOL_CONTROL"], "\(open)")
        }
        #expect(names(["REELPOOL_EDGE_TOKEN": ""]) == ["REELPOOL_EDGE_TOKEN"])
        #expect(names(["REELPOOL_EDGE_TOKEN": "secret"]) == ["REELPOOL_EDGE_TOKEN"])
        #expect(names(["REELPOOL_API_TOKEN": token]) == ["REELPOOL_EDGE_TOKEN"], "one token for two doors")
        #expect(names(["REELPOOL_KINDS": "none"]) == ["REELPOOL_CONTROL"], "a service has a database")
        let others = [
            "REELPOOL_DATABASE": "sqlite:jobs.db", "REELPOOL_BROKER": "amqp://pool:a-good-password@mq/media",
            "REELPOOL_REDIS": "redis://cache",
        ]
        for (name, value) in others { #expect(names([name: value]) == [name]) }
        // Whatever belongs to the store's keys, alone or together.
        let keys = [
            "REELPOOL_S3_ENDPOINT": "https://s3.example.org", "REELPOOL_S3_ACCESS_KEY": "reelpool",
            "REELPOOL_S3_SECRET_KEY": "qk29-ff07-xm41", "REELPOOL_S3_SESSION_TOKEN": "t",
            "REELPOOL_S3_BUCKET_RAW": "raw", "REELPOOL_S3_READ_ALLOW": "raw",
        ]
        for (name, value) in keys { #expect(names([name: value]) == [name]) }
        #expect(Set(names(keys)) == Set(keys.keys) && names(keys).count == keys.count)
        #expect(Self.problems(["REELPOOL_S3_CA_FILE": "/ca.pem"]).count == 1, "of no use without a store")
        let trusting = try Self.load([
            "REELPOOL_CONTROL": "https://control.example.org", "REELPOOL_EDGE_TOKEN": token,
            "REELPOOL_S3_CA_FILE": "/ca.pem", "REELPOOL_CONTROL_CA": "/control.pem",
        ])
        #expect(trusting.control?.storeAuthorityFile == "/ca.pem" && trusting.control?.authorityFile == "/control.pem")
        #expect(trusting.objectStore == nil && trusting.service.edgeURLSeconds == 900)
    }

    @Test("never show a secret in what is wrong with it")
    func secretsStaySecret() {
        let lines = Self.problems([
            "REELPOOL_API_TOKEN": "hunter2", "REELPOOL_DATABASE": "postgres//u:hunter2@h/d",
            "REELPOOL_BROKER": "http://u:hunter2@h", "REELPOOL_REDIS": "http://:hunter2@h",
        ])
        #expect(lines.count == 4)
        #expect(!lines.contains { $0.contains("hunter2") })
    }

    @Test("whose slots cannot all use what they may are refused", arguments: [(4, "6g", true), (5, "6g", false)])
    func memory(slots: Int, cap: String, fits: Bool) {
        let lines = Self.problems([
            "REELPOOL_SLOTS": "\(slots)", "RENDER_MEMORY": cap, "REELPOOL_KINDS": "render", "REELPOOL_MEMORY": "26g",
        ])
        #expect(lines.isEmpty == fits, "\(lines)")
    }

    @Test("that are standard fit small machines")
    func smallMachine() throws {
        let settings = try PoolSettings.load(
            environment: ["REELPOOL_SLOTS": "2"], machine: MachineLimits(memoryBytes: 4 << 30, hostName: "small"))
        #expect(settings.caps[.render]?.memoryBytes == (2 << 30) - PoolSettings.overheadBytes)
    }

    @Test("of a broker need Redis where foreign clients read their results there")
    func resultsNeedRedis() {
        let broker = "amqp://pool:a-good-password@mq/media"
        #expect(Self.problems(["REELPOOL_BROKER": broker, "REELPOOL_QUEUES_TASKIQ": "taskiq"]).count == 1)
        #expect(
            Self.problems([
                "REELPOOL_BROKER": broker, "REELPOOL_QUEUES_TASKIQ": "taskiq", "REELPOOL_REDIS": "redis://cache",
            ]) == [])
    }

    @Test(
        "of sizes are read as Docker reads them",
        arguments: [
            ("6g", 6 << 30), ("512M", 512 << 20), ("1048576", 1 << 20), ("2GiB", 2 << 30), ("10k", 10 << 10),
        ])
    func byteCounts(text: String, bytes: Int64) { #expect(ByteCount.parse(text) == bytes) }

    @Test("of sizes that are none are refused", arguments: ["", "g", "6x", "-1g", "1.5g", "99999999999t"])
    func badByteCounts(text: String) { #expect(ByteCount.parse(text) == nil) }
}
