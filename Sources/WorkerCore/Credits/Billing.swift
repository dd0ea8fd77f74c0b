package import Model

/// Who keeps the books for a job.
package enum Billing: String, Sendable, Codable, CaseIterable {
    /// The sender's own back end debits its users; here is no hold.
    case external
    /// The ledger here: credit is held before work starts, and settled when it ends.
    case `internal`
    /// Nobody.
    case off

    /// Unless an operator says otherwise: back ends behind brokers debit themselves, whoever comes by HTTP or by hand does
    /// not.
    package static func usual(for ingress: Ingress) -> Billing {
        switch ingress {
        case .native, .taskiq, .celery: .external
        case .http, .cli: .internal
        }
    }
}

/// For which endings a job is charged besides success.
package struct ChargePolicy: Sendable, Equatable {
    package var chargedFailures: Set<FailureCategory>

    /// A job that was not served because its owner lacks credit is never charged.
    package init(chargedFailures: Set<FailureCategory>) {
        self.chargedFailures = chargedFailures.subtracting([.insufficientCredit])
    }

    /// Whatever does not succeed costs nothing.
    package static let onlySuccess = ChargePolicy(chargedFailures: [])
}

/// How large the picture of what is made is, in steps that prices follow.
package enum ResolutionClass: String, Sendable, Codable, CaseIterable {
    case audio
    case upTo720 = "720p"
    case upTo1080 = "1080p"
    case upTo1440 = "1440p"
    case upTo2160 = "2160p"

    /// By the shorter side, so that upright video costs as much as the same lying down; `audio` without a picture.
    /// `nil` above 2160: that has no price.
    package init?(width: Int, height: Int) {
        switch min(width, height) {
        case ...0: self = .audio
        case ...720: self = .upTo720
        case ...1080: self = .upTo1080
        case ...1440: self = .upTo1440
        case ...2160: self = .upTo2160
        default: return nil
        }
    }
}

/// What a job is bounded by before it runs, as declared or as probed.
package struct MediaBound: Sendable, Equatable, Codable {
    package var resolution: ResolutionClass
    package var milliseconds: Int64

    package init(resolution: ResolutionClass, milliseconds: Int64) {
        (self.resolution, self.milliseconds) = (resolution, max(0, milliseconds))
    }
}

extension Failure {
    /// What an owner is told who has as many jobs as he may.
    package static func queueFull(_ owner: String, _ kind: JobKind) -> Failure {
        Failure(code: .queueFull, message: "\(owner) has as many \(kind) jobs waiting as one owner may")
    }

    /// What an owner is told whose credit does not suffice for a job.
    package static func insufficientCredit(needed: MicroCredits, available: MicroCredits) -> Failure {
        Failure(
            code: .insufficientCredit,
            message: "the job costs \(needed.text) credits, and \(available.text) are available")
    }
}
