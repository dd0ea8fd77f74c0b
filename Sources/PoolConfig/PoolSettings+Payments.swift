internal import WorkerCore

/// The settings of payments, and what is wrong with them.
extension PoolSettings {
    private static let secretName = "REELPOOL_STRIPE_WEBHOOK_SECRET"

    static func payments(_ values: inout SettingValues) -> Payments? {
        guard let secret = values.text(secretName) else {
            for name in ["REELPOOL_STRIPE_PRICES", "REELPOOL_STRIPE_KEY", "REELPOOL_STRIPE_URL"]
            where values.isGiven(name) {
                values.report(name, "is of no use without \(secretName)")
            }
            return nil
        }
        var prices = TopUpPrices(credits: [:])
        if let text = values.text("REELPOOL_STRIPE_PRICES") {
            do {
                prices = try TopUpPrices(text: text)
            } catch {
                values.report("REELPOOL_STRIPE_PRICES", error.text)
            }
        } else {
            values.report("REELPOOL_STRIPE_PRICES", "is needed with \(secretName)")
        }
        return Payments(
            secret: secret, prices: prices, key: values.text("REELPOOL_STRIPE_KEY"),
            url: values.text("REELPOOL_STRIPE_URL") ?? "")
    }

    func checkPayments(_ payments: Payments, _ values: inout SettingValues) {
        if Self.isWeak(payments.secret) {
            values.report(Self.secretName, "is too weak to be one of Stripe's, or one that anyone guesses")
        }
        if !Self.isHeardByNobodyElse(payments.url) {
            values.report("REELPOOL_STRIPE_URL", "begins with https://: the key would be seen by all on the way")
        }
    }

    /// The database alone, for what does not need the rest of a daemon's settings.
    ///
    /// - Parameter file: as a daemon's, in which other settings may be.
    /// - Throws: every problem there is, not the first.
    package static func loadDatabase(
        environment: [String: String], file: String? = nil
    ) throws(ConfigurationProblems) -> Database {
        let own = environment.filter { $0.key == "REELPOOL_DATABASE" }
        var values = SettingValues(overrides: [:], environment: own, file: file)
        let database = database(&values)
        guard values.problems.isEmpty else { throw ConfigurationProblems(lines: values.problems) }
        return database
    }
}
