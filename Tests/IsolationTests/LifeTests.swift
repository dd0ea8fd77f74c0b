import CodecHost
import Dispatch
import Foundation
import Glibc
import Isolation
import Model
import Synchronization
import TestSupport
import Testing

/// Births and deaths of processes. Serial: what this process has open and whom it has begotten is counted.
@Suite("A child's life", .serialized)
struct LifeTests {
    /// A render that would take minutes.
    private static func longJob(_ codec: String = "h264", threads: Int = 2) throws -> ChildJob {
        let path = Fixture.media("long_gop.mp4")
        let ranges = [String](repeating: #"{"source":"a"}"#, count: 200).joined(separator: ",")
        let text = #"""
            {"sources":[{"id":"a","uri":"\#(path)"}],"timeline":[\#(ranges)],
             "output":{"video":{"codec":"\#(codec)","preset":"veryslow","crf":30}}}
            """#
        var task = try CodecTask.local(.render, [path], outputs: ["film.mp4"], threads: threads)
        task.edit = try EditDocument(json: Data(text.utf8))
        task.mode = .full
        return .roomy(task)
    }

    private static let longPath = Fixture.media("long_gop.mp4")

    /// Runs a long job, and `act` once it encodes.
    private static func interrupt(
        _ template: CodecTemplate, _ job: ChildJob, act: @escaping @Sendable (CodecChild) -> Void
    ) async throws -> ChildEnding {
        let child = try template.fork()
        let once = Mutex(false)
        return await child.run(job, files: TestFiles([longPath])) { event in
            guard event.phase == .encoding, event.frames > 0 else { return }
            let isFirst = once.withLock { done in
                defer { done = true }
                return !done
            }
            if isFirst { act(child) }
        }
    }

    @Test("ends within a second of being cancelled", arguments: ["h264", "hevc", "vp9", "av1"])
    func cancel(codec: String) async throws {
        let taken = Mutex(Duration.zero)
        let ending = try await Self.interrupt(sharedTemplate, try Self.longJob(codec)) { child in
            let (clock, process) = (ContinuousClock(), child.processIdentifier)
            let moment = clock.now
            child.kill(.cancelled)
            while !Self.isGone(process), clock.now - moment < .seconds(30) { poll(nil, 0, 1) }
            taken.withLock { $0 = clock.now - moment }
        }
        #expect(ending.outcome == .killed(.cancelled))
        #expect(taken.withLock { $0 } < .seconds(1))
    }

    @Test("counts the first reason for being killed", arguments: [KillReason.drained, .leaseLost])
    func firstReason(reason: KillReason) async throws {
        let ending = try await Self.interrupt(sharedTemplate, try Self.longJob()) { child in
            child.kill(reason)
            child.kill(.cancelled)
        }
        #expect(ending.outcome == .killed(reason))
    }

    @Test("ends at once when it was killed before it began")
    func killedBefore() async throws {
        let child = try sharedTemplate.fork()
        child.kill(.cancelled)
        #expect(await child.run(try Self.longJob(), files: TestFiles([Self.longPath])).outcome == .killed(.cancelled))
    }

    @Test("is limited in time, memory and output", arguments: ["wall", "memory", "output"])
    func limits(what: String) async throws {
        var job = try Self.longJob()
        if what == "wall" { job.limits.wallSeconds = 0.5 }
        if what == "memory" { job.limits.memoryBytes = 40 << 20 }
        if what == "output" { job.limits.outputBytes = 20_000 }
        let ending = try await sharedTemplate.fork().run(job, files: TestFiles([Self.longPath]))
        #expect(
            ending.outcome
                == .killed(["wall": KillReason.wallTime, "memory": .memory, "output": .outputSize][what] ?? .stall))
    }

    @Test("is ended by the kernel when its CPU time is over and nobody else ends it")
    func cpuTime() async throws {
        let child = try Attacker.template.fork(cpuSeconds: 1)
        let ending = await child.run(try Attacker.job("spin"), files: AttackerFiles())
        // At the soft limit SIGXCPU, which kills; both limits are one.
        #expect([.crashed(signal: SIGXCPU), .crashed(signal: SIGKILL)].contains(ending.outcome))
    }

    @Test("may wait for bytes longer than it may do nothing")
    func slowSource() async throws {
        var job = ChildJob.roomy(try .local(.probe, [Fixture.media("pal25.mp4")]))
        job.limits.stallSeconds = 0.4
        let files = SlowFiles(Fixture.media("pal25.mp4"), milliseconds: 1200)
        let ending = try await sharedTemplate.fork().run(job, files: files)
        #expect(ending.outcome.failure == nil)
        #expect(ending.metrics.wallSeconds > 1.2)
    }

    @Test("that is killed while it waits for bytes lets the source know")
    func interrupted() async throws {
        let files = StuckFiles()
        let child = try sharedTemplate.fork()
        DispatchQueue.global().async {
            files.entered.wait()
            child.kill(.cancelled)
        }
        let ending = await child.run(.roomy(try .local(.probe, [Fixture.media("pal25.mp4")])), files: files)
        #expect(ending.outcome == .killed(.cancelled))
    }

    @Test("is spent behind every wall there is")
    func walls() async throws {
        let files = StuckFiles()
        let child = try sharedTemplate.fork()
        let seen = Mutex<[String: String]>([:])
        DispatchQueue.global().async {
            files.entered.wait()
            let folder = "/proc/\(child.processIdentifier)"
            var facts: [String: String] = [:]
            for line in ((try? String(contentsOfFile: "\(folder)/status", encoding: .utf8)) ?? "").split(
                separator: "\n")
            {
                let parts = line.split(separator: ":", maxSplits: 1)
                if parts.count == 2 { facts[String(parts[0])] = parts[1].trimmingCharacters(in: .whitespaces) }
            }
            let text = (try? String(contentsOfFile: "\(folder)/oom_score_adj", encoding: .utf8)) ?? ""
            facts["oom"] = text.trimmingCharacters(in: .whitespacesAndNewlines)
            facts["group"] = "\(getpgid(child.processIdentifier))"
            let links = ((try? contents(ofFolder: "\(folder)/fd")) ?? []).sorted().map { name in
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/fd/\(name)")) ?? "?"
            }
            facts["fd"] = links.map { $0.hasPrefix("socket:") ? "socket" : $0 }.joined(separator: " ")
            facts["environ"] = (try? bytes(ofFile: "\(folder)/environ")).map { "\($0.count)" } ?? "unreadable"
            seen.withLock { $0 = facts }
            child.kill(.cancelled)
        }
        _ = await child.run(.roomy(try .local(.probe, [Fixture.media("pal25.mp4")])), files: files)
        let facts = seen.withLock { $0 }
        #expect(facts["Seccomp"] == "2" && facts["NoNewPrivs"] == "1")
        #expect(facts["PPid"] == "\(getpid())")
        #expect(facts["CapEff"] == "0000000000000000" && facts["CapPrm"] == "0000000000000000")
        #expect(facts["oom"] == "1000")
        #expect(facts["group"] == "\(child.processIdentifier)")
        // Not the test's own user, if that is root; then /proc shows the rest, too.
        #expect(geteuid() != 0 || facts["Uid"]?.split(separator: "\t").allSatisfy { $0 == "65534" } == true)
        if geteuid() == 0 {
            #expect(facts["fd"] == "/dev/null /dev/null /dev/null socket")
            #expect(facts["environ"] == "0")
        }
    }

    @Test("is not harmed by its template's death, and another template takes over")
    func templateDies() async throws {
        let template = CodecTemplate(.init(program: Programs.codec))
        defer { template.stop() }
        try template.start()
        let first = try #require(template.processIdentifier)
        let path = Fixture.media("talk.mp4")
        let killed = Mutex(false)
        let ending = try await template.fork().run(
            .roomy(try .local(.analysis, [path])), files: TestFiles([path])
        ) { _ in
            let isFirst = killed.withLock { done in
                defer { done = true }
                return !done
            }
            if isFirst { kill(first, SIGKILL) }
        }
        #expect(ending.outcome.failure == nil)
        #expect(killed.withLock { $0 })
        #expect(try template.inspectSandbox().isComplete)
        #expect(template.processIdentifier != first)
    }

    @Test("comes from a new template now and then")
    func renewal() async throws {
        var settings = CodecTemplate.Settings(program: Programs.codec)
        settings.forksPerTemplate = 4
        let template = CodecTemplate(settings)
        defer { template.stop() }
        var templates: Set<Int32> = []
        for _ in 0..<12 {
            #expect(try template.inspectSandbox().isComplete)
            templates.insert(try #require(template.processIdentifier))
        }
        #expect(templates.count == 3)
    }

    @Test("cannot begin when the program is not there")
    func noProgram() throws {
        let template = CodecTemplate(.init(program: "/nowhere/reelpool-codec"))
        #expect(failure { _ = try template.fork() }?.code == .sandboxUnavailable)
    }

    @Test("cannot begin when the program is another one")
    func otherProgram() throws {
        let template = CodecTemplate(.init(program: "/bin/true"))
        #expect(failure { _ = try template.fork() }?.code == .sandboxUnavailable)
    }

    @Test("begins although its template was killed while it loaded")
    func killedWhileLoading() throws {
        try withTemporaryFolder { folder in
            let script = """
                #!/bin/sh
                [ -e \(folder)/tried ] || { : > \(folder)/tried; kill -9 $$; }
                exec \(Programs.codec) "$@"

                """
            try Data(script.utf8).write(to: URL(fileURLWithPath: "\(folder)/codec"))
            try #require(chmod("\(folder)/codec", 0o755) == 0)
            let template = CodecTemplate(.init(program: "\(folder)/codec"))
            defer { template.stop() }
            #expect(try template.inspectSandbox().isComplete)
            #expect(FileManager.default.fileExists(atPath: "\(folder)/tried"))
        }
    }

    @Test("does not begin unprotected when that is asked for")
    func unprotected() async throws {
        var settings = CodecTemplate.Settings(program: Programs.hostile)
        settings.environment = ["REELPOOL_TEST_WEAK=1"]
        let template = CodecTemplate(settings)
        defer { template.stop() }
        #expect(try template.inspectSandbox().missing == SandboxReport.Measure.allCases)
        let ending = try await template.fork().run(try Attacker.job("sleep"), files: AttackerFiles())
        #expect(ending.outcome.failure?.code == .sandboxUnavailable)
    }

    @Test("that ends by kill -9 at any moment leaves no process and no descriptor", arguments: [0xC0FFEE, 0xBEEF])
    func randomKills(seed: Int) async throws {
        // One round first: threads and libraries open what stays open.
        let template = CodecTemplate(.init(program: Programs.codec))
        try template.start()
        var processes: Set<Int32> = []
        func round(_ random: inout SeededRandom) async throws {
            let child = try template.fork()
            let process = child.processIdentifier
            processes.insert(process)
            let wait = Int.random(in: 0..<40, using: &random)
            DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(wait)) {
                // Reaped already or not: the id is its own until then, and 40 ms later not yet a stranger's.
                kill(process, SIGKILL)
            }
            let ending = await child.run(try Self.longJob(), files: TestFiles([Self.longPath]))
            #expect(ending.outcome == .crashed(signal: SIGKILL), "seed \(seed), after \(wait) ms")
        }
        var random = SeededRandom(seed: UInt64(seed))
        try await round(&random)
        let before = OwnProcess.openDescriptors
        for _ in 0..<25 { try await round(&random) }
        let isClean = await OwnProcess.wait { OwnProcess.openDescriptors <= before }
        #expect(isClean, "\(OwnProcess.openDescriptors) descriptors after \(before)")
        // Other tests have children of that name.
        #expect(processes.isDisjoint(with: OwnProcess.children(named: "reelpool-job")))
        template.stop()
    }

    @Test("ends with its daemon, however that ends")
    func daemonDies() async throws {
        let daemon = try ChildProcess(Programs.hostile, ["daemon", Programs.hostile])
        var processes: [Int32] = []
        while processes.count < 3 {
            let line = try #require(daemon.readLine(), "the daemon ended early")
            processes.append(try #require(Int32(line)))
        }
        let living = processes
        #expect(living.allSatisfy { kill($0, 0) == 0 })
        kill(daemon.identifier, SIGKILL)
        let clock = ContinuousClock()
        let moment = clock.now
        let areGone = await OwnProcess.wait { living.allSatisfy { Self.isGone($0) } }
        #expect(areGone)
        #expect(clock.now - moment < .seconds(1))
        _ = try daemon.wait()
    }

    /// Dead, even if nobody has buried it: that is init's business.
    private static func isGone(_ process: Int32) -> Bool {
        ProcessEntry(process)?.isDead ?? true
    }
}

struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    /// SplitMix64. Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

final class Recorded<Value: Sendable>: Sendable {
    private let values = Mutex<[Value]>([])
    func add(_ value: Value) { values.withLock { $0.append(value) } }
    var all: [Value] { values.withLock { $0 } }
}

/// A source that takes its time over the first read.
final class SlowFiles: ChildFiles {
    private final class Slow: ByteSource {
        let file: any ByteSource
        var milliseconds: Int32
        init(_ file: any ByteSource, _ milliseconds: Int32) { (self.file, self.milliseconds) = (file, milliseconds) }
        var sizeBytes: Int64? { file.sizeBytes }
        func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
            poll(nil, 0, milliseconds)
            milliseconds = 0
            return try file.read(into: buffer, at: offset)
        }
    }

    private let files: TestFiles
    private let milliseconds: Int32
    init(_ path: String, milliseconds: Int32) { (files, self.milliseconds) = (TestFiles([path]), milliseconds) }

    func openSource(_ index: Int) throws -> any ByteSource { Slow(try files.openSource(index), milliseconds) }
    func makeOutput(_ name: String, headBytes: Int64) throws -> any RereadableSink {
        try files.makeOutput(name, headBytes: headBytes)
    }
    func interrupt() {}
}

/// A source that gives nothing until it is interrupted.
final class StuckFiles: ChildFiles {
    let entered = DispatchSemaphore(value: 0)
    private let released = DispatchSemaphore(value: 0)

    func openSource(_ index: Int) throws -> any ByteSource {
        entered.signal()
        released.wait()
        throw Failure(code: .readFailed, message: "interrupted")
    }

    func makeOutput(_ name: String, headBytes: Int64) throws -> any RereadableSink {
        throw Failure(code: .outputNotWritable, message: "there are no outputs")
    }

    func interrupt() { released.signal() }
}
