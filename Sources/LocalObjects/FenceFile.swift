internal import FoundationEssentials
internal import Glibc
internal import LocalFiles
internal import Model
internal import WorkerCore

/// Which attempt of a job may make its outputs visible, on disk beside them: the local form of a fence.
///
/// Whoever changes it or acts upon it holds its lock. It is written before outputs get their names and says which files
/// they are, so that what a killed worker left can be told from what came later.
struct FenceFile {
    struct Output: Codable, Equatable {
        var path: String
        var identity: FileIdentity
    }

    struct Content: Codable, Equatable {
        var job: JobID
        var epoch: Int64
        /// About to get their names, or with them.
        var outputs: [Output] = []
    }

    /// As long as a stopped process may hold up another attempt.
    private static let patienceMilliseconds = 10_000

    let path: String

    /// Runs `body` with the content, under the lock; what it leaves is written. Without a file, `nil` comes in; leaving
    /// `nil` removes it.
    func change<Value>(create: Bool, _ body: (inout Content?) throws -> Value) throws -> Value? {
        let descriptor = open(path, create ? O_RDWR | O_CREAT | O_CLOEXEC : O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            if errno == ENOENT, !create { return nil }
            throw failure("cannot be opened", errno)
        }
        defer { close(descriptor) }
        try lock(descriptor)
        // Removed by its last holder while we waited: whoever made a new one is under another lock.
        guard FileIdentity(path: path) == identity(descriptor) else {
            return create ? try change(create: true, body) : nil
        }
        var content = try read(descriptor)
        let before = content
        let value = try body(&content)
        if content == nil {
            unlink(path)
        } else if content != before {
            try write(content, descriptor)
        }
        return value
    }

    private func lock(_ descriptor: Int32) throws {
        for _ in 0..<Self.patienceMilliseconds / 10 {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return }
            guard errno == EWOULDBLOCK || errno == EINTR else { throw failure("cannot be locked", errno) }
            usleep(10_000)
        }
        throw Failure(code: .outputNotWritable, message: "another attempt of the job holds its outputs")
    }

    private func identity(_ descriptor: Int32) -> FileIdentity? {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? FileIdentity(status) : nil
    }

    private func read(_ descriptor: Int32) throws -> Content? {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count >= 0 else { throw failure("cannot be read", errno) }
        // Empty when it is new, or when its writer was killed at that moment.
        return try? JSONDecoder().decode(Content.self, from: Data(bytes[..<count]))
    }

    private func write(_ content: Content?, _ descriptor: Int32) throws {
        let bytes = Array(try JSONEncoder().encode(content))
        guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, bytes, bytes.count, 0) == bytes.count else {
            throw failure("cannot be written", errno)
        }
    }

    private func failure(_ what: String, _ reason: Int32) -> Failure {
        Failure(
            code: reason == ENOSPC || reason == EDQUOT ? .diskFull : .outputNotWritable,
            message: "the output's fence \(what)", detail: "\(path): \(String(cString: strerror(reason)))")
    }
}
