internal import CodecHost
internal import Dispatch
internal import FoundationEssentials
internal import Glibc
internal import Isolation
internal import Model
internal import Synchronization

enum IsolationBench {
    private struct Result: Encodable {
        var forkMs: Quantiles
        var sandboxMs: Quantiles
        /// From asking for a process until it is shut in and says so.
        var readyMs: Quantiles
        /// From asking for a process until its report is there and the process is gone.
        var probeMs: Quantiles
        var probesPerSecond: Double
        var probesAtATime: Int
        var templateStartMs: Double
        var readGigabytesPerSecond: Double
        var fileReadGigabytesPerSecond: Double
        var writeGigabytesPerSecond: Double
        var smallReadMicroseconds: Double
        var landlockABI: Int
        var sandboxComplete: Bool
    }

    static func run(codec: String, media: String, rounds: Int) -> Never {
        let done = DispatchSemaphore(value: 0)
        // WHY: a program of its own, whose main thread has nothing else to do than to wait.
        Task.detached {
            do {
                let result = try await measure(codec, media, rounds)
                let encoder = JSONEncoder()
                encoder.keyEncodingStrategy = .convertToSnakeCase
                encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
                print(String(decoding: try encoder.encode(result), as: UTF8.self))
            } catch {
                print("isolation-bench: \(error)")
                exit(70)
            }
            done.signal()
        }
        done.wait()
        exit(0)
    }

    private static func measure(_ codec: String, _ media: String, _ rounds: Int) async throws -> Result {
        var settings = CodecTemplate.Settings(program: codec)
        // Renewal is not what is measured.
        settings.forksPerTemplate = 100_000
        let template = CodecTemplate(settings)
        let before = now()
        try template.start()
        let started = now() - before
        var (forks, sandboxes, ready): ([Double], [Double], [Double]) = ([], [], [])
        var report = try template.inspectSandbox()
        for _ in 0..<rounds {
            let moment = now()
            let child = try template.fork()
            forks.append(child.forkSeconds)
            guard let greeting = child.greeting() else { throw BenchFailure("a child did not come up") }
            ready.append(now() - moment)
            sandboxes.append(greeting.seconds)
            report = greeting
        }
        let probes = try await probe(template, media, rounds)
        let atATime = max(2, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let rate = try await probesPerSecond(template, media, rounds, atATime: atATime)
        template.stop()
        let own = CodecTemplate(CodecTemplate.Settings(program: CommandLine.arguments[0]))
        defer { own.stop() }
        return Result(
            forkMs: Quantiles(milliseconds: forks), sandboxMs: Quantiles(milliseconds: sandboxes),
            readyMs: Quantiles(milliseconds: ready), probeMs: Quantiles(milliseconds: probes), probesPerSecond: rate,
            probesAtATime: atATime, templateStartMs: (started * 1e4).rounded() / 10,
            readGigabytesPerSecond: try await transfer(own, "read"),
            fileReadGigabytesPerSecond: try await transfer(own, "read-file"),
            writeGigabytesPerSecond: try await transfer(own, "write"),
            smallReadMicroseconds: try await smallRead(own), landlockABI: report.landlockABI,
            sandboxComplete: report.isComplete)
    }

    // MARK: Probes

    private static func job(_ kind: CodecTask.Kind, _ sources: [CodecTask.Source], outputs: [String] = []) -> ChildJob {
        let limits = ChildJob.Limits(
            memoryBytes: 2 << 30, wallSeconds: 300, stallSeconds: 300, outputBytes: 1 << 50, readBytes: 1 << 50)
        return ChildJob(
            task: CodecTask(kind: kind, sources: sources, outputs: outputs, threads: 1), limits: limits,
            requiresSandbox: true)
    }

    private static func probeOnce(_ template: CodecTemplate, _ media: String, _ size: Int64) async throws -> Double {
        let moment = now()
        let ending = try await template.fork().run(
            job(.probe, [.init(name: media, sizeBytes: size)]), files: BenchFiles(media))
        if let failure = ending.outcome.failure { throw failure }
        return now() - moment
    }

    private static func probe(_ template: CodecTemplate, _ media: String, _ rounds: Int) async throws -> [Double] {
        let size = try FileBytes(media).size
        _ = try await probeOnce(template, media, size)
        var times: [Double] = []
        for _ in 0..<rounds { times.append(try await probeOnce(template, media, size)) }
        return times
    }

    private static func probesPerSecond(
        _ template: CodecTemplate, _ media: String, _ rounds: Int, atATime: Int
    ) async throws -> Double {
        let size = try FileBytes(media).size
        let moment = now()
        try await withThrowingTaskGroup { group in
            for _ in 0..<atATime {
                group.addTask {
                    for _ in 0..<rounds { _ = try await probeOnce(template, media, size) }
                }
            }
            try await group.waitForAll()
        }
        return (Double(rounds * atATime) / (now() - moment) * 10).rounded() / 10
    }

    // MARK: Bytes

    /// Far more than any cache.
    private static let transferBytes: Int64 = 4 << 30

    private static func transfer(_ template: CodecTemplate, _ mode: String) async throws -> Double {
        let files = BenchFiles(mode == "read-file" ? try scratchFile() : nil)
        let size = mode == "read-file" ? Self.fileBytes : transferBytes
        let sources = [CodecTask.Source(name: mode, sizeBytes: size)]
        let ending = try await template.fork().run(job(.probe, sources, outputs: ["out"]), files: files)
        return (Double(try seconds(ending).bytes) / (try seconds(ending).seconds) / 1e7).rounded() / 100
    }

    private static func smallRead(_ template: CodecTemplate) async throws -> Double {
        let sources = [CodecTask.Source(name: "small", sizeBytes: transferBytes)]
        let ending = try await template.fork().run(job(.probe, sources), files: BenchFiles(nil))
        let result = try seconds(ending)
        return (result.seconds / Double(result.bytes) * 1e8).rounded() / 100
    }

    /// What a child of ours measured: how much, and how long it took.
    private static func seconds(_ ending: ChildEnding) throws -> (bytes: Int64, seconds: Double) {
        guard case .failed(let failure) = ending.outcome else { throw BenchFailure("\(ending.outcome)") }
        let words = failure.message.split(separator: " ")
        guard words.count == 2, let bytes = Int64(words[0]), let seconds = Double(words[1]), seconds > 0 else {
            throw failure
        }
        return (bytes, seconds)
    }

    private static let fileBytes: Int64 = 512 << 20

    /// A file in the page cache, without a name.
    private static func scratchFile() throws -> String {
        var path = Array("/tmp/isolation-bench-XXXXXX".utf8CString)
        let file = mkstemp(&path)
        unlink(path)
        guard file >= 0, ftruncate(file, off_t(fileBytes)) == 0 else { throw BenchFailure("no scratch file") }
        let block = [UInt8](repeating: 7, count: 1 << 20)
        for index in 0..<fileBytes >> 20 { pwrite(file, block, block.count, off_t(index << 20)) }
        return "/proc/self/fd/\(file)"
    }
}

struct BenchFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A file, or memory without end; outputs that take everything.
private final class BenchFiles: ChildFiles {
    private final class Memory: ByteSource {
        private let bytes = [UInt8](repeating: 5, count: 1 << 20)
        let sizeBytes: Int64? = nil

        func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
            bytes.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<buffer.count])) }
            return buffer.count
        }
    }

    private final class Nowhere: RereadableSink {
        let sizeBytes: Int64? = nil
        func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int { 0 }
        func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {}
    }

    private let path: String?
    init(_ path: String?) { self.path = path }

    func openSource(_ index: Int) throws -> any ByteSource { try path.map { try FileBytes($0) } ?? Memory() }
    func makeOutput(_ name: String, headBytes: Int64) throws -> any RereadableSink { Nowhere() }
    func interrupt() {}
}

private final class FileBytes: ByteSource {
    private let file: Int32
    let size: Int64
    var sizeBytes: Int64? { size }

    init(_ path: String) throws {
        file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw BenchFailure("\(path) cannot be read") }
        size = Int64(lseek(file, 0, Int32(SEEK_END)))
    }

    deinit { close(file) }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        pread(file, buffer.baseAddress, buffer.count, off_t(offset))
    }
}
