import Model
import TestSupport

/// A kind of transfer, and what can happen to it.
enum Trade: String, CaseIterable, Sendable {
    case walk = "reads here and there"
    case run = "reads from end to end"
    case secureRead = "reads over TLS"
    case replaced = "reads of what is replaced"
    case url = "reads of a signed URL"
    case secureURL = "reads of a signed URL over TLS"
    case small = "outputs of one part"
    case large = "outputs of two parts"
    case secureOutput = "outputs over TLS"
    case download = "downloads"

    /// In a round of twenty; those that move most bytes are the fewest.
    var share: Int {
        switch self {
        case .small: 4
        case .walk, .run, .large, .download: 2
        case .secureRead, .replaced, .url, .secureURL: 2
        case .secureOutput: 2
        }
    }

    var isSecure: Bool { [.secureRead, .secureURL, .secureOutput].contains(self) }
    var isOutput: Bool { [.small, .large, .secureOutput, .download].contains(self) }
    var isURL: Bool { [.url, .secureURL].contains(self) }

    static let round: [Trade] = allCases.flatMap { Array(repeating: $0, count: $0.share) }
}

/// What becomes of the requests of one transfer, decided beforehand by its seed.
struct Fate: Sendable {
    private static let length = 60

    var faults: [String]
    /// What it may fail with.
    var codes: Set<FailureCode>

    /// Everything that can happen to any request. What takes long or ends a transfer at once is rare.
    private static let anywhere = [
        "before", "before", "after", "after", "cut", "cut", "head", "head", "garbage", "garbage", "delay:0.1",
        "status:500:InternalError", "status:503:SlowDown", "status:503:SlowDown", "status:429:TooManyRequests",
        "error200:InternalError", "page", "stall", "silent", "moved", "status:403:AccessDenied",
    ]
    private static let ofReads = ["range", "range", "short", "short"]
    private static let ofOutputs = [
        "flip", "flip", "flip", "etag", "etag", "lost:500:InternalError", "late200:InternalError", "twice", "late",
    ]

    /// - Parameter isURL: it is read without knowing what it is behind.
    init(_ trade: Trade, isURL: Bool, isOutput: Bool, _ random: inout SeededGenerator) {
        var kinds = Self.anywhere + (isOutput ? Self.ofOutputs : Self.ofReads)
        if trade.isSecure {
            kinds += ["noise", "noise", "noise"]
            if isOutput { kinds += ["noiseup", "noiseup", "noiseup"] }
        }
        let density = [0.08, 0.25, 0.6][Int.random(in: 0..<3, using: &random)]
        var faults = (0..<Self.length).map { _ in
            Double.random(in: 0..<1, using: &random) < density ? kinds.randomElement(using: &random) ?? "pass" : "pass"
        }
        // Something happens to each.
        if faults[0] == "pass", faults[1] == "pass" {
            faults[Int.random(in: 0...1, using: &random)] = kinds.randomElement(using: &random) ?? "cut"
        }
        // And some have no hope.
        if Int.random(in: 0..<12, using: &random) == 0 {
            let kind = kinds.filter { !["stall", "silent"].contains($0) }.randomElement(using: &random) ?? "before"
            let start = Int.random(in: 0..<8, using: &random)
            for index in start..<start + 16 { faults[index] = kind }
        }
        Self.hurry(&faults)
        if isURL, trade != .download { Self.keepRecognisable(&faults) }
        self.faults = faults
        codes = [.transferFailed]
        if faults.contains("status:403:AccessDenied") { codes.insert(isURL ? .notReadable : .storageRefused) }
        // A URL leads to where it leads; a signed request is for one place.
        if faults.contains("moved") { codes.insert(isURL ? .notReadable : .storageRefused) }
        if isURL, trade == .download, faults.contains(where: { $0 == "page" || $0.hasPrefix("error200") }) {
            codes.insert(.notMedia)
        }
    }

    /// Each of these takes as long as nothing has to move for to be given up.
    private static func hurry(_ faults: inout [String]) {
        for index in faults.indices.filter({ ["stall", "silent"].contains(faults[$0]) }).dropFirst(3) {
            faults[index] = "cut"
        }
    }

    /// Of a URL nobody knows what is behind it: a whole answer that comes first is what is there.
    private static func keepRecognisable(_ faults: inout [String]) {
        let end = faults.firstIndex { $0 == "pass" || $0 == "short" || $0.hasPrefix("delay") } ?? faults.endIndex
        for index in 0..<end where faults[index] == "page" || faults[index].hasPrefix("error200") {
            faults[index] = "before"
        }
    }
}
