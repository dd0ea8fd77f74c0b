/// Why a render cannot copy, and encodes everything anew instead. No failure: the output is the same, only later.
package enum SmartObstacle: Error, Sendable, Equatable {
    // What the edit asks for.
    case salvage
    case changesPicture(String)
    case otherCodec(source: String, output: String)
    case codec(String)
    case noPicture
    case severalSources
    case container(String)
    // What the source is.
    case interlaced
    case editList
    case bitstream(String)
    case hiddenPictures
    case unusualOrder
    case missingTimes
    case noEntry
    case holdsTooMuch
    // What it would bring.
    case littleGain(Double)
    // What came out.
    case verification(String)
    /// In decibels of PSNR.
    case seamQuality(Double)

    /// Something was made, and was not right.
    package var isFailedVerification: Bool {
        switch self {
        case .verification, .seamQuality: true
        default: false
        }
    }

    /// One clause, for a plan or a report.
    package var reason: String {
        switch self {
        case .salvage: "what is left of damaged sources is found by decoding all of it"
        case .changesPicture(let how): "the picture is changed: \(how)"
        case .otherCodec(let source, let output): "the source is \(source), the output \(output)"
        case .codec(let name): "pictures of \(name) are not copied"
        case .noPicture: "there is no picture to copy"
        case .severalSources: "the sources' pictures are coded differently"
        case .container(let name): "\(name) sources are not copied from"
        case .interlaced: "the picture is interlaced"
        case .editList: "the source's edit list does more than shift it"
        case .bitstream(let reason): reason
        case .hiddenPictures: "the source hides pictures in a range that is kept"
        case .unusualOrder: "the source's pictures are reordered more than it says"
        case .missingTimes: "the source's pictures have no times of their own"
        case .noEntry: "the source does not begin with a keyframe"
        case .holdsTooMuch: "the source's keyframes are too far apart to be held in memory"
        case .littleGain(let gain):
            "copying is predicted to be \((gain * 10).rounded() / 10) times as fast, which is too little"
        case .seamQuality(let psnr): "a seam is only at \(psnr) dB of the source"
        case .verification(let what): "what was made did not pass its check: \(what)"
        }
    }
}
