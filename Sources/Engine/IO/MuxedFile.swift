internal import Media

/// A container file being written: the muxer and the staged file under it.
final class MuxedFile {
    let file: StagedFile
    var muxer: Muxer

    /// - Parameter format: libavformat's name of the container.
    init(path: String, format: String) throws {
        file = try StagedFile(destination: path)
        muxer = try Muxer(format: format, sink: file)
    }

    /// Writes the header of an MP4 or MOV whose index will stand first.
    func beginIndexFirst(options: [String: String] = [:]) throws {
        try muxer.begin(options: options, index: .first(file))
    }
}
