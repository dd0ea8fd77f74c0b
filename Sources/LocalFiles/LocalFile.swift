internal import Glibc
package import Model

/// A file on a local disk, as a source of bytes. Only regular files: a directory, pipe or device is refused.
package final class LocalFile: VersionedSource {
    package let path: String
    package let sizeBytes: Int64?
    /// Its size and when it was written.
    package let versionText: String?
    private let descriptor: Int32

    package init(path: String) throws(Failure) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { throw Self.openFailure(path, errno) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let reason = errno
            close(descriptor)
            throw Self.openFailure(path, reason)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            let kind = status.st_mode & S_IFMT == S_IFDIR ? "a directory" : "not a regular file"
            throw Failure(code: .notAFile, message: "\(path) is \(kind)")
        }
        guard status.st_size > 0 else {
            close(descriptor)
            throw Failure(code: .emptyFile, message: "\(path) is empty")
        }
        sizeBytes = Int64(status.st_size)
        versionText = "\(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
    }

    deinit { close(descriptor) }

    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        while true {
            let count = pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
            if count >= 0 { return count }
            guard errno == EINTR else {
                throw Failure(
                    code: .readFailed, message: "reading \(path) failed", detail: String(cString: strerror(errno)))
            }
        }
    }

    private static func openFailure(_ path: String, _ reason: Int32) -> Failure {
        switch reason {
        case ENOENT, ENOTDIR: Failure(code: .fileNotFound, message: "there is no file \(path)")
        case ENXIO: Failure(code: .notAFile, message: "\(path) is not a regular file")
        default:
            Failure(code: .notReadable, message: "\(path) cannot be read", detail: String(cString: strerror(reason)))
        }
    }
}
