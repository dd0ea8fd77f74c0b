internal import Model

/// Where a Redis is and how to log in there.
package struct RedisAddress: Sendable, Equatable, CustomStringConvertible {
    package enum Place: Sendable, Equatable {
        case tcp(host: String, port: Int)
        case unix(path: String)
    }

    package var place: Place
    /// `nil` for the default user.
    package var user: String?
    package var password: String?
    package var database: Int

    /// Reads `redis://user:password@host:port/database` or `unix:///path?db=database`.
    package init(url: String) throws(RedisError) {
        let invalid = RedisError(.invalidAddress, "Redis' address should be redis://user:password@host:port/database")
        if url.hasPrefix("rediss://") {
            throw RedisError(
                .invalidAddress,
                "rediss:// needs a hiredis with TLS, and 0.14 has none: use a tunnel on this machine, and redis://")
        }
        if let match = url.wholeMatch(of: /unix:\/\/(\/[^?]+)(?:\?db=(\d+))?/)?.output {
            place = .unix(path: String(match.1))
            database = match.2.flatMap { Int($0) } ?? 0
            return
        }
        let form = /redis:\/\/(?:([^:@\/]*)(?::([^@\/]*))?@)?(\[[^\]]+\]|[^:\/?@]+)(?::(\d+))?(?:\/(\d*))?/
        guard let match = url.wholeMatch(of: form)?.output else { throw invalid }
        let host = match.3.hasPrefix("[") ? match.3.dropFirst().dropLast() : match.3
        let port = match.4.flatMap { Int($0) } ?? 6379
        guard (1...65_535).contains(port) else { throw invalid }
        place = .tcp(host: String(host), port: port)
        database = match.5.flatMap { Int($0) } ?? 0
        if let text = match.1, !text.isEmpty {
            guard let decoded = PercentEncoding.decode(text) else { throw invalid }
            user = decoded
        }
        if let text = match.2, !text.isEmpty {
            guard let decoded = PercentEncoding.decode(text) else { throw invalid }
            password = decoded
        }
    }

    /// Without the password.
    package var description: String {
        switch place {
        case .tcp(let host, let port): "redis://\(host):\(port)/\(database)"
        case .unix(let path): "unix://\(path)?db=\(database)"
        }
    }
}
