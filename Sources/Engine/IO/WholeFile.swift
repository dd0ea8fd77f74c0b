internal import LocalFiles
internal import Media
internal import Model

/// Small files written as a whole: the name appears with the complete content.
package enum WholeFile {
    package static func write(_ text: String, to path: String) throws { try write(Array(text.utf8), to: path) }

    package static func write(_ bytes: [UInt8], to path: String) throws {
        let file = try StagedFile(destination: path)
        try bytes.withUnsafeBytes { try file.write($0, at: 0) }
        try file.commit()
    }
}
