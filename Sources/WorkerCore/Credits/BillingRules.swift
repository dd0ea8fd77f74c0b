internal import Model

/// Who keeps the books for what comes in by which door, and by which prices where that is done here.
///
/// One billing for each door: nothing that is held for here is announced as the sender's to refund, and the other way
/// round, because both follow from the one word that a job has for life.
package struct BillingRules: Sendable, Equatable {
    private let billings: [Ingress: Billing]
    /// `nil` where nothing has a price.
    package let rates: RateCard?

    /// Nobody keeps any.
    package static let off = BillingRules([:], rates: nil)

    /// - Parameter billings: a door that is not among them has none. Without rates there is no billing at all.
    package init(_ billings: [Ingress: Billing], rates: RateCard?) {
        (self.billings, self.rates) = (rates == nil ? [:] : billings, rates)
    }

    package subscript(ingress: Ingress) -> Billing { billings[ingress] ?? .off }
}

extension NewJob {
    /// Says who pays for it, and what is known of its size before anybody has looked.
    ///
    /// What is paid for here, priced by the minute, and does not say how many there are, is looked at first.
    package mutating func bill(_ rules: BillingRules) {
        billing = rules[ingress]
        guard billing == .internal, let rates = rules.rates, rates.needsBound(kind) else { return }
        if let document = try? TaskDocument(kind: kind, payload: payload) { bound = MediaBound.declared(by: document) }
        if bound == nil { needsAdmission = true }
    }
}

/// What an owner gets back for a job that ended without success, and by whom.
package enum CreditReturn: Sendable, Equatable {
    /// The sender's back end debited him, and is told to give it back.
    case refund
    /// So much was held for him here, and is free again.
    case release(MicroCredits)
}

extension JobRecord {
    /// `nil` where nothing is given back: it succeeded, or has not ended, or is charged all the same, or was paid by nobody.
    ///
    /// Nobody was debited for the retry of a job whose own end was told already.
    ///
    /// - Parameter charges: of failures, for jobs that are paid for elsewhere; what is held here follows what it came in with.
    package func creditReturn(_ charges: ChargePolicy) -> CreditReturn? {
        switch (state, billing) {
        case (.failed, .external), (.cancelled, .external), (.dead, .external):
            if retryOf != nil { return nil }
            if let failure, charges.chargedFailures.contains(failure.category) { return nil }
            return .refund
        case (.failed, .internal), (.cancelled, .internal), (.dead, .internal):
            guard let quote, let charge, let rest = quote.amount.subtracting(charge), rest > .zero else { return nil }
            return .release(rest)
        default: return nil
        }
    }
}
