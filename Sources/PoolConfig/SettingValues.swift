internal import Configuration
internal import FoundationEssentials

/// What is wrong with a configuration, all of it.
package struct ConfigurationProblems: Error, CustomStringConvertible, Equatable {
    package let lines: [String]
    package var description: String { lines.joined(separator: "\n") }
}

/// Values of settings by name, from options, the environment, a file and standards, in that order.
struct SettingValues {
    private let reader: ConfigReader
    private(set) var problems: [String] = []

    /// - Parameter overrides: by variable name, as the command line gave them.
    init(overrides: [String: String], environment: [String: String], file: String?) {
        var providers: [any ConfigProvider] = [
            Self.provider(overrides.map { (Self.components($0), $1) }),
            EnvironmentVariablesProvider(environmentVariables: environment),
        ]
        var known = Set(Settings.all.map(\.name))
        known.formUnion(Self.elsewhere)
        let unknown = environment.keys.filter { name in
            !known.contains(name) && Settings.prefixes.contains { name.hasPrefix($0) }
                && !Self.elsewherePrefixes.contains { name.hasPrefix($0) }
        }
        problems += unknown.sorted().map { "\($0) is not a setting" }
        if let file {
            do {
                let tree = try JSONDecoder().decode(JSONTree.self, from: Data(contentsOf: URL(filePath: file)))
                let keys = Set(Settings.all.map(\.key))
                problems += tree.leaves.keys.filter { !keys.contains($0) }.sorted().map {
                    "\($0) in \(file) is not a setting"
                }
                providers.append(Self.provider(tree.leaves.map { ($0.split(separator: ".").map(String.init), $1) }))
            } catch {
                problems.append("the configuration file \(file) cannot be read: \(error)")
            }
        }
        reader = ConfigReader(providers: providers)
    }

    /// Variables of ours that are no settings of the daemon.
    private static let elsewhere: Set<String> = ["REELPOOL_CACHE", "REELPOOL_CONFIG", "REELPOOL_URL"]
    /// Of the tests and their servers.
    private static let elsewherePrefixes = ["REELPOOL_TEST_", "REELPOOL_SERVERS_"]

    private static func components(_ name: String) -> [String] {
        name.lowercased().split(separator: "_").map(String.init)
    }

    private static func provider(_ values: [([String], String)]) -> InMemoryProvider {
        let pairs = values.map { components, value in
            (AbsoluteConfigKey(components), ConfigValue(.string(value), isSecret: true))
        }
        return InMemoryProvider(values: Dictionary(pairs, uniquingKeysWith: { $1 }))
    }

    mutating func report(_ name: String, _ problem: String) { problems.append("\(name) \(problem)") }

    func text(_ name: String) -> String? {
        guard let setting = Settings.all.first(where: { $0.name == name }) else { return nil }
        return given(setting) ?? setting.standard
    }

    /// Whether the value was given, rather than being the standard one. Compose files give empty ones for unset ones.
    func isGiven(_ name: String) -> Bool { Settings.all.first { $0.name == name }.flatMap(given) != nil }

    private func given(_ setting: Setting) -> String? {
        let value = reader.string(forKey: ConfigKey(Self.components(setting.name)), isSecret: setting.isSecret)
        return value?.isEmpty == true ? nil : value
    }

    mutating func integer(_ name: String) -> Int {
        guard case .integer(let bounds) = Settings.all.first(where: { $0.name == name })?.form,
            let text = text(name)
        else { return 0 }
        guard let number = Int(text), bounds.contains(number) else {
            report(name, "is a whole number from \(bounds.lowerBound) to \(bounds.upperBound)")
            return bounds.lowerBound
        }
        return number
    }

    mutating func flag(_ name: String) -> Bool {
        switch text(name)?.lowercased() {
        case "true", "1", "yes", "on": return true
        case nil, "false", "0", "no", "off": return false
        default:
            report(name, "is true or false")
            return false
        }
    }

    mutating func bytes(_ name: String) -> Int64? {
        guard let text = text(name) else { return nil }
        guard let count = ByteCount.parse(text), count > 0 else {
            report(name, "is a number of bytes, such as 6g or 512m")
            return nil
        }
        return count
    }

    func list(_ name: String) -> [String] {
        (text(name) ?? "").split(separator: ",").map { $0.trimmed }.filter { !$0.isEmpty }
    }

    mutating func pairs(_ name: String) -> [(String, String)] {
        list(name).compactMap { entry in
            let halves = entry.split(separator: "=", maxSplits: 1).map { $0.trimmed }
            guard halves.count == 2, !halves[0].isEmpty, !halves[1].isEmpty else {
                report(name, "has an entry that is not name=value: \(entry)")
                return nil
            }
            return (halves[0], halves[1])
        }
    }
}

extension Substring {
    fileprivate var trimmed: String {
        var rest = self
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}

/// Sizes as Docker writes them: `512m`, `6g`, powers of 1024.
package enum ByteCount {
    package static func parse(_ text: String) -> Int64? {
        let lowered = text.lowercased()
        let digits = lowered.prefix { $0.isNumber }
        guard let number = Int64(digits) else { return nil }
        let shift: Int64? =
            switch lowered.dropFirst(digits.count) {
            case "", "b": 0
            case "k", "kb", "kib": 10
            case "m", "mb", "mib": 20
            case "g", "gb", "gib": 30
            case "t", "tb", "tib": 40
            default: nil
            }
        guard let shift else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
        return overflow ? nil : product
    }
}

/// A JSON document as names with dots and values as text; a list is its elements with commas between.
private indirect enum JSONTree: Decodable {
    case object([String: JSONTree])
    case leaf(String)

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let object = try? container.decode([String: JSONTree].self) {
            self = .object(object)
        } else if let list = try? container.decode([String].self) {
            self = .leaf(list.joined(separator: ","))
        } else if let flag = try? container.decode(Bool.self) {
            self = .leaf("\(flag)")
        } else if let number = try? container.decode(Int.self) {
            self = .leaf("\(number)")
        } else {
            self = .leaf(try container.decode(String.self))
        }
    }

    var leaves: [String: String] {
        switch self {
        case .leaf(let text): return ["": text]
        case .object(let members):
            var all: [String: String] = [:]
            for (name, value) in members {
                for (rest, text) in value.leaves {
                    all[rest.isEmpty ? name.lowercased() : "\(name.lowercased()).\(rest)"] = text
                }
            }
            return all
        }
    }
}
