package import Logging
package import Model
package import WorkerCore

/// Makes credit of what Stripe says was paid, and takes it back where it says that it was given back.
///
/// Stripe sends a message again, for some days, until it is answered with a success. So what a repetition can mend is a
/// failure here: a store or an API that is away, a price that is not configured yet. What none can mend is taken, and told
/// an operator.
package struct StripeDesk: PaymentDesk {
    private let signature: StripeSignature
    private let prices: TopUpPrices
    /// `nil` where nobody may ask Stripe; then events have to say themselves what was bought.
    private let api: StripeAPI?
    private let store: any PaymentStore
    /// Seconds since 1970.
    private let clock: @Sendable () -> Int64
    private let log: Logger

    package init(
        secret: String, prices: TopUpPrices, api: StripeAPI?, store: any PaymentStore,
        clock: @escaping @Sendable () -> Int64, log: Logger
    ) {
        signature = StripeSignature(secret: secret)
        (self.prices, self.api, self.store) = (prices, api, store)
        (self.clock, self.log) = (clock, log)
    }

    package func take(_ message: [UInt8], signature header: String?) async throws(Failure) -> PaymentReceipt {
        guard let header, signature.proves(message, header: header, now: clock()) else {
            // Anybody may send something here: that is worth a line, not an alarm.
            log.notice("a message in Stripe's name is not signed as it should be")
            throw Failure(code: .invalidSignature, message: "the message is not signed by Stripe, or not now")
        }
        let event = try StripeEvent(message)
        do {
            switch event.content {
            case .nothing(let reason):
                log.debug("nothing that concerns credit", metadata: metadata(event, ["reason": "\(reason)"]))
                return .ignored
            case .checkout(let checkout): return try await pay(checkout, event)
            case .refund(let refund): return try await giveBack(refund, event)
            }
        } catch {
            let failure = Failure(error)
            log.error(
                "a payment cannot be taken now; Stripe will tell it again",
                metadata: metadata(
                    event,
                    [
                        "code": "\(failure.code.rawValue)", "error": "\(failure.message)",
                        "detail": "\(failure.detail ?? "")",
                    ]))
            throw failure
        }
    }

    private func pay(_ checkout: StripeEvent.Checkout, _ event: StripeEvent) async throws -> PaymentReceipt {
        guard let owner = checkout.owner else {
            return unusable(checkout, event, .unknownOwner, "it has neither client_reference_id nor metadata.owner")
        }
        let items = try await items(checkout)
        let credits: MicroCredits?
        do {
            credits = try prices.credits(for: items)
        } catch {
            throw Failure(
                code: .unknownPrice, message: "REELPOOL_STRIPE_PRICES has no credits for \(error.price)",
                detail: checkout.session)
        }
        if credits == .zero { return .ignored }
        let paid = PaidSession(
            session: checkout.session, paymentIntent: checkout.paymentIntent, owner: owner, credits: credits ?? .zero)
        switch try await store.payIn(paid) {
        case .invalid:
            return unusable(checkout, event, .invalidEntry, "the owner's name is too long, or the credit too much")
        case .already(let entry):
            log.info("a payment was told before", metadata: metadata(event, ["entry": "\(entry)"]))
            return .already
        case .entered(let entry, let refund):
            log.notice(
                "credit was paid for",
                metadata: metadata(
                    event, ["session": "\(paid.session)", "entry": "\(entry)", "credits": "\(paid.credits.text)"]))
            if let refund { note(refund, event) }
            return .granted
        }
    }

    private func items(_ checkout: StripeEvent.Checkout) async throws(Failure) -> [StripeEvent.Item] {
        if let items = checkout.items { return items }
        guard let api else {
            throw Failure(
                code: .transferFailed, message: "REELPOOL_STRIPE_KEY is needed: the event does not say what was bought")
        }
        return try await api.items(of: checkout.session)
    }

    private func giveBack(_ refund: ChargeRefund, _ event: StripeEvent) async throws -> PaymentReceipt {
        let outcome = try await store.refund(refund)
        note(outcome, event)
        switch outcome {
        case .taken: return .refunded
        case .already: return .already
        case .kept: return .kept
        }
    }

    private func note(_ refund: RefundOutcome, _ event: StripeEvent) {
        switch refund {
        case .already: log.info("a refund was told before", metadata: metadata(event))
        case .kept: log.notice("a refund waits for its payment", metadata: metadata(event))
        case .taken(let taken, let short):
            let values: Logger.Metadata = ["credits": "\(taken.text)", "short": "\(short.text)"]
            if short > .zero {
                log.warning("credit that was refunded had been spent", metadata: metadata(event, values))
            } else {
                log.notice("credit was taken back", metadata: metadata(event, values))
            }
        }
    }

    private func unusable(
        _ checkout: StripeEvent.Checkout, _ event: StripeEvent, _ code: FailureCode, _ reason: String
    ) -> PaymentReceipt {
        log.error(
            "somebody paid and gets no credit: grant it by hand, or give the money back",
            metadata: metadata(
                event, ["session": "\(checkout.session)", "code": "\(code.rawValue)", "error": "\(reason)"]))
        return .unusable
    }

    private func metadata(_ event: StripeEvent, _ more: Logger.Metadata = [:]) -> Logger.Metadata {
        more.merging(["event": "\(event.id)", "type": "\(event.type)"]) { $1 }
    }
}
