/// Migration 4: which grant came of which payment, and how much of the payment was given back.
///
/// No personal data: Stripe's names of a session and of a payment, and numbers.
enum PaymentsSchema {
    static func statements(_ dialect: Dialect) -> [String] {
        let text = dialect.textType
        let table = """
            CREATE TABLE stripe_payments (
                seq \(dialect.identity),
                payment_intent \(text) UNIQUE,
                session \(text) UNIQUE,
                entry bigint,
                charged bigint NOT NULL DEFAULT 0,
                refunded bigint NOT NULL DEFAULT 0,
                short bigint NOT NULL DEFAULT 0,
                CHECK (payment_intent IS NOT NULL OR session IS NOT NULL),
                CHECK (entry IS NULL OR session IS NOT NULL),
                CHECK (refunded BETWEEN 0 AND charged),
                CHECK (short >= 0)
            )
            """
        return CreditsSchema.path(dialect) + [table] + guards.flatMap { $0.statements(dialect) }
    }

    /// A grant that was made of a payment stays made of it, and what was refunded stays refunded.
    private static let guards = [
        TableGuard(
            name: "stripe_payments_stay", table: "stripe_payments", event: .delete, condition: "(1 = 1)",
            message: "a payment is never deleted"),
        TableGuard(
            name: "stripe_payments_go_on", table: "stripe_payments", event: .update,
            condition: """
                (NEW.seq <> OLD.seq OR coalesce(NEW.payment_intent, '') <> coalesce(OLD.payment_intent, '')
                    OR (OLD.session IS NOT NULL AND coalesce(NEW.session, '') <> OLD.session)
                    OR (OLD.entry IS NOT NULL AND coalesce(NEW.entry, -1) <> OLD.entry)
                    OR NEW.refunded < OLD.refunded OR NEW.short < OLD.short)
                """, message: "what is known of a payment only grows"),
    ]
}
