/// What a look at a store came to.
package struct CheckReport: Sendable, Encodable {
    package enum Outcome: String, Sendable, Encodable {
        case right
        /// The store works without it, as Reelpool does; what that costs is said.
        case lacking
        case wrong
        /// Something before it went wrong, or nothing is set that could be looked at.
        case skipped
    }

    package enum Check: String, Sendable, Encodable, CaseIterable {
        case address, clock
        case access, write, read, range
        case ifMatch = "if-match"
        case presignedGet = "presigned GET"
        case presignedPut = "presigned PUT"
        case multipart
        case abort
        case conditionalWrite = "conditional write"
        case cors = "CORS"
        case lifecycle
        case cleanUp = "clean-up"

        /// Whether it is about a bucket rather than about the whole store.
        package var isOfBucket: Bool { self != .address && self != .clock }
    }

    package struct Line: Sendable, Encodable {
        package var check: Check
        /// `raw`, `exports` or `assets`; `nil` for the whole store.
        package var name: String?
        package var outcome: Outcome
        package var milliseconds: Double
        package var note: String?
        /// What an operator does about it.
        package var fix: String?
    }

    package struct Bucket: Sendable, Encodable {
        package var name: String
        package var bucket: String
    }

    package var endpoint: String
    package var region: String
    package var style: String
    package var buckets: [Bucket]
    package var lines: [Line] = []

    package var isRight: Bool { !lines.contains { $0.outcome == .wrong } }

    private enum CodingKeys: String, CodingKey { case isRight = "is_right", endpoint, region, style, buckets, lines }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(isRight, forKey: .isRight)
        try container.encode(endpoint, forKey: .endpoint)
        try container.encode(region, forKey: .region)
        try container.encode(style, forKey: .style)
        try container.encode(buckets, forKey: .buckets)
        try container.encode(lines, forKey: .lines)
    }
}

/// Why a check did not go well.
struct CheckProblem: Error {
    var outcome: CheckReport.Outcome
    var note: String
    var fix: String?

    static func wrong(_ note: String, fix: String? = nil) -> CheckProblem {
        CheckProblem(outcome: .wrong, note: note, fix: fix)
    }

    static func lacking(_ note: String, fix: String? = nil) -> CheckProblem {
        CheckProblem(outcome: .lacking, note: note, fix: fix)
    }

    static func skipped(_ note: String) -> CheckProblem { CheckProblem(outcome: .skipped, note: note) }
}
