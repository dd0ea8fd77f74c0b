/// Why packets of a stream cannot be copied next to pictures encoded here, so that all of it is encoded anew.
package enum SpliceObstacle: Error, Hashable, Sendable, CaseIterable {
    // What the stream is.
    case noParameterSets
    case severalSequenceSets
    case changingSets
    case interlaced
    case pictureOrderType
    case sliceGroups
    case redundantPictures
    case dataPartitioning
    case auxiliaryPictures
    case layers
    case chromaFormat
    case bitDepth
    case lossless
    case scalingMatrices
    case profile
    case pictureSetIDs
    case filmGrain
    case decoderModel
    // What its packets are.
    case damaged
    case severalPictures
    case pictureSizes
    case frameNumbers
    case pictureOrder
    case longTermReferences
    case missingReference
    case leadingPicture
    case entry
    // What the encoder made.
    case encoderFormat
    case encoderReferences
    case encoderOrder

    /// One clause, which goes on after "the video is encoded anew because".
    package var reason: String {
        switch self {
        case .noParameterSets: "the file does not hold all parameter sets of its video"
        case .severalSequenceSets: "the stream has more than one sequence parameter set"
        case .changingSets: "the stream's parameter sets change on the way"
        case .interlaced: "the stream is interlaced"
        case .pictureOrderType: "the stream counts pictures in a way that is hardly used (POC type 1)"
        case .sliceGroups: "the stream's slices are in groups"
        case .redundantPictures: "the stream has redundant pictures"
        case .dataPartitioning: "the stream's slices are in partitions"
        case .auxiliaryPictures: "the stream has auxiliary pictures"
        case .layers: "the stream has layers or several views"
        case .chromaFormat: "the chroma format is not 4:2:0"
        case .bitDepth: "the bit depth is neither 8 nor 10"
        case .lossless: "the stream may be lossless"
        case .scalingMatrices: "the stream has scaling matrices of its own"
        case .profile: "the stream's profile is none that the encoder knows"
        case .pictureSetIDs: "no id is left for another picture parameter set"
        case .filmGrain: "the stream has film grain apart from its pictures"
        case .decoderModel: "the stream tells how full decoders' buffers are"
        case .damaged: "a packet is damaged"
        case .severalPictures: "a packet holds more than one picture"
        case .pictureSizes: "the pictures' size changes on the way"
        case .frameNumbers: "pictures are missing in the stream"
        case .pictureOrder: "the order of the stream's pictures cannot be told from its packets alone"
        case .longTermReferences: "pictures may refer to others far before"
        case .missingReference: "pictures refer to others that are cut away"
        case .leadingPicture: "pictures of an open GOP are not where they are expected"
        case .entry: "decoding cannot begin at a picture where it would have to"
        case .encoderFormat: "the encoder made something else than was asked for"
        case .encoderReferences: "the encoder keeps more reference pictures than the stream allows"
        case .encoderOrder: "the encoder's pictures are in an order that the stream does not allow"
        }
    }
}
