internal import Model

/// `{"version": 3, "kinds": {"render": {"per_minute": {"1080p": "1.5", "audio": "0.2"}, "minutes": "started",
/// "least": "0.5"}, "probe": {"per_job": "0"}}}`: amounts are credits in decimal, as text. Nothing unknown is passed over.
extension RateCard {
    package init(json text: String) throws(RateCardError) {
        let json: JSONValue
        do { json = try JSONValue(parsing: text) } catch { throw .notJSON(reason: "\(error)") }
        let members = try Self.members(json, "", known: ["version", "kinds"])
        guard let version = members["version"]?.integerValue, version >= 1 else {
            throw .invalid(path: "version", reason: "should be a whole number from 1 on")
        }
        guard let kinds = members["kinds"] else { throw .invalid(path: "kinds", reason: "is missing") }
        var prices: [JobKind: Price] = [:]
        let known = Set(JobKind.allCases.map(\.rawValue))
        for (name, price) in try Self.members(kinds, "kinds", known: known).sorted(by: { $0.key < $1.key }) {
            guard let kind = JobKind(rawValue: name) else { continue }
            prices[kind] = try Self.price(price, "kinds.\(name)")
        }
        self.init(version: version, prices: prices)
    }

    private static func price(_ json: JSONValue, _ path: String) throws(RateCardError) -> Price {
        let members = try members(json, path, known: ["per_job", "per_minute", "minutes", "least"])
        switch (members["per_job"], members["per_minute"]) {
        case (let amount?, nil):
            for name in ["minutes", "least"] where members[name] != nil {
                throw .invalid(path: "\(path).\(name)", reason: "belongs to a price by the minute")
            }
            return .perJob(try self.amount(amount, "\(path).per_job"))
        case (nil, let amounts?): return try perMinute(amounts, members, path)
        default: throw .invalid(path: path, reason: "should have one of per_job and per_minute")
        }
    }

    private static func perMinute(
        _ json: JSONValue, _ members: [String: JSONValue], _ path: String
    ) throws(RateCardError) -> Price {
        var amounts: [ResolutionClass: MicroCredits] = [:]
        let known = Set(ResolutionClass.allCases.map(\.rawValue))
        let classes = try self.members(json, "\(path).per_minute", known: known)
        for (name, value) in classes.sorted(by: { $0.key < $1.key }) {
            guard let resolution = ResolutionClass(rawValue: name) else { continue }
            amounts[resolution] = try amount(value, "\(path).per_minute.\(name)")
        }
        guard !amounts.isEmpty else { throw .invalid(path: "\(path).per_minute", reason: "should have a price") }
        var minutes = Minutes.measured
        if let value = members["minutes"] {
            guard let name = value.stringValue, let named = Minutes(rawValue: name) else {
                throw .invalid(path: "\(path).minutes", reason: "is started or measured")
            }
            minutes = named
        }
        var least = MicroCredits.zero
        if let value = members["least"] { least = try amount(value, "\(path).least") }
        return .perMinute(amounts, minutes: minutes, least: least)
    }

    private static func amount(_ json: JSONValue, _ path: String) throws(RateCardError) -> MicroCredits {
        guard let text = json.stringValue, let amount = MicroCredits(text: text), amount >= .zero else {
            throw .invalid(path: path, reason: "should be credits as text, such as \"12.5\", with at most six decimals")
        }
        return amount
    }

    private static func members(
        _ json: JSONValue, _ path: String, known: Set<String>
    ) throws(RateCardError) -> [String: JSONValue] {
        guard let members = json.objectValue else {
            throw .invalid(path: path, reason: path.isEmpty ? "a rate card is an object" : "should be an object")
        }
        if let stranger = members.keys.sorted().first(where: { !known.contains($0) }) {
            throw .unknownField(path: path.isEmpty ? stranger : "\(path).\(stranger)")
        }
        return members
    }
}
