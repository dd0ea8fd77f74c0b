internal import Glibc
internal import LocalFiles
internal import Media
internal import Model

/// Whole small files, such as an edit, read within a limit.
package enum EditBytes {
    package static func read(path: String, limitBytes: Int) throws -> [UInt8] {
        let file = try LocalFile(path: path)
        let size = Int(file.sizeBytes ?? 0)
        guard size <= limitBytes else {
            throw EngineError(.invalidEdit, "\(path) is larger than \(limitBytes) bytes")
        }
        return try file.bytes(size, at: 0) ?? []
    }

    package static func readStandardInput(limitBytes: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(STDIN_FILENO, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= limitBytes else {
                throw EngineError(.invalidEdit, "standard input is larger than \(limitBytes) bytes")
            }
        }
    }
}
