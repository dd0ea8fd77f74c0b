package import Model

/// Why an edit cannot be planned over the sources it names.
package enum PlanningError: ClassifiedError, Equatable {
    case unknownSource(path: String, id: String)
    case reversed(path: String)
    case outOfBounds(path: String, reason: String)
    case keepsNothing
    case noStreams(source: String)
    case noPicture(source: String)
    case noDuration(source: String)
    case undecodable(source: String, codec: String)
    case encrypted(source: String)
    case truncated(source: String, intactSeconds: Double?)
    case codecNotInContainer(codec: String, container: String)

    package var code: FailureCode {
        switch self {
        case .unknownSource: .unknownSource
        case .reversed: .rangeReversed
        case .outOfBounds: .rangeOutOfBounds
        case .keepsNothing: .editKeepsNothing
        case .noStreams, .noPicture: .noStreams
        case .noDuration: .damagedMedia
        case .undecodable: .noDecoder
        case .encrypted: .encryptedMedia
        case .truncated: .truncated
        case .codecNotInContainer: .codecNotInContainer
        }
    }

    package var message: String {
        switch self {
        case .unknownSource(let path, let id): "\(path): no source has the id \"\(id)\""
        case .reversed(let path): "\(path): the range ends at or before its start"
        case .outOfBounds(let path, let reason): "\(path): \(reason)"
        case .keepsNothing: "the edit keeps nothing"
        case .noStreams(let source): "the source \"\(source)\" has neither video nor audio that can be used"
        case .noPicture(let source): "the source \"\(source)\" has no picture to lay over others"
        case .noDuration(let source): "the source \"\(source)\" does not tell how long it lasts"
        case .undecodable(let source, let codec):
            "the source \"\(source)\" needs a decoder for \(codec), which this build lacks"
        case .encrypted(let source): "the source \"\(source)\" is encrypted"
        case .truncated(let source, let intact):
            "the source \"\(source)\" is cut short"
                + (intact.map { ", whole up to \(Int($0 * 1000)) ms" } ?? "") + "; salvage renders what is there"
        case .codecNotInContainer(let codec, let container): "\(codec) cannot be stored in \(container)"
        }
    }
}
