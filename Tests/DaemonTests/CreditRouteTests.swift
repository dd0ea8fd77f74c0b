import Foundation
import Model
import PoolTestSupport
import SQLStore
import StorePostgres
import TestSupport
import Testing
import WorkerCore

@Suite("Credit over HTTP")
struct CreditRouteTests {
    @Test("is given once for a key, and shown")
    func grants() async throws {
        try await RunningPool.with(command: ["serve"]) { pool in
            func grant(_ amount: JSONValue, _ key: String?, owner: String = "ann") async throws -> RunningPool.Answer {
                try await pool.post(
                    "/v1/credits/\(owner)/grants", ["amount": amount],
                    headers: key.map { ["Idempotency-Key: \($0)"] } ?? [])
            }
            let first = try await grant("12.5", "a")
            #expect(first.status == 201, "\(first.body)")
            let again = try await grant("12.5", "a")
            #expect(again.status == 200 && again.json["entry"] == first.json["entry"])
            #expect(again.json["balance"] == ["owner": "ann", "available": "12.5", "held": "0"])
            let taken = try await grant("13", "a")
            #expect(taken.status == 409 && taken.json["code"] == "key_taken")
            #expect(try await grant("1", nil).status == 400)
            #expect(try await grant("1", String(repeating: "k", count: 201)).status == 400)
            for amount: JSONValue in ["0", "-1", "1.1234567", "many", 5, "1000000000000"] {
                let answer = try await grant(amount, "b")
                #expect(
                    answer.status == 422 && answer.json["code"] == "invalid_entry", "\(amount.text): \(answer.body)")
            }
            let misspelt = try await pool.post(
                "/v1/credits/ann/grants", ["amont": "1"], headers: ["Idempotency-Key: c"])
            #expect(misspelt.json["code"] == "unknown_field")
            #expect(try await grant("3", "d", owner: "b%2Fo%20b").status == 201)
            #expect(try await pool.get("/v1/credits/b%2Fo%20b").json["available"] == "3")
            #expect(try await pool.get("/v1/credits/nobody").json["available"] == "0")
            #expect(try await pool.get("/v1/credits/\(String(repeating: "o", count: 201))").status == 422)
            #expect(try await pool.get("/v1/credits/ann").json["available"] == "12.5")
        }
    }

    @Test("has a statement in pages")
    func statement() async throws {
        try await RunningPool.with(command: ["serve"]) { pool in
            for number in 1...5 {
                let answer = try await pool.post(
                    "/v1/credits/ann/grants", ["amount": .string("\(number)"), "note": .string("n\(number)")],
                    headers: ["Idempotency-Key: \(number)"])
                #expect(answer.status == 201)
            }
            var (seen, next): ([String], String) = ([], "")
            var pages = 0
            repeat {
                let page = try await pool.get("/v1/credits/ann/statement?limit=2\(next)").json
                for entry in page["entries"]?.arrayValue ?? [] {
                    let (amount, free) = (
                        entry["amount"]?.stringValue ?? "", entry["balance"]?["available"]?.stringValue
                    )
                    seen.append("\(amount) \(free ?? "")")
                    #expect(entry["note"] == .string("n\(amount)") && entry["job"]?.isNull == true)
                }
                next = page["next_before"]?.integerValue.map { "&before=\($0)" } ?? ""
                pages += 1
            } while !next.isEmpty && pages < 9
            #expect(seen == ["5 15", "4 10", "3 6", "2 3", "1 1"] && pages == 3)
            for query in ["limit=0", "limit=501", "limit=x", "before=x", "before=0"] {
                #expect(try await pool.get("/v1/credits/ann/statement?\(query)").status == 400, "\(query)")
            }
            #expect(try await pool.get("/v1/credits/ann", token: nil).status == 401)
            #expect(try await pool.get("/v1/credits/ann/statement", token: nil).status == 401)
            #expect(try await pool.call("POST", "/v1/credits/ann/grants", body: [:], token: nil).status == 401)
            let document = try await pool.get("/openapi.json", token: nil).json
            for path in ["", "/statement", "/grants"] {
                #expect(document["paths"]?["/v1/credits/{owner}\(path)"] != nil)
            }
        }
    }

    @Test(
        "is nothing that a worker's database user may ask for",
        .enabled(if: Servers.hasPostgres, "REELPOOL_TEST_POSTGRES names no server"))
    func role() async throws {
        let role = "w\(UUID().uuidString.lowercased().replacing("-", with: "").prefix(12))"
        let address = Servers.shared.postgresURL
        func psql(_ commands: String) async throws {
            let words = [address, "-qc", commands]
            _ = try await blocking { try Command.output("psql", words) }
        }
        try await psql("CREATE SCHEMA \(role); CREATE ROLE \(role) LOGIN PASSWORD 'w0rk-w0rk' NOINHERIT")
        let search = "?options=-csearch_path%3D\(role)"
        let store = SQLJobStore(
            try PostgresDatabase(.init(uri: address + search, connections: 1)),
            policy: StorePolicy(ownerLimits: [:], backoff: Backoff(baseSeconds: 1, capSeconds: 1)))
        try await store.migrate()
        try await store.grantWorker(role)
        await store.close()
        let place = try #require(address.firstMatch(of: /@(.+)$/)).1
        let database = "postgresql://\(role):w0rk-w0rk@\(place)\(search)"
        let secret = StripeShop.secret
        try await RunningPool.with(
            [
                "REELPOOL_DATABASE": database, "REELPOOL_STRIPE_WEBHOOK_SECRET": secret,
                "REELPOOL_STRIPE_PRICES": "price_small=10",
            ], command: ["serve"]
        ) { pool in
            #expect(try await pool.get("/readyz", token: nil).status == 200)
            for path in ["", "/statement"] {
                let answer = try await pool.get("/v1/credits/ann\(path)")
                #expect(answer.status == 403 && answer.json["code"] == "store_forbidden", "\(answer.body)")
            }
            let answer = try await pool.post(
                "/v1/credits/ann/grants", ["amount": "1"], headers: ["Idempotency-Key: a"])
            #expect(answer.status == 403 && answer.json["code"] == "store_forbidden", "\(answer.body)")
            let words = ["REELPOOL_DATABASE=\(database)", Fixture.program, "credits", "balance", "ann"]
            let result = try await blocking { try Command.run("env", words) }
            #expect(result.status == 74 && result.errors.contains("[store_forbidden]"), "\(result.errors)")
        }
        try await psql("DROP SCHEMA \(role) CASCADE; DROP OWNED BY \(role); DROP ROLE \(role)")
    }
}
