internal import Model
package import WorkerCore

/// A row of `stripe_payments`, locked. Locks of accounts come after it.
private struct PaymentRow {
    var seq: Int64
    var entry: Int64?
    var charged: Int64
    var refunded: Int64

    private init?(_ rows: [SQLRow]) throws {
        guard var row = rows.first else { return nil }
        (seq, entry) = (try row.integer(), try row.optionalInteger())
        (charged, refunded) = (try row.integer(), try row.integer())
    }

    private static func find(
        _ column: String, _ value: String, _ dialect: Dialect, _ session: any SQLSession
    ) throws -> PaymentRow? {
        try PaymentRow(
            try session.execute(
                """
                SELECT seq, entry, charged, refunded FROM stripe_payments
                WHERE \(column) = $1\(dialect.lock("stripe_payments"))
                """, .text(value)))
    }

    /// Made where there is none; whoever makes the same at the same time is waited for.
    private static func lock(
        _ column: String, _ value: String, _ dialect: Dialect, _ session: any SQLSession
    ) throws -> PaymentRow {
        try session.execute(
            "INSERT INTO stripe_payments (\(column)) VALUES ($1) ON CONFLICT (\(column)) DO NOTHING", .text(value))
        guard let row = try find(column, value, dialect, session) else {
            throw StoreError("a payment's row is missing", code: .internalFault)
        }
        return row
    }

    static func lock(_ paid: PaidSession, _ dialect: Dialect, _ session: any SQLSession) throws -> PaymentRow {
        if let known = try find("session", paid.session, dialect, session) { return known }
        if let intent = paid.paymentIntent { return try lock("payment_intent", intent, dialect, session) }
        return try lock("session", paid.session, dialect, session)
    }

    static func lock(intent: String, _ dialect: Dialect, _ session: any SQLSession) throws -> PaymentRow {
        try lock("payment_intent", intent, dialect, session)
    }
}

extension SQLJobStore: PaymentStore {
    package func payIn(_ paid: PaidSession) async throws(StoreError) -> PayInOutcome {
        var paid = paid
        (paid.session, paid.paymentIntent) = (paid.session.storable, paid.paymentIntent?.storable)
        guard paid.credits > .zero, Self.isKey(paid.owner), !paid.session.isEmpty, Self.isKey(paid.key),
            paid.paymentIntent.map(Self.isKey) ?? true
        else { return .invalid }
        let payment = paid
        return try await database.transaction(.write) { session in
            let row = try PaymentRow.lock(payment, database.dialect, session)
            if let entry = row.entry { return .already(entry) }
            let outcome = try enter(
                payment.owner, .grant, by: payment.credits, key: payment.key, note: "Stripe", session)
            let entry: Int64
            var isNew = false
            switch outcome {
            case .entered(let seq):
                entry = seq
                isNew = true
            // By hand: refunds have to find it all the same.
            case .already(let seq), .keyTaken(let seq): entry = seq
            case .invalid, .insufficientCredit, .notReversible, .exceedsEntry: return .invalid
            }
            try session.execute(
                "UPDATE stripe_payments SET session = $2, entry = $3 WHERE seq = $1", .integer(row.seq),
                .text(payment.session), .integer(entry))
            var refund: RefundOutcome?
            if row.refunded > 0 {
                refund = try take(
                    entry, from: 0, to: row.refunded, of: row.charged, payment: row.seq, session)
            }
            return isNew ? .entered(entry, refund: refund) : .already(entry)
        }
    }

    package func refund(_ refund: ChargeRefund) async throws(StoreError) -> RefundOutcome {
        let intent = refund.paymentIntent.storable
        return try await database.transaction(.write) { session in
            let row = try PaymentRow.lock(intent: intent, database.dialect, session)
            guard refund.refunded > row.refunded else { return .already }
            try session.execute(
                "UPDATE stripe_payments SET charged = $2, refunded = $3 WHERE seq = $1", .integer(row.seq),
                .integer(refund.charged), .integer(refund.refunded))
            guard let entry = row.entry else { return .kept }
            return try take(
                entry, from: row.refunded, to: refund.refunded, of: refund.charged, payment: row.seq, session)
        }
    }

    /// Takes what a further part of the payment is worth, as far as it is there. What had been spent by then is on record
    /// with the payment, and is not asked for again: another payment's credit does not answer for it.
    private func take(
        _ entry: Int64, from before: Int64, to after: Int64, of charged: Int64, payment: Int64,
        _ session: any SQLSession
    ) throws -> RefundOutcome {
        guard let origin = try Origin.find(entry, session) else { return .taken(.zero, short: .zero) }
        let accounts = try OwnerAccounts.lock(origin.owner, database.dialect, session)
        let left = try origin.left(session) ?? .zero
        // Of totals, so that parts come to the whole whatever they are rounded to.
        guard let earlier = origin.amount.scaled(by: before, over: charged),
            let now = origin.amount.scaled(by: after, over: charged), let due = now.subtracting(earlier)
        else { throw StoreError("a refund is beyond all bounds", code: .internalFault) }
        // What was reversed by hand is not reversed again.
        let wanted = min(due, left)
        let taken = min(wanted, accounts.available.balance)
        guard let short = wanted.subtracting(taken) else { return .taken(taken, short: .zero) }
        if taken > .zero {
            let rest = short > .zero ? "; \(short.text) had been spent" : ""
            _ = try write(
                Movement(
                    key: "reversal/\(entry)/stripe:\(after)", operation: .reversal, debit: accounts.available.id,
                    credit: origin.debitAccount, amount: taken,
                    note: "Stripe: \(after) of \(charged) refunded\(rest)", reverses: entry), session)
        }
        try session.execute(
            "UPDATE stripe_payments SET short = short + $2 WHERE seq = $1", .integer(payment), .integer(short.value))
        return .taken(taken, short: short)
    }
}
