/// Why a render is not divided into chunks, and is encoded in one go instead. No failure: the output is the same, but
/// a stop loses all of it.
package enum ChunkObstacle: Error, Sendable, Equatable {
    case noPicture
    case salvage
    case tooShort
    /// By the sources' ids in the edit.
    case notSeekable(String)
    case unknownLength(String)
    case unusualOrder

    /// One clause, for a report.
    package var reason: String {
        switch self {
        case .noPicture: "there is no picture"
        case .salvage: "what is intact of a damaged source shows only when all of it is read"
        case .tooShort: "the programme is too short to be divided"
        case .notSeekable(let source): "in \"\(source)\" no position is found without reading up to it"
        case .unknownLength(let source): "how long the sound of \"\(source)\" lasts shows only when all of it is read"
        case .unusualOrder: "the encoder's pictures are reordered more than it says"
        }
    }
}
