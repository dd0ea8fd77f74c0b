internal import Media
internal import Model

/// Small files written as a whole: the name appears with the complete content.
package enum WholeFile {
    package static func write(_ text: String, to path: String) throws {
        let file = try StagedFile(destination: path)
        try Array(text.utf8).withUnsafeBytes { try file.write($0, at: 0) }
        try file.commit()
    }
}
