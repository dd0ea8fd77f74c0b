internal import FoundationEssentials
internal import Glibc
internal import Isolation
internal import Model

/// A process that moves bytes for the sake of moving them, and tells how long it took as the message of a failure.
enum BenchChild {
    /// As libavformat reads and writes.
    private static let (readBytes, writeBytes) = (64 << 10, 256 << 10)

    static func serve() -> Never {
        do throws(IsolationError) {
            try TemplateLoop.announce()
            guard let child = try TemplateLoop.serve() else { exit(0) }
            try DedicatedThread.run { work(child) }
        } catch {
            _ = write(STDERR_FILENO, "isolation-bench: no child\n", 25)
        }
        endProcess(status: 70)
    }

    private static func work(_ child: ForkedChild) -> Never {
        let link = ParentLink(child)
        let message: String
        do {
            let task = try CodecTask(json: link.takeTask())
            message = try measure(link, task.sources[0])
        } catch {
            message = "\(error)"
        }
        let failure = try? JSONEncoder().encode(Failure(code: .internalFault, message: message))
        link.finish(Array(failure ?? Data()), succeeded: false)
    }

    private static func measure(_ link: ParentLink, _ task: CodecTask.Source) throws -> String {
        let size = task.sizeBytes ?? 0
        let source = ParentSource(link, index: 0, sizeBytes: size)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: writeBytes, alignment: 64)
        defer { buffer.deallocate() }
        buffer.initializeMemory(as: UInt8.self, repeating: 1)
        let started = now()
        var count: Int64 = 0
        switch task.name {
        case "write":
            let output = ParentOutput(link, index: 0, headBytes: 0)
            while count < size {
                try output.write(UnsafeRawBufferPointer(buffer), at: count)
                count += Int64(buffer.count)
            }
            // Read back, so that all has arrived.
            _ = try output.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<1]), at: 0)
        case "small":
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<4096])
            var place: Int64 = 1
            while count < 20_000 {
                place = (place &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407) & .max
                _ = try source.read(into: part, at: place % (size - 4096))
                count += 1
            }
        default:
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<readBytes])
            while count < size { count += Int64(try source.read(into: part, at: count)) }
        }
        return "\(count) \(now() - started)"
    }
}
