internal import Glibc
package import Model
internal import Synchronization

/// A file that gets its name only when it is complete.
///
/// It has no name at all while being written (`O_TMPFILE`), so that nothing is left behind even by `kill -9`.
/// Where the file system lacks that, it is a hidden file beside its destination, removed unless committed.
package final class StagedFile: RereadableSink {
    package let destination: String
    private let descriptor: Int32
    private var hiddenName: String?
    private var isCommitted = false

    package init(destination: String) throws(Failure) {
        self.destination = destination
        // Better now than after an hour's work.
        var status = stat()
        guard stat(destination, &status) != 0 || status.st_mode & S_IFMT != S_IFDIR else {
            throw Failure(code: .outputNotWritable, message: "\(destination) is a folder")
        }
        let folder = Self.folder(of: destination)
        let nameless = open(folder, namelessFileFlag | O_RDWR | O_CLOEXEC, 0o644)
        if nameless >= 0 {
            descriptor = nameless
            return
        }
        guard errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL else {
            throw Self.failure("writing into \(folder) is not possible", errno)
        }
        let hidden = Self.temporaryName(beside: destination)
        descriptor = open(hidden, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Self.failure("writing into \(folder) is not possible", errno) }
        hiddenName = hidden
        StagedFiles.shared.withLock { _ = $0.insert(hidden) }
    }

    deinit {
        close(descriptor)
        if !isCommitted, let hiddenName {
            StagedFiles.shared.withLock { _ = $0.remove(hiddenName) }
            unlink(hiddenName)
        }
    }

    package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        var written = 0
        while written < bytes.count {
            let count = pwrite(
                descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written, off_t(offset) + written)
            if count > 0 {
                written += count
            } else if errno != EINTR {
                throw Self.failure("writing \(destination) failed", errno)
            }
        }
    }

    /// Tells this file from any other on the machine, under whatever name.
    package var identity: FileIdentity? {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? FileIdentity(status) : nil
    }

    package var sizeBytes: Int64? {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int64(status.st_size) : nil
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        while true {
            let count = pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
            if count >= 0 { return count }
            guard errno == EINTR else { throw Self.failure("reading back \(destination) failed", errno) }
        }
    }

    /// Puts the file under its name, replacing what was there, in one step.
    package func commit() throws { try Self.commit([self]) }

    /// Puts files under their names one after the other; a stop in between waits until all have theirs.
    package static func commit(_ files: [StagedFile]) throws {
        try StagedFiles.shared.withLock { hidden in
            for file in files { try file.takeName(&hidden) }
        }
    }

    private func takeName(_ hidden: inout Set<String>) throws(Failure) {
        let staged: String
        if let hiddenName {
            staged = hiddenName
        } else {
            // linkat cannot replace a file, rename can: a name for a moment, then the final one.
            staged = Self.temporaryName(beside: destination)
            guard linkat(AT_FDCWD, "/proc/self/fd/\(descriptor)", AT_FDCWD, staged, AT_SYMLINK_FOLLOW) == 0 else {
                throw Self.failure("naming \(destination) failed", errno)
            }
        }
        guard rename(staged, destination) == 0 else {
            let reason = errno
            unlink(staged)
            throw Self.failure("naming \(destination) failed", reason)
        }
        isCommitted = true
        hidden.remove(staged)
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func temporaryName(beside path: String) -> String {
        let name = path.split(separator: "/").last ?? "output"
        return "\(folder(of: path))/.\(name).\(getpid()).\(UInt32.random(in: 0 ... .max)).partial"
    }

    private static func failure(_ message: String, _ reason: Int32) -> Failure {
        Failure(
            code: reason == ENOSPC || reason == EDQUOT ? .diskFull : .outputNotWritable, message: message,
            detail: String(cString: strerror(reason)))
    }
}

/// The hidden names of staged files in this process, and the lock under which files get their names.
package enum StagedFiles {
    fileprivate static let shared = Mutex(Set<String>())

    /// Ends the process at once without leaving anything behind or half-named.
    ///
    /// For a stop that cannot wait: an encoder may not come back for minutes.
    package static func abandon(exitStatus: Int32) -> Never {
        shared.withLock { hidden in
            for name in hidden { unlink(name) }
            _exit(exitStatus)
        }
    }
}

/// Whether two paths lead to one file, through links too.
package func isSameFile(_ left: String, _ right: String) -> Bool {
    var (first, second) = (stat(), stat())
    guard stat(left, &first) == 0, stat(right, &second) == 0 else { return false }
    return first.st_dev == second.st_dev && first.st_ino == second.st_ino
}

/// `O_TMPFILE`, which Glibc's headers hide. Source: open(2), asm-generic/fcntl.h.
private let namelessFileFlag = 0o20000000 | O_DIRECTORY
