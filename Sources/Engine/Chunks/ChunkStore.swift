internal import Glibc
internal import LocalFiles
package import Model

/// Where chunks are kept from being encoded until they are joined: a folder, or a store that several workers reach.
///
/// Names are `<digest>/<number>` and `<digest>/plan`. An object is whole or absent; of two under one name the later
/// replaces the earlier, and that does no harm, because both were made of the same.
package protocol ChunkStore {
    /// - Returns: `nil` when there is no such object.
    func open(_ name: String) throws -> (any ByteSource)?
    /// Makes an object, which is not there before it is committed. It is written once, in order.
    func create(_ name: String) throws -> any StagedOutput
    func commit(_ object: any StagedOutput) throws
    /// Fine when it is not there.
    func remove(_ name: String) throws
}

/// Chunks in a folder on a local disk.
package struct LocalChunks: ChunkStore {
    private let folder: String

    /// - Parameter folder: made when absent.
    package init(folder: String) { self.folder = folder }

    package func open(_ name: String) throws -> (any ByteSource)? {
        var status = stat()
        guard stat(path(name), &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size > 0 else { return nil }
        return try LocalFile(path: path(name))
    }

    package func create(_ name: String) throws -> any StagedOutput {
        try OutputFolder.create(parent(name))
        return try StagedFile(destination: path(name))
    }

    package func commit(_ object: any StagedOutput) throws {
        try StagedFile.commit([object].compactMap { $0 as? StagedFile })
    }

    package func remove(_ name: String) throws {
        guard unlink(path(name)) == 0 || errno == ENOENT else {
            throw Failure(
                code: .outputNotWritable, message: "\(path(name)) cannot be removed",
                detail: String(cString: strerror(errno)))
        }
        // Only an empty folder is removed so.
        _ = rmdir(parent(name))
    }

    /// What tells this state of a source's file from another: where it is, its size, and when it was written.
    package static func version(ofSource path: String) throws -> String {
        let size = try LocalFile(path: path).sizeBytes ?? 0
        var status = stat()
        _ = stat(path, &status)
        return "\(absolutePath(path)) \(size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
    }

    private func path(_ name: String) -> String { "\(folder)/\(name)" }

    private func parent(_ name: String) -> String {
        name.lastIndex(of: "/").map { path(String(name[..<$0])) } ?? folder
    }
}
