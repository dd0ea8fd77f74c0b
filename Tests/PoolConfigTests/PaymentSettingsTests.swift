import PoolConfig
import Testing
import WorkerCore

@Suite("A daemon's settings of payments")
struct PaymentSettingsTests {
    private static let secret = "whsec_5WbX5kEWLlfzsGNjH64I8lOOqUB6e8FH"
    private static let machine = MachineLimits(memoryBytes: 32 << 30, hostName: "box-7")

    private static func problems(_ environment: [String: String]) -> [String] {
        do {
            _ = try PoolSettings.load(environment: environment, machine: machine)
            return []
        } catch {
            return error.lines
        }
    }

    @Test("are absent unless there is a secret")
    func absent() throws {
        #expect(try PoolSettings.load(environment: [:], machine: Self.machine).payments == nil)
    }

    @Test("are a secret and prices, and a key to ask Stripe with")
    func present() throws {
        let settings = try PoolSettings.load(
            environment: [
                "REELPOOL_STRIPE_WEBHOOK_SECRET": Self.secret, "REELPOOL_STRIPE_PRICES": "price_1=100",
                "REELPOOL_STRIPE_KEY": "rk_live_1",
            ], machine: Self.machine)
        let payments = try #require(settings.payments)
        #expect(payments.secret == Self.secret && payments.key == "rk_live_1")
        #expect(payments.url == "https://api.stripe.com")
        let hundred = try #require(MicroCredits(text: "100"))
        #expect(payments.prices.credits == ["price_1": hundred])
    }

    @Test("are refused where they cannot be right, without showing a secret")
    func wrong() {
        let right = ["REELPOOL_STRIPE_WEBHOOK_SECRET": Self.secret, "REELPOOL_STRIPE_PRICES": "price_1=100"]
        let cases: [([String: String], String)] = [
            (["REELPOOL_STRIPE_KEY": "rk_live_1"], "REELPOOL_STRIPE_KEY"),
            (["REELPOOL_STRIPE_PRICES": "price_1=100"], "REELPOOL_STRIPE_PRICES"),
            (["REELPOOL_STRIPE_WEBHOOK_SECRET": Self.secret], "REELPOOL_STRIPE_PRICES"),
            (right.merging(["REELPOOL_STRIPE_PRICES": "price_1"]) { $1 }, "REELPOOL_STRIPE_PRICES"),
            (right.merging(["REELPOOL_STRIPE_WEBHOOK_SECRET": "whsec"]) { $1 }, "REELPOOL_STRIPE_WEBHOOK_SECRET"),
            (right.merging(["REELPOOL_STRIPE_URL": "http://api.stripe.com"]) { $1 }, "REELPOOL_STRIPE_URL"),
            (right.merging(["REELPOOL_STRIPE_URL": "http://127.0.0.1.evil.example"]) { $1 }, "REELPOOL_STRIPE_URL"),
        ]
        for (environment, name) in cases {
            let problems = Self.problems(environment)
            #expect(problems.count == 1 && problems.first?.hasPrefix(name) == true, "\(problems)")
            #expect(!problems.joined().contains(Self.secret))
        }
        let edge = right.merging([
            "REELPOOL_CONTROL": "https://pool.example", "REELPOOL_EDGE_TOKEN": "k4jd-93ls-p2m1-x8",
        ]) { $1 }
        #expect(Self.problems(edge).contains { $0.hasPrefix("REELPOOL_STRIPE_WEBHOOK_SECRET") })
    }

    @Test("leave the database to be read alone")
    func database() throws {
        #expect(try PoolSettings.loadDatabase(environment: ["RENDER_MEMROY": "x"]) == .sqlite(path: "reelpool.db"))
        let environment = ["REELPOOL_DATABASE": "postgresql://a@b/c"]
        #expect(try PoolSettings.loadDatabase(environment: environment) == .postgres(uri: "postgresql://a@b/c"))
        #expect(throws: ConfigurationProblems.self) {
            try PoolSettings.loadDatabase(environment: ["REELPOOL_DATABASE": "mysql://x"])
        }
    }
}
