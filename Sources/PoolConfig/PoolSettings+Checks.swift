internal import WorkerCore

/// What is well-formed and still wrong.
extension PoolSettings {
    private static let levels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]
    private static let shortestSecret = 16
    private static let commonSecrets = [
        "secret", "password", "changeme", "change-me", "reelpool", "token", "admin", "test",
    ]

    func check(_ values: inout SettingValues, _ machine: MachineLimits) {
        checkMemory(&values, machine)
        checkSecrets(&values)
        if let objectStore { Self.check(objectStore, &values) }
        if let payments { checkPayments(payments, &values) }
        if let control { checkControl(control, &values) } else { checkCredits(&values) }
        if !Self.levels.contains(logLevel) {
            values.report("REELPOOL_LOG_LEVEL", "is one of \(Self.levels.joined(separator: ", "))")
        }
        for folder in localFolders where !folder.hasPrefix("/") {
            values.report("REELPOOL_ALLOW_LOCAL", "has a folder that is not an absolute path: \(folder)")
        }
        if let arrivals {
            let scheme = arrivals.brokerURI.split(separator: ":").first
            if scheme != "amqp" && scheme != "amqps" {
                values.report("REELPOOL_BROKER", "begins with amqp:// or amqps://")
            }
            let queues = arrivals.nativeQueues + arrivals.taskiqQueues + arrivals.celeryQueues
            if queues.isEmpty { values.report("REELPOOL_BROKER", "is set, and no queue to read") }
            if Set(queues).count < queues.count {
                values.report("REELPOOL_QUEUES_NATIVE, _TASKIQ and _CELERY", "name one queue twice")
            }
            if queues.contains(arrivals.quarantineQueue) {
                values.report("REELPOOL_QUEUE_QUARANTINE", "is read for arrivals as well")
            }
            if redisURI == nil, !(arrivals.taskiqQueues + arrivals.celeryQueues).isEmpty {
                values.report("REELPOOL_REDIS", "is needed: TaskIQ's and Celery's clients read their results there")
            }
        }
        if let redisURI, !redisURI.hasPrefix("redis://"), !redisURI.hasPrefix("rediss://") {
            values.report("REELPOOL_REDIS", "begins with redis:// or rediss://")
        }
    }

    /// Whether what is said to a URL is heard by nobody on the way.
    static func isHeardByNobodyElse(_ url: String) -> Bool {
        url.hasPrefix("https://")
            || ["http://127.0.0.1", "http://[::1]", "http://localhost"].contains { prefix in
                url.hasPrefix(prefix) && [":", "/", nil].contains(url.dropFirst(prefix.count).first)
            }
    }

    /// Such a worker has one door, and nothing that it could lose besides its token.
    private func checkControl(_ control: Control, _ values: inout SettingValues) {
        if !Self.isHeardByNobodyElse(control.url) {
            values.report("REELPOOL_CONTROL", "begins with https://: the token would be seen by all on the way")
        }
        if control.token.isEmpty { values.report("REELPOOL_EDGE_TOKEN", "is needed with REELPOOL_CONTROL") }
        if kinds.isEmpty {
            values.report("REELPOOL_CONTROL", "is for workers: the service itself needs REELPOOL_DATABASE")
        }
        let served =
            [
                "REELPOOL_DATABASE", "REELPOOL_BROKER", "REELPOOL_REDIS", "REELPOOL_STRIPE_WEBHOOK_SECRET",
                "REELPOOL_STRIPE_KEY",
            ] + Self.creditNames
        for name in served where values.isGiven(name) {
            values.report(name, "is of no use to a worker with REELPOOL_CONTROL, and should not be there")
        }
        // Whom to trust is no secret.
        for setting in Settings.all
        where setting.name.hasPrefix("REELPOOL_S3_") && setting.name != "REELPOOL_S3_CA_FILE"
            && values.isGiven(setting.name)
        {
            values.report(
                setting.name,
                "is the control service's: a worker with REELPOOL_CONTROL reads and writes objects by URLs that are signed "
                    + "there, and should have no credentials of the store")
        }
    }

    /// Every slot at its cap at once must fit, or the kernel chooses what dies.
    private func checkMemory(_ values: inout SettingValues, _ machine: MachineLimits) {
        if memoryBytes > machine.memoryBytes {
            values.report(
                "REELPOOL_MEMORY", "is more than there is: \(memoryBytes >> 20) MB of \(machine.memoryBytes >> 20) MB")
        }
        guard let largest = kinds.compactMap({ caps[$0]?.memoryBytes }).max() else { return }
        let needed = Int64(slots) * (largest + Self.overheadBytes)
        if needed > memoryBytes {
            values.report(
                "REELPOOL_SLOTS",
                "times the largest memory of its kinds does not fit: \(slots) × (\(largest >> 20) MB + "
                    + "\(Self.overheadBytes >> 20) MB) = \(needed >> 20) MB of \(memoryBytes >> 20) MB")
        }
    }

    static func isWeak(_ secret: String) -> Bool {
        secret.utf8.count < shortestSecret || isGuessed(secret) || Set(secret).count < 5
    }

    /// The words of an example are known to everybody, too.
    private static func isGuessed(_ secret: String) -> Bool {
        commonSecrets.contains(secret.lowercased()) || secret.lowercased().hasPrefix("change-this")
    }

    private func checkSecrets(_ values: inout SettingValues) {
        func weak(_ secret: String) -> Bool { Self.isWeak(secret) }
        func isGuessed(_ secret: String) -> Bool { Self.isGuessed(secret) }
        func checkPassword(_ name: String, _ uri: String) {
            guard let user = Self.userInfo(uri), user.contains(":") else { return }
            let password = String(user.drop { $0 != ":" }.dropFirst())
            if isGuessed(password) || password == "postgres" || password == "guest" {
                values.report(name, "has a password that anyone guesses")
            }
        }
        if let token = service.apiToken, weak(token) {
            values.report(
                "REELPOOL_API_TOKEN", "is too weak: at least \(Self.shortestSecret) characters that none guesses")
        }
        if let token = service.edgeToken {
            if weak(token) {
                values.report(
                    "REELPOOL_EDGE_TOKEN", "is too weak: at least \(Self.shortestSecret) characters that none guesses")
            }
            if token == service.apiToken {
                values.report("REELPOOL_EDGE_TOKEN", "is the scheduler's token: it is to be another one")
            }
        }
        if let secret = service.webhookSecret, weak(secret) {
            values.report(
                "REELPOOL_WEBHOOK_SECRET", "is too weak: at least \(Self.shortestSecret) characters that none guesses")
        }
        if let arrivals, Self.userInfo(arrivals.brokerURI).map({ $0 == "guest:guest" || $0 == "guest" }) ?? true {
            values.report("REELPOOL_BROKER", "needs a user of its own: guest is RabbitMQ's well-known one")
        } else if let arrivals {
            checkPassword("REELPOOL_BROKER", arrivals.brokerURI)
        }
        if case .postgres(let uri) = database { checkPassword("REELPOOL_DATABASE", uri) }
        if let redisURI { checkPassword("REELPOOL_REDIS", redisURI) }
    }

    /// `user:password` of a URI; `nil` where it has none.
    private static func userInfo(_ uri: String) -> Substring? {
        guard let slashes = uri.firstRange(of: "://") else { return nil }
        let authority = uri[slashes.upperBound...].prefix { $0 != "/" && $0 != "?" }
        guard let at = authority.lastIndex(of: "@") else { return nil }
        return authority[..<at]
    }
}
