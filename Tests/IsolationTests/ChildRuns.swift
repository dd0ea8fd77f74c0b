import CodecHost
import Engine
import Foundation
import Isolation
import LocalFiles
import Model
import Synchronization
import TestSupport

/// Programs that the build puts beside the test bundle.
enum Programs {
    static func path(_ name: String) -> String {
        URL(fileURLWithPath: Fixture.program).deletingLastPathComponent().path + "/\(name)"
    }

    static let codec = path("reelpool-codec")
    static let hostile = path("isolation-test-child")
}

/// Local files for a child: sources by their paths, outputs in memory.
final class TestFiles: ChildFiles {
    private let paths: [String]
    private let streams: Bool
    private let outputs = Mutex<[String: MemoryFile]>([:])
    private let streamed = Mutex<[String: StreamedSink]>([:])
    let interruptions = Mutex(0)

    /// - Parameter streams: outputs are as good as gone once they are written, as in a store.
    init(_ paths: [String], streams: Bool = false) { (self.paths, self.streams) = (paths, streams) }

    func openSource(_ index: Int) throws -> any ByteSource { try LocalFile(path: paths[index]) }

    func makeOutput(_ name: String, headBytes: Int64) throws -> any RereadableSink {
        if streams {
            let sink = StreamedSink(headBytes: headBytes)
            streamed.withLock { $0[name] = sink }
            return sink
        }
        let file = MemoryFile()
        outputs.withLock { $0[name] = file }
        return file
    }

    func interrupt() { interruptions.withLock { $0 += 1 } }

    func output(_ name: String) -> [UInt8]? {
        outputs.withLock { $0[name] }?.bytes ?? streamed.withLock { $0[name] }?.bytes
    }
    /// How much of an output was out of reach in the end.
    func goneBytes(_ name: String) -> Int { streamed.withLock { $0[name] }?.goneBytes ?? 0 }
    var outputNames: [String] { outputs.withLock { $0.keys.sorted() } }
}

/// SAFETY: used by the job's thread until the job has ended, and by the test after that.
final class MemoryFile: RereadableSink, @unchecked Sendable {
    private(set) var bytes: [UInt8] = []

    var sizeBytes: Int64? { Int64(bytes.count) }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        guard offset < Int64(bytes.count) else { return 0 }
        let part = bytes[Int(offset)...].prefix(buffer.count)
        buffer.copyBytes(from: part)
        return part.count
    }

    func write(_ new: UnsafeRawBufferPointer, at offset: Int64) throws {
        let end = Int(offset) + new.count
        if end > bytes.count { bytes += [UInt8](repeating: 0, count: end - bytes.count) }
        bytes.withUnsafeMutableBytes { $0[Int(offset)..<end].copyBytes(from: new) }
    }
}

extension CodecTask {
    static func local(_ kind: Kind, _ paths: [String], outputs: [String] = [], threads: Int = 1) throws -> CodecTask {
        let sources = try paths.map { path in
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            return Source(name: path, sizeBytes: (attributes[.size] as? NSNumber)?.int64Value)
        }
        return CodecTask(kind: kind, sources: sources, outputs: outputs, threads: threads)
    }
}

extension ChildJob {
    /// With room and time enough for any fixture on a busy machine.
    static func roomy(_ task: CodecTask) -> ChildJob {
        ChildJob(
            task: task,
            limits: Limits(
                memoryBytes: 4 << 30, wallSeconds: 200, stallSeconds: 100, outputBytes: 1 << 30,
                sources: task.sources),
            requiresSandbox: true)
    }
}

/// One template for the suites that do not break theirs.
let sharedTemplate = CodecTemplate(.init(program: Programs.codec))
