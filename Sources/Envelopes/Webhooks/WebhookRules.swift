package import Model
package import WorkerCore

/// Where webhooks may go. What a URL leads to in the end is checked when it is connected to; this is what can be said
/// of its text, so that a sender hears of it at once.
package struct WebhookRules: Sendable, Equatable {
    static let longestURL = 2000

    package let addresses: AddressGuard

    /// - Parameter privateHosts: names, addresses and blocks that may be private, and spoken to without TLS.
    package init(privateHosts: [String] = []) { addresses = AddressGuard(allowing: privateHosts) }

    /// What is wrong with a URL, after its name; `nil` when nothing is.
    ///
    /// Narrow on purpose: what two readers of URLs could take for two hosts is none here.
    package func problem(with url: String) -> String? {
        guard url.utf8.count <= Self.longestURL, url.utf8.allSatisfy(Self.mayStand) else {
            return "has characters that a URL escapes, or is longer than \(Self.longestURL) bytes"
        }
        guard let match = url.wholeMatch(of: /(https?):\/\/([^\/?#]+)([\/?][^#]*)?/) else {
            return "should be an https URL without a fragment"
        }
        let parts = match.2.wholeMatch(of: /(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::([0-9]{1,5}))?/)
        guard let parts, parts.2.map({ Int($0).map((1...65_535).contains) ?? false }) ?? true else {
            return "should name a host, perhaps a port, and no user"
        }
        let host = String(parts.1)
        let isListed = addresses.isListed(host: host)
        if match.1 == "http", !isListed { return "should be https" }
        return isListed ? nil : Self.problem(withHost: host, addresses)
    }

    private static func problem(withHost host: String, _ addresses: AddressGuard) -> String? {
        let bare = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        if let address = IPAddress(bare) {
            return addresses.refusal(of: address, host: host) == nil ? nil : "leads to an address that is not public"
        }
        let labels = host.lowercased().split(separator: ".")
        guard !host.hasPrefix("["), let last = labels.last, labels.count > 1, last != "localhost", last != "local",
            last != "internal"
        else { return "should name a public host" }
        // Short and numeric spellings of addresses end in a number; names do not. Source: WHATWG URL, "ends in a number".
        guard !last.allSatisfy(\.isNumber), !last.hasPrefix("0x") else { return "has an address that is not whole" }
        return nil
    }

    private static func mayStand(_ byte: UInt8) -> Bool {
        (0x21...0x7E).contains(byte) && !"\"<>\\^`{|}".utf8.contains(byte)
    }
}

/// A sender's wish to be told by a webhook: what stands in `NewJob.reply`.
package struct WebhookOrder: Sendable, Equatable {
    package enum Event: String, Sendable, CaseIterable {
        case succeeded
        /// However it ended otherwise.
        case failed
    }

    private static let dialect = "webhook"

    package var url: String
    package var events: Set<Event>

    package init(url: String, events: Set<Event> = Set(Event.allCases)) { (self.url, self.events) = (url, events) }

    package var json: JSONValue {
        [
            "dialect": .string(Self.dialect), "url": .string(url),
            "events": .array(events.map(\.rawValue).sorted().map(JSONValue.string)),
        ]
    }

    /// `nil` when there is none, or the reply is for others.
    package init?(text: String?) {
        guard let text, let json = try? JSONValue(parsing: text), json["dialect"]?.stringValue == Self.dialect,
            let url = json["url"]?.stringValue
        else { return nil }
        self.url = url
        events = Set((json["events"]?.arrayValue ?? []).compactMap { $0.stringValue.flatMap(Event.init(rawValue:)) })
    }
}
