internal import Glibc
package import Model

package enum OutputFolder {
    /// Makes a folder and those above it; fine when it is there already.
    package static func create(_ path: String) throws(Failure) {
        var partial = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            partial += partial.isEmpty || partial.hasSuffix("/") ? String(part) : "/\(part)"
            if mkdir(partial, 0o755) != 0, errno != EEXIST {
                throw Failure(
                    code: .outputNotWritable, message: "the folder \(partial) cannot be made",
                    detail: String(cString: strerror(errno))
                )
            }
        }
        var status = stat()
        guard path.isEmpty || stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR else {
            throw Failure(code: .outputNotWritable, message: "\(path) is not a folder")
        }
    }
}

/// The path from the root, links resolved; the path itself where that is not possible.
package func absolutePath(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
}
