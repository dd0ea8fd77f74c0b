internal import Glibc
internal import LocalFiles
internal import Model

/// The folders below which tasks may name files.
struct LocalRoots: Sendable {
    /// Absolute, links resolved.
    private let roots: [String]

    init(_ folders: [String]) { roots = folders.map(absolutePath) }

    /// A path, or a `file:` URI, as a path with links resolved.
    ///
    /// - Throws: `source_not_allowed` for whatever is not below a root, whether or not it exists: a refusal tells nothing.
    func source(_ uri: String) throws(Failure) -> String {
        let path = try path(of: uri)
        guard let resolved = resolve(path), root(of: resolved) != nil else {
            guard root(of: path) != nil, resolve(path) == nil else { throw Self.refusal(uri) }
            throw Failure(code: .fileNotFound, message: "there is no file \(uri)")
        }
        return resolved
    }

    /// As `source`, of what need not exist yet: the nearest folder above it that exists decides.
    func output(_ uri: String) throws(Failure) -> (path: String, root: String) {
        let path = try path(of: uri)
        var (existing, rest) = (Substring(path), "")
        while true {
            if let resolved = resolve(String(existing)) {
                let full = resolved == "/" ? rest : resolved + rest
                guard let root = root(of: full) else { throw Self.refusal(uri) }
                return (full, root)
            }
            guard let slash = existing.lastIndex(of: "/"), slash > existing.startIndex else {
                throw Self.refusal(uri)
            }
            rest = existing[slash...] + rest
            existing = existing[..<slash]
        }
    }

    var all: [String] { roots }

    private func path(of uri: String) throws(Failure) -> String {
        let path = uri.hasPrefix("file://") ? PercentEncoding.decodeLeniently(uri.dropFirst(7)) : uri
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard path.hasPrefix("/"), !path.utf8.contains(0), !parts.contains(".."), !parts.contains(".") else {
            throw Self.refusal(uri)
        }
        return path
    }

    private func resolve(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private func root(of path: String) -> String? {
        roots.first { path.hasPrefix($0 == "/" ? "/" : $0 + "/") }
    }

    private static func refusal(_ uri: String) -> Failure {
        Failure(code: .sourceNotAllowed, message: "\(uri) is not where tasks may read or write")
    }
}
