internal import Model

/// Where a broker is and how to log in there.
package struct RabbitMQAddress: Sendable, Equatable, CustomStringConvertible {
    package struct TLS: Sendable, Equatable {
        /// A PEM file of the authorities to trust; `nil` for the system's.
        package var authorities: String?
        /// PEM files of a certificate of our own and its key.
        package var certificate: (chain: String, key: String)?
        /// The broker's certificate must be signed by an authority, and be for its host name.
        package var verifiesPeer = true

        package init() {}

        package static func == (left: TLS, right: TLS) -> Bool {
            left.authorities == right.authorities && left.certificate?.chain == right.certificate?.chain
                && left.certificate?.key == right.certificate?.key && left.verifiesPeer == right.verifiesPeer
        }
    }

    package var host: String
    package var port: Int
    package var user: String
    package var password: String
    package var virtualHost: String
    package var tls: TLS?

    /// Reads `amqp://user:password@host:port/vhost`, or `amqps` with `?cacertfile=…&certfile=…&keyfile=…&verify=verify_none`.
    ///
    /// Source: RabbitMQ's URI specification and its query parameters.
    package init(url: String) throws(QueueError) {
        let invalid = QueueError(.invalidAddress, "the broker's address should be amqp://user:password@host:port/vhost")
        let form =
            /(amqps?):\/\/(?:([^:@\/]*)(?::([^@\/]*))?@)?(\[[^\]]+\]|[^:\/?@]+)(?::(\d+))?(?:\/([^?\/]*))?(?:\?(.*))?/
        guard let match = url.wholeMatch(of: form)?.output, let name = Self.decoded(match.4) else { throw invalid }
        let secure = match.1 == "amqps"
        host = name.hasPrefix("[") ? String(name.dropFirst().dropLast()) : name
        port = match.5.flatMap { Int($0) } ?? (secure ? 5671 : 5672)
        guard (1...65_535).contains(port), let user = Self.decoded(match.2 ?? "guest"),
            let password = Self.decoded(match.3 ?? "guest"), let virtualHost = Self.decoded(match.6 ?? "%2F")
        else { throw invalid }
        (self.user, self.password) = (user, password)
        self.virtualHost = virtualHost.isEmpty ? "/" : virtualHost
        tls = secure ? TLS() : nil
        var chain: String?
        var key: String?
        for item in (match.7 ?? "").split(separator: "&") {
            let pair = item.split(separator: "=", maxSplits: 1).map { Self.decoded($0) }
            guard pair.count == 2, let option = pair[0], let value = pair[1] else { throw invalid }
            switch option {
            case "cacertfile": tls?.authorities = value
            case "certfile": chain = value
            case "keyfile": key = value
            case "verify": tls?.verifiesPeer = value != "verify_none"
            default: throw QueueError(.invalidAddress, "\"\(option)\" is no option of a broker's address")
            }
        }
        if let chain, let key { tls?.certificate = (chain, key) }
    }

    /// Without the password.
    package var description: String { "\(tls == nil ? "amqp" : "amqps")://\(user)@\(host):\(port)/\(virtualHost)" }

    /// `nil` also for what holds U+0000, which ends a text in C.
    private static func decoded(_ text: Substring) -> String? {
        PercentEncoding.decode(text).flatMap { $0.utf8.contains(0) ? nil : $0 }
    }
}
