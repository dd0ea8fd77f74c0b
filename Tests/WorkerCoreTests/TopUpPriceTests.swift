import Testing
import WorkerCore

@Suite("Prices of top-ups")
struct TopUpPriceTests {
    private static func credits(_ text: String) -> MicroCredits? { MicroCredits(text: text) }

    @Test("are read from pairs and from JSON alike")
    func forms() throws {
        let expected = ["price_1": Self.credits("100"), "price_2": Self.credits("12.5"), "price_3": Self.credits("0")]
        for text in [
            "price_1=100,price_2=12.5,price_3=0", " price_1 = 100 , price_2=12.50, price_3=0,",
            #"{"price_1": "100", "price_2": 12.5, "price_3": 0}"#, #" {"price_1":100,"price_2":"12.5","price_3":"0"}"#,
        ] {
            let prices = try TopUpPrices(text: text)
            #expect(prices.credits.mapValues(Optional.some) == expected, "\(text)")
        }
    }

    @Test(
        "are refused where they are none",
        arguments: [
            "", ",", "price_1", "price_1=", "=5", "price_1=-5", "price_1=a", "price_1=1.0000001", "price_1=5,price_1=6",
            "{}", "{", #"{"price_1": null}"#, #"{"price_1": 1e3}"#, #"["price_1"]"#,
        ])
    func wrong(text: String) {
        #expect(throws: TopUpPrices.Problem.self) { try TopUpPrices(text: text) }
    }

    @Test("come to a sum, of prices that are known")
    func sum() throws {
        let prices = try TopUpPrices(text: "a=10,b=0.000001,c=0")
        let bought: [(price: String, quantity: Int64)] = [("a", 3), ("b", 5), ("c", 9), ("a", 1)]
        #expect(try prices.credits(for: bought) == Self.credits("40.000005"))
        #expect(try prices.credits(for: []) == .zero)
        #expect(try prices.credits(for: [("a", .max)]) == nil)
        #expect(try prices.credits(for: [("a", 100_000_000), ("b", 1)]) == nil)
        #expect(throws: TopUpPrices.UnknownPrice(price: "d")) {
            try prices.credits(for: [("a", 1), ("d", 1)])
        }
    }
}
