import CEscape
import CodecHost
import Foundation
import Isolation
import Model

/// A program for tests: a template whose children attack instead of working, and a daemon that is there to be killed.
///
/// The first source's name tells a child what to do: `mode` or `mode:argument`.
@main
enum IsolationTestChild {
    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        switch arguments.first {
        case "template": template()
        case "daemon" where arguments.count == 2: Daemon.run(program: arguments[1])
        default: exit(64)
        }
    }

    private static func template() -> Never {
        let isWeak = ProcessInfo.processInfo.environment["REELPOOL_TEST_WEAK"] != nil
        do {
            try TemplateLoop.announce()
            guard let child = try TemplateLoop.serve() else { exit(0) }
            try DedicatedThread.run { isWeak ? Lies(child.memory).tell("weak") : attack(child) }
        } catch {
            FileHandle.standardError.write(Data("\(error)\n".utf8))
        }
        endProcess(status: 70)
    }

    private static func attack(_ child: ForkedChild) -> Never {
        let memory = child.memory
        let link = ParentLink(child)
        guard let task = try? CodecTask(json: link.takeTask()), let name = task.sources.first?.name else {
            endProcess(status: 65)
        }
        let parts = name.split(separator: ":", maxSplits: 1).map(String.init)
        let (mode, argument) = (parts[0], parts.count > 1 ? parts[1] : "")
        switch mode {
        case "escape":
            let words = argument.split(separator: ":")
            let victim = words.count > 1 ? Int32(words[1]) ?? 0 : 0
            answer(link, escape_attempt(String(words[0]), victim))
        case "crash": escape_crash(argument)
        case "memory": answer(link, escape_fill_memory(Int64(argument) ?? 0))
        case "threads": answer(link, escape_fill_threads(Int32(argument) ?? 0))
        case "descriptors": answer(link, Int32(truncatingIfNeeded: escape_open_descriptors()))
        case "environment": answer(link, escape_environment_count())
        case "sleep": escape_sleep_for_ever()
        case "spin": while true {}
        case "copy": Copying.run(link, task, offset: Int64(argument) ?? 0)
        default: Lies(memory).tell(mode)
        }
        endProcess(status: 3)
    }

    /// A number as a failure's message: the one thing that a child may say freely.
    static func answer(_ link: ParentLink, _ number: Int32) -> Never {
        let failure = try? JSONEncoder().encode(Failure(code: .internalFault, message: "\(number)"))
        link.finish(Array(failure ?? Data()), succeeded: false)
    }
}

/// A daemon with two children, one that sleeps and one that never rests.
private enum Daemon {
    static func run(program: String) -> Never {
        let template = CodecTemplate(.init(program: program))
        do {
            for mode in ["sleep", "spin"] {
                let child = try template.fork()
                say(child.processIdentifier)
                let task = CodecTask(
                    kind: .probe, sources: [.init(name: mode, sizeBytes: 1)], threads: 1)
                let limits = ChildJob.Limits(
                    memoryBytes: 1 << 30, wallSeconds: 600, stallSeconds: 600, outputBytes: 0)
                Task.detached { await child.run(ChildJob(task: task, limits: limits), files: NoFiles()) }
            }
            say(template.processIdentifier ?? 0)
        } catch {
            exit(1)
        }
        // Until it is killed.
        while true { withExtendedLifetime(template) { _ = sleep(1000) } }
    }
}

private func say(_ process: Int32) { FileHandle.standardOutput.write(Data("\(process)\n".utf8)) }

private final class NoFiles: ChildFiles {
    func openSource(_ index: Int) throws -> any ByteSource { throw Failure(code: .fileNotFound, message: "none") }
    func makeOutput(_ name: String, headBytes: Int64) throws -> any RereadableSink {
        throw Failure(code: .outputNotWritable, message: "none")
    }
    func interrupt() {}
}

/// Reads a source in uneven steps and writes it to the output, once forwards and once with parts of it again.
private enum Copying {
    static func run(_ link: ParentLink, _ task: CodecTask, offset seed: Int64) -> Never {
        let source = ParentSource(link, index: 1, sizeBytes: task.sources[1].sizeBytes)
        let output = ParentOutput(link, index: 0, headBytes: 0)
        var random = UInt64(bitPattern: seed) | 1
        func next(_ bound: Int) -> Int {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(random >> 33) % max(1, bound)
        }
        let size = Int(source.sizeBytes ?? 0)
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        func copy(_ from: Int, _ count: Int) throws {
            let got = try buffer.withUnsafeMutableBytes { bytes in
                let part = UnsafeMutableRawBufferPointer(rebasing: bytes[..<count])
                let got = try source.read(into: part, at: Int64(from))
                try output.write(UnsafeRawBufferPointer(rebasing: part[..<got]), at: Int64(from))
                return got
            }
            guard got == min(count, max(0, size - from)) else { endProcess(status: 9) }
        }
        do {
            var position = 0
            while position < size {
                let count = 1 + next(next(4) == 0 ? 1 << 20 : 5000)
                try copy(position, count)
                position += count
            }
            // Here and there, and what was written is read back and written again.
            for _ in 0..<200 {
                let (from, count) = (next(size), 1 + next(100_000))
                try copy(from, count)
                let end = min(size, from + count)
                let got = try buffer.withUnsafeMutableBytes { bytes in
                    let part = UnsafeMutableRawBufferPointer(rebasing: bytes[..<(end - from)])
                    let got = try output.read(into: part, at: Int64(from))
                    try output.write(UnsafeRawBufferPointer(rebasing: part[..<got]), at: Int64(from))
                    return got
                }
                guard got == end - from else { endProcess(status: 10) }
            }
        } catch {
            endProcess(status: 11)
        }
        output.commit()
        IsolationTestChild.answer(link, 0)
    }
}
