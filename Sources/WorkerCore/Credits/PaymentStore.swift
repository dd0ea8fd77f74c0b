/// Payments that turn into credit, and refunds that take it back, each in one transaction with the books.
package protocol PaymentStore: Sendable {
    /// Grants the credit of a payment, once for its session, and takes back at once what had been refunded before.
    ///
    /// A session whose grant is in the books already, also one made by hand with the key of `PaidSession.key`, is
    /// `.already`, whatever it would grant now: prices change.
    func payIn(_ paid: PaidSession) async throws(StoreError) -> PayInOutcome

    /// Takes back of a payment's grant what belongs to the refunds so far. A total that is not higher than the last one
    /// does nothing. Of a payment that is not known yet it is kept until the payment is.
    func refund(_ refund: ChargeRefund) async throws(StoreError) -> RefundOutcome
}

/// What a payment provider says was paid, and for whom.
package struct PaidSession: Sendable, Equatable {
    /// The provider's id of the purchase.
    package var session: String
    /// The provider's id of the payment; `nil` where nothing had to be paid.
    package var paymentIntent: String?
    package var owner: String
    package var credits: MicroCredits

    package init(session: String, paymentIntent: String?, owner: String, credits: MicroCredits) {
        (self.session, self.paymentIntent, self.owner, self.credits) = (session, paymentIntent, owner, credits)
    }

    /// Of the grant, as `LedgerStore.grant` takes it.
    package var key: String { "stripe:\(session)" }
}

/// How much of a payment has been given back in all, in the currency's smallest unit.
package struct ChargeRefund: Sendable, Equatable {
    package var paymentIntent: String
    package var charged: Int64
    package var refunded: Int64

    /// - Returns: `nil` for numbers that are none of a refund: nothing charged, or more given back than that.
    package init?(paymentIntent: String, charged: Int64, refunded: Int64) {
        guard charged > 0, (0...charged).contains(refunded) else { return nil }
        (self.paymentIntent, self.charged, self.refunded) = (paymentIntent, charged, refunded)
    }
}

package enum PayInOutcome: Sendable, Equatable {
    /// With the grant's number, and what became of refunds that had come before.
    case entered(Int64, refund: RefundOutcome?)
    case already(Int64)
    /// The credit is none, or the owner or the session's id is empty or too long.
    case invalid
}

package enum RefundOutcome: Sendable, Equatable {
    /// - `short`: what should have been taken as well, and had been spent.
    case taken(MicroCredits, short: MicroCredits)
    case already
    /// The payment is not known yet.
    case kept
}
