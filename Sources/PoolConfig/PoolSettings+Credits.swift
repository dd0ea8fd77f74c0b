internal import FoundationEssentials
internal import Model
internal import WorkerCore

/// Who pays for what: the settings, and what is wrong with them.
extension PoolSettings {
    private static let doors: [(ingress: Ingress, name: String)] = Ingress.allCases.map {
        ($0, "REELPOOL_BILLING_\($0.rawValue.uppercased())")
    }
    /// What is of no use where nothing has a price.
    private static var others: [String] {
        doors.map(\.name) + ["REELPOOL_CHARGED_FAILURES", "REELPOOL_REFUND_WEBHOOK"]
    }
    /// All of it is the service's, which has the store.
    static var creditNames: [String] { ["REELPOOL_RATES"] + others }
    /// How long their media is shows when they are done, or never.
    private static let lengthless: [JobKind] = [.download, .noop]

    static func credits(_ values: inout SettingValues) -> Credits {
        let charges = charges(&values)
        let ownerFields = values.list("REELPOOL_OWNER_FIELDS")
        if ownerFields.isEmpty { values.report("REELPOOL_OWNER_FIELDS", "names no field") }
        guard let path = values.text("REELPOOL_RATES") else {
            for name in others where values.isGiven(name) && values.text(name) != Billing.off.rawValue {
                values.report(name, "is of no use without REELPOOL_RATES: nothing has a price")
            }
            return Credits(billing: .off, charges: .onlySuccess, refundWebhook: nil, ownerFields: ownerFields)
        }
        var billings: [Ingress: Billing] = [:]
        for (ingress, name) in doors { billings[ingress] = billing(of: ingress, name, &values) }
        return Credits(
            billing: BillingRules(billings, rates: rates(path, &values)), charges: charges,
            refundWebhook: values.text("REELPOOL_REFUND_WEBHOOK"), ownerFields: ownerFields)
    }

    private static func billing(of ingress: Ingress, _ name: String, _ values: inout SettingValues) -> Billing {
        guard let text = values.text(name) else { return .usual(for: ingress) }
        if let billing = Billing(rawValue: text) { return billing }
        values.report(name, "is one of \(Billing.allCases.map(\.rawValue).joined(separator: ", "))")
        return .off
    }

    private static func rates(_ path: String, _ values: inout SettingValues) -> RateCard? {
        let text: String
        do { text = try String(contentsOfFile: path, encoding: .utf8) } catch {
            values.report("REELPOOL_RATES", "cannot be read: \(path)")
            return nil
        }
        do throws(RateCardError) {
            let card = try RateCard(json: text)
            for kind in lengthless where card.needsBound(kind) {
                values.report("REELPOOL_RATES", "has a price by the minute for \(kind.rawValue), which has none")
            }
            return card
        } catch {
            values.report("REELPOOL_RATES", "in \(path): \(error.message)")
            return nil
        }
    }

    private static func charges(_ values: inout SettingValues) -> ChargePolicy {
        var charged: Set<FailureCategory> = []
        for name in values.list("REELPOOL_CHARGED_FAILURES") {
            switch FailureCategory(rawValue: name) {
            case .insufficientCredit?:
                values.report("REELPOOL_CHARGED_FAILURES", "has insufficientCredit, which is never charged")
            case let category?: charged.insert(category)
            case nil:
                let all = FailureCategory.allCases.map(\.rawValue).joined(separator: ", ")
                values.report("REELPOOL_CHARGED_FAILURES", "has an unknown category: \(name); there are \(all)")
            }
        }
        return ChargePolicy(chargedFailures: charged)
    }

    /// What users paid elsewhere has to find its way back to them.
    func checkCredits(_ values: inout SettingValues) {
        if credits.refundWebhook != nil, service.webhookSecret == nil {
            values.report("REELPOOL_REFUND_WEBHOOK", "needs REELPOOL_WEBHOOK_SECRET, which signs it")
        }
        guard credits.refundWebhook == nil, redisURI == nil else { return }
        for (ingress, name) in Self.doors where credits.billing[ingress] == .external && isOpen(ingress) {
            values.report(
                name, "is external, and nobody is told what to refund: set REELPOOL_REFUND_WEBHOOK or REELPOOL_REDIS")
        }
    }

    private func isOpen(_ ingress: Ingress) -> Bool {
        switch ingress {
        case .native: arrivals?.nativeQueues.isEmpty == false
        case .taskiq: arrivals?.taskiqQueues.isEmpty == false
        case .celery: arrivals?.celeryQueues.isEmpty == false
        case .http, .cli: service.apiToken != nil
        }
    }
}
