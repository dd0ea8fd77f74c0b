import Foundation
import TestSupport
import Testing

/// What `/proc` shows of a command while it runs, looked at whenever it tells its progress.
struct ObservedRun {
    var status: Int32 = 0
    var mostThreads = 0
    /// The processor time of each thread, in clock ticks, when last looked at.
    var ticks: [Int] = []
    /// The most memory that it ever held, in bytes.
    var peakMemory = 0

    init(_ arguments: [String]) throws {
        let child = try ChildProcess(Fixture.program, arguments + ["--progress", "json"], pipingErrors: true)
        let process = "/proc/\(child.identifier)"
        while let said = child.errors?.availableData, !said.isEmpty {
            let threads = (try? contents(ofFolder: "\(process)/task")) ?? []
            let seen = threads.compactMap { Self.processorTicks("\(process)/task/\($0)/stat") }
            mostThreads = max(mostThreads, threads.count)
            if seen.reduce(0, +) >= ticks.reduce(0, +) { ticks = seen }
            peakMemory = max(peakMemory, Self.peakMemory("\(process)/status"))
        }
        status = try child.wait().status
    }

    /// User and system time. Source: proc(5).
    private static func processorTicks(_ path: String) -> Int? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8), let name = text.lastIndex(of: ")") else {
            return nil
        }
        let fields = text[name...].split(separator: " ")
        guard fields.count > 13, let user = Int(fields[12]), let system = Int(fields[13]) else { return nil }
        return user + system
    }

    private static func peakMemory(_ path: String) -> Int {
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
    }
}

@Suite("The number of threads")
struct ThreadTests {
    private static let talk = Fixture.media("talk.mp4")

    enum Job: String, CaseIterable, Sendable {
        case proxy, render, analyze

        func arguments(_ folder: String) throws -> [String] {
            switch self {
            case .proxy: return ["proxy", talk, "--output", "\(folder)/proxy"]
            case .analyze: return ["analyze", talk]
            case .render:
                let edit = try writeEdit(folder, source: talk, range: #","end_ms":8000"#, output: "{}")
                return ["render", edit, "--output", "\(folder)/out.mp4"]
            }
        }
    }

    @Test("1 means that one thread does all the work", arguments: Job.allCases)
    func oneThread(job: Job) throws {
        try withTemporaryFolder { folder in
            let arguments = try job.arguments(folder) + ["--threads", "1"]
            var run = try ObservedRun(arguments)
            // Who waits for a processor of its own may come to look when all is over.
            for _ in 0..<4 where run.ticks.reduce(0, +) <= 5 { run = try ObservedRun(arguments) }
            #expect(run.status == 0)
            let all = run.ticks.reduce(0, +)
            try #require(all > 5)
            // The first one starts the program; the others wait for signals and for each other.
            let others = all - run.ticks.sorted().suffix(2).reduce(0, +)
            #expect(others <= max(5, all / 10), "\(run.ticks)")
            #expect(run.mostThreads <= 8)
        }
    }

    @Test("1 uses one processor at most", arguments: Job.allCases)
    func processorTime(job: Job) throws {
        try withTemporaryFolder { folder in
            let timed = try Command.run(
                "bash",
                ["-c", #"TIMEFORMAT="%R %U %S"; time "$@" > /dev/null"#, "bash", Fixture.program]
                    + job.arguments(folder) + ["--threads", "1"])
            #expect(timed.status == 0)
            let seconds = timed.errors.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
            try #require(seconds.count == 3, "\(timed.errors)")
            #expect(seconds[1] + seconds[2] <= 1.1 * seconds[0] + 0.02, "\(seconds)")
        }
    }

    @Test("2 means that a few threads do all the work", arguments: [Job.proxy, .render])
    func twoThreads(job: Job) throws {
        try withTemporaryFolder { folder in
            let run = try ObservedRun(try job.arguments(folder) + ["--threads", "2"])
            let all = run.ticks.reduce(0, +)
            // Four encode, since they wait for each other; one hands them pictures and looks ahead, with two more to
            // help it; one decodes.
            let others = all - run.ticks.sorted().suffix(8).reduce(0, +)
            #expect(run.status == 0 && all > 5)
            #expect(others <= max(3, all / 20), "\(run.ticks)")
        }
    }

    @Test(
        "gives the same bytes however often",
        arguments: [Job.proxy, .render], [1, 2])
    func deterministic(job: Job, threads: Int) throws {
        let outputs = try (0..<(Thoroughness.isFull ? 3 : 2)).map { _ in
            try withTemporaryFolder { folder in
                let result = try Command.run(
                    Fixture.program, try job.arguments(folder) + ["--threads", "\(threads)"])
                try #require(result.status == 0)
                guard job == .proxy else { return ["out.mp4": try bytes(ofFile: "\(folder)/out.mp4")] }
                let names = try contents(ofFolder: "\(folder)/proxy")
                return try Dictionary(
                    uniqueKeysWithValues: names.map { ($0, try bytes(ofFile: "\(folder)/proxy/\($0)")) })
            }
        }
        for output in outputs.dropFirst() {
            #expect(output.keys == outputs[0].keys)
            let changed = output.keys.filter { output[$0] != outputs[0][$0] }
            #expect(changed == [])
        }
    }

    @Test("and memory do not grow with the length of a render")
    func memory() throws {
        func peak(ranges: Int) throws -> Int {
            try withTemporaryFolder { folder in
                let timeline = [String](repeating: #"{"source":"a"}"#, count: ranges).joined(separator: ",")
                let source = #"{"id":"a","uri":"\#(Fixture.media("bframes_closed.mp4"))"}"#
                try write(
                    #"{"sources":[\#(source)],"timeline":[\#(timeline)],"output":{"video":{"preset":"ultrafast"}}}"#,
                    to: "\(folder)/edit.json")
                let run = try ObservedRun(
                    ["render", "\(folder)/edit.json", "--output", "\(folder)/out.mp4", "--threads", "1"])
                try #require(run.status == 0)
                return run.peakMemory
            }
        }
        // Threads that wait for a processor leave more frames between them: what grows, grows each time.
        var growths: [Int] = []
        repeat {
            let short = try peak(ranges: 10)
            growths.append(try peak(ranges: 50) - short)
            // Two minutes more; a megabyte a minute is allowed, and as much again for chance.
        } while growths.last ?? 0 > 4 << 20 && growths.count < 3
        #expect(growths.last ?? 0 <= 4 << 20, "\(growths) bytes")
    }
}
