import Foundation
import Model
import Testing

@Suite("A failure code")
struct FailureCodeTests {
    @Test("has the category that its callers rely on", arguments: FailureCode.allCases)
    func category(code: FailureCode) throws {
        #expect(code.category == (try #require(Self.categories[code], "\(code) is in no table")))
    }

    @Test("is written in lower case with underscores", arguments: FailureCode.allCases)
    func spelling(code: FailureCode) {
        #expect(code.rawValue.allSatisfy { $0 == "_" || $0.isLowercase })
    }

    @Test("has an exit status of its category's own")
    func exitStatuses() {
        let statuses = FailureCategory.allCases.map(\.exitStatus)
        #expect(Set(statuses).count == statuses.count)
        // 1, 2 and 64 are the argument parser's and the shell's.
        #expect(statuses.allSatisfy { ![0, 1, 2, 64, 126, 127].contains($0) })
        #expect(FailureCategory.invalidInput.exitStatus == 65)
        #expect(FailureCategory.cancelled.exitStatus == 130)
    }

    @Test("goes with its category into a failure's JSON")
    func json() throws {
        let failure = Failure(code: .tooManyPixels, message: "too large", detail: "x")
        let data = try JSONEncoder().encode(failure)
        let fields = try #require(try JSONSerialization.jsonObject(with: data) as? [String: String])
        #expect(
            fields == ["code": "too_many_pixels", "category": "limitExceeded", "message": "too large", "detail": "x"])
        #expect(try JSONDecoder().decode(Failure.self, from: data) == failure)
    }

    @Test("is our fault when nobody classified the error")
    func unclassified() {
        struct Stranger: Error {}
        #expect(Failure(Stranger()).code == .internalFault)
        #expect(Failure(CancellationError()).code == .cancelled)
        #expect(Failure(EditError.unknownField(path: "x")).code == .unknownField)
    }

    private static let categories: [FailureCode: FailureCategory] = [
        .fileNotFound: .invalidInput, .notAFile: .invalidInput, .notReadable: .invalidInput,
        .emptyFile: .invalidInput, .notMedia: .invalidInput, .truncated: .invalidInput,
        .damagedMedia: .invalidInput, .noStreams: .invalidInput, .invalidJSON: .invalidInput,
        .invalidEdit: .invalidInput, .unknownField: .invalidInput, .unknownSource: .invalidInput,
        .rangeReversed: .invalidInput, .rangeOutOfBounds: .invalidInput, .editKeepsNothing: .invalidInput,
        .outputIsSource: .invalidInput, .fixtureMismatch: .invalidInput, .invalidTask: .invalidInput,
        .unknownTask: .invalidInput, .sourceNotAllowed: .invalidInput, .sourceChanged: .invalidInput,
        .urlExpired: .invalidInput, .unknownUpload: .invalidInput, .uploadMismatch: .invalidInput,
        .invalidEntry: .invalidInput, .keyTaken: .invalidInput, .notReversible: .invalidInput,
        .exceedsEntry: .invalidInput, .unknownOwner: .invalidInput, .ownerBusy: .invalidInput,
        .invalidSignature: .invalidInput, .unknownPrice: .invalidInput, .insufficientCredit: .insufficientCredit,
        .storeForbidden: .dependencyUnavailable,
        .formatNotAllowed: .unsupportedMedia, .noDecoder: .unsupportedMedia, .noEncoder: .unsupportedMedia,
        .encryptedMedia: .unsupportedMedia, .noFont: .unsupportedMedia, .codecNotInContainer: .unsupportedMedia,
        .tooManyPixels: .limitExceeded, .tooManyStreams: .limitExceeded, .outOfMemory: .limitExceeded,
        .memoryLimit: .limitExceeded, .wallTimeLimit: .limitExceeded, .noProgress: .limitExceeded,
        .outputTooLarge: .limitExceeded, .sourceTooLong: .limitExceeded, .sourceTooLarge: .limitExceeded,
        .queueFull: .limitExceeded, .expired: .limitExceeded,
        .cancelled: .cancelled, .drained: .interrupted, .leaseLost: .interrupted,
        .crashed: .crashed, .workerLost: .crashed,
        .outputNotWritable: .dependencyUnavailable, .diskFull: .dependencyUnavailable,
        .readFailed: .dependencyUnavailable, .storeUnavailable: .dependencyUnavailable,
        .listenFailed: .dependencyUnavailable,
        .brokerUnavailable: .dependencyUnavailable, .cacheUnavailable: .dependencyUnavailable,
        .transferFailed: .dependencyUnavailable, .storageRefused: .dependencyUnavailable,
        .internalFault: .internalFault, .sandboxViolation: .internalFault, .sandboxUnavailable: .internalFault,
    ]
}
