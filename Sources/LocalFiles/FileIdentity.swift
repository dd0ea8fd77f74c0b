package import Glibc

/// Which file it is, whatever its name. Source: stat(2).
package struct FileIdentity: Sendable, Codable, Hashable {
    package var device: UInt64
    package var inode: UInt64

    package init(_ status: stat) { (device, inode) = (UInt64(status.st_dev), UInt64(status.st_ino)) }

    /// Of what has that name now; `nil` when nothing has.
    package init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }
}
