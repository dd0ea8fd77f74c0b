import Foundation
import Model
import PoolConfig
import Testing
import WorkerCore

@Suite("The settings of billing")
struct CreditSettingsTests {
    private static let machine = MachineLimits(memoryBytes: 32 << 30, hostName: "box-7")
    private static let card = #"{"version": 3, "kinds": {"render": {"per_minute": {"1080p": "1.5"}}}}"#

    private static func withCard<Value>(_ text: String = card, _ body: (String) throws -> Value) throws -> Value {
        let path = FileManager.default.temporaryDirectory.path + "/reelpool-rates-\(UUID().uuidString).json"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }

    private static func problems(_ environment: [String: String]) -> [String] {
        do {
            _ = try PoolSettings.load(environment: environment, machine: machine)
            return []
        } catch {
            return error.lines
        }
    }

    private static func names(_ environment: [String: String]) -> [String] {
        problems(environment).compactMap { $0.split(separator: " ").first.map(String.init) }
    }

    @Test("make one side keep the books of each door, in every combination that there is")
    func combinations() throws {
        let choices: [Billing?] = [nil] + Billing.allCases.map { $0 }
        let doors = Ingress.allCases
        try Self.withCard { path in
            let combinations = doors.reduce([[Billing?]()]) { lists, _ in
                lists.flatMap { l in choices.map { l + [$0] } }
            }
            #expect(combinations.count == 1024)
            for (index, combination) in combinations.enumerated() {
                var environment = ["REELPOOL_RATES": path]
                for (door, billing) in zip(doors, combination) {
                    environment["REELPOOL_BILLING_\(door.rawValue.uppercased())"] = billing?.rawValue
                }
                let settings = try PoolSettings.load(environment: environment, machine: Self.machine)
                for (door, billing) in zip(doors, combination) {
                    #expect(settings.credits.billing[door] == billing ?? .usual(for: door))
                }
                // Without prices the same words are refused, but for those that ask for nothing; some of them will do.
                guard index % 31 == 0 else { continue }
                environment["REELPOOL_RATES"] = nil
                let wanted = combination.compactMap(\.self).filter { $0 != .off }.count
                #expect(Self.problems(environment).count == wanted)
            }
        }
    }

    @Test("leave everything unbilled where there are no prices")
    func off() throws {
        let settings = try PoolSettings.load(environment: [:], machine: Self.machine)
        #expect(settings.credits.billing.rates == nil && settings.credits.ownerFields == ["owner", "user_id"])
        for door in Ingress.allCases { #expect(settings.credits.billing[door] == .off) }
    }

    @Test("that are wrong or of no use are refused, each by its name")
    func wrong() throws {
        #expect(Self.names(["REELPOOL_RATES": "/nowhere/rates.json"]) == ["REELPOOL_RATES"])
        #expect(Self.names(["REELPOOL_CHARGED_FAILURES": "invalidInput"]) == ["REELPOOL_CHARGED_FAILURES"])
        #expect(Self.names(["REELPOOL_REFUND_WEBHOOK": "https://a.example/x"]).first == "REELPOOL_REFUND_WEBHOOK")
        try Self.withCard { path in
            func names(_ more: [String: String]) -> [String] {
                Self.names(more.merging(["REELPOOL_RATES": path]) { $1 })
            }
            #expect(names(["REELPOOL_BILLING_HTTP": "internal,external"]) == ["REELPOOL_BILLING_HTTP"])
            #expect(names(["REELPOOL_BILLING_CELERY": "both"]) == ["REELPOOL_BILLING_CELERY"])
            #expect(names(["REELPOOL_CHARGED_FAILURES": "cancelled,bad"]) == ["REELPOOL_CHARGED_FAILURES"])
            #expect(names(["REELPOOL_CHARGED_FAILURES": "insufficientCredit"]) == ["REELPOOL_CHARGED_FAILURES"])
            #expect(names(["REELPOOL_REFUND_WEBHOOK": "https://a.example/x"]) == ["REELPOOL_REFUND_WEBHOOK"])
            // What was debited elsewhere has to find its way back.
            let broker = ["REELPOOL_BROKER": "amqp://pool:a-good-password@mq/media"]
            #expect(names(broker) == ["REELPOOL_BILLING_NATIVE"])
            #expect(names(broker.merging(["REELPOOL_REDIS": "redis://cache"]) { $1 }) == [])
            #expect(names(broker.merging(["REELPOOL_BILLING_NATIVE": "internal"]) { $1 }) == [])
            let edge = ["REELPOOL_CONTROL": "https://c.example", "REELPOOL_EDGE_TOKEN": "tg61-nv08-wr35-kz92"]
            #expect(names(edge) == ["REELPOOL_RATES"], "prices are the service's")
        }
        let cards = [
            "{", #"{"version": 1}"#, #"{"version": 1, "kinds": {"download": {"per_minute": {"audio": "1"}}}}"#,
        ]
        for card in cards {
            try Self.withCard(card) { path in
                #expect(Self.names(["REELPOOL_RATES": path]) == ["REELPOOL_RATES"], "\(card)")
            }
        }
    }

    @Test("name what is charged though it failed, and where owners are found")
    func values() throws {
        try Self.withCard { path in
            let settings = try PoolSettings.load(
                environment: [
                    "REELPOOL_RATES": path, "REELPOOL_CHARGED_FAILURES": "invalidInput, cancelled",
                    "REELPOOL_OWNER_FIELDS": "account, tenant",
                ], machine: Self.machine)
            #expect(settings.credits.charges.chargedFailures == [.invalidInput, .cancelled])
            #expect(settings.credits.ownerFields == ["account", "tenant"])
            #expect(settings.credits.billing.rates?.version == 3)
        }
    }
}
