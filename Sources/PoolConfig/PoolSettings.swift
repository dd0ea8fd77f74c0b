package import WorkerCore

/// Everything that a daemon is told, checked.
package struct PoolSettings: Sendable {
    package enum Database: Sendable, Equatable {
        case sqlite(path: String)
        case postgres(uri: String)
    }

    package enum ResultForm: String, Sendable { case json, pickle }

    package struct Arrivals: Sendable {
        package var brokerURI: String
        package var authorityFile: String?
        package var nativeQueues: [String]
        package var taskiqQueues: [String]
        package var taskiqExchange: String
        package var taskiqDeadLetter: String
        package var taskiqPrefix: String?
        package var celeryQueues: [String]
        package var quarantineQueue: String
        package var taskNames: [String: JobKind]
    }

    package struct Service: Sendable {
        package var host: String
        package var port: Int
        package var apiToken: String?
        /// Of workers that come by the service.
        package var edgeToken: String?
        /// How long the URLs are good for that they read and write objects by.
        package var edgeURLSeconds: Int
        package var webhookSecret: String?
        package var privateWebhookHosts: [String]
    }

    /// Who pays for what.
    package struct Credits: Sendable {
        /// Each door's, and the prices; off where there are none.
        package var billing: BillingRules
        package var charges: ChargePolicy
        /// Where back ends are told what to refund, and what was released.
        package var refundWebhook: String?
        /// Labels, headers or arguments that say whose a job is, in turn.
        package var ownerFields: [String]
    }

    /// A store that speaks S3, and what tasks may name in it.
    package struct ObjectStore: Sendable {
        package enum Style: String, Sendable { case path, virtual }

        package var endpoint: String
        /// Where others reach it, if elsewhere.
        package var publicEndpoint: String?
        package var region: String
        package var style: Style
        package var accessKey: String
        package var secretKey: String
        package var sessionToken: String?
        package var authorityFile: String?
        /// By what patterns call them: raw, exports, assets.
        package var buckets: [String: String]
        package var readable: [String]
        package var writable: [String]
        /// Of pages that upload straight to the store.
        package var browserOrigins: [String]
    }

    /// Stripe, which tells what was paid.
    package struct Payments: Sendable, Equatable {
        /// Signs what it tells.
        package var secret: String
        package var prices: TopUpPrices
        /// For what it leaves out.
        package var key: String?
        package var url: String
    }

    /// The only way of a worker without a database to its pool.
    package struct Control: Sendable, Equatable {
        package var url: String
        package var token: String
        package var authorityFile: String?
        /// Of the object store that the service's URLs lead to.
        package var storeAuthorityFile: String?
    }

    /// Of no use where there is `control`.
    package var database: Database
    package var control: Control?
    package var arrivals: Arrivals?
    package var redisURI: String?
    package var resultSeconds: Int
    package var resultForm: ResultForm
    package var service: Service
    package var credits: Credits
    package var payments: Payments?
    package var name: String
    package var kinds: [JobKind]
    package var slots: Int
    package var memoryBytes: Int64
    package var caps: [JobKind: EffectiveCaps]
    package var requiresSandbox: Bool
    package var localFolders: [String]
    /// Where tasks' URLs may lead though it is private.
    package var sourceHosts: [String]
    /// Whether tasks may name http and https URLs as sources at all.
    package var allowsURLs: Bool
    package var objectStore: ObjectStore?
    package var leaseSeconds: Double
    package var drainSeconds: Double
    /// How much of a long render is encoded at a time; 0 is all of it.
    package var secondsPerChunk: Int
    /// The folder of the fonts that captions may name.
    package var fonts: String?
    package var maxAttempts: Int
    package var ownerLimits: OwnerLimits
    package var keepSucceededSeconds: Double
    package var keepFailedSeconds: Double
    package var logLevel: String
}

/// What the machine or container has.
package struct MachineLimits: Sendable {
    package var memoryBytes: Int64
    package var hostName: String

    package init(memoryBytes: Int64, hostName: String) {
        (self.memoryBytes, self.hostName) = (memoryBytes, hostName)
    }
}

extension PoolSettings {
    /// What a child needs beside what its cap counts: the parent's side of its channel, the kernel's share.
    package static let overheadBytes: Int64 = 256 << 20

    /// - Throws: `ConfigurationProblems` with every problem there is, not the first.
    package static func load(
        overrides: [String: String] = [:], environment: [String: String], file: String? = nil, machine: MachineLimits
    ) throws(ConfigurationProblems) -> PoolSettings {
        var values = SettingValues(overrides: overrides, environment: environment, file: file)
        let settings = read(&values, machine)
        settings.check(&values, machine)
        guard values.problems.isEmpty else { throw ConfigurationProblems(lines: values.problems) }
        return settings
    }

    private static func read(_ values: inout SettingValues, _ machine: MachineLimits) -> PoolSettings {
        let kinds = kinds(&values)
        let memory = values.bytes("REELPOOL_MEMORY") ?? machine.memoryBytes
        let slots = values.integer("REELPOOL_SLOTS")
        return PoolSettings(
            database: database(&values), control: control(&values), arrivals: arrivals(&values),
            redisURI: values.text("REELPOOL_REDIS"),
            resultSeconds: values.integer("REELPOOL_RESULT_SECONDS"), resultForm: resultForm(&values),
            service: service(&values), credits: credits(&values), payments: payments(&values),
            name: values.text("REELPOOL_NAME") ?? machine.hostName, kinds: kinds,
            slots: slots, memoryBytes: memory, caps: caps(&values, roomBytes: memory / Int64(slots) - overheadBytes),
            requiresSandbox: values.flag("REELPOOL_REQUIRE_SANDBOX"), localFolders: values.list("REELPOOL_ALLOW_LOCAL"),
            sourceHosts: values.list("REELPOOL_SOURCE_HOSTS"), allowsURLs: values.flag("REELPOOL_ALLOW_URLS"),
            objectStore: objectStore(&values),
            leaseSeconds: Double(values.integer("REELPOOL_LEASE_SECONDS")),
            drainSeconds: Double(values.integer("REELPOOL_DRAIN_SECONDS")),
            secondsPerChunk: values.integer("REELPOOL_CHUNK_SECONDS"), fonts: values.text("REELPOOL_FONTS"),
            maxAttempts: values.integer("REELPOOL_MAX_ATTEMPTS"),
            ownerLimits: OwnerLimits(
                running: values.integer("REELPOOL_OWNER_RUNNING"), queued: values.integer("REELPOOL_OWNER_QUEUED")),
            keepSucceededSeconds: 86_400 * Double(values.integer("REELPOOL_KEEP_SUCCEEDED_DAYS")),
            keepFailedSeconds: 86_400 * Double(values.integer("REELPOOL_KEEP_FAILED_DAYS")),
            logLevel: values.text("REELPOOL_LOG_LEVEL") ?? "info")
    }

    private static func kinds(_ values: inout SettingValues) -> [JobKind] {
        var kinds: [JobKind] = []
        for name in values.list("REELPOOL_KINDS") where name != "none" {
            if let kind = JobKind(rawValue: name) {
                if !kinds.contains(kind) { kinds.append(kind) }
            } else {
                values.report("REELPOOL_KINDS", "has an unknown kind: \(name)")
            }
        }
        return kinds
    }

    static func database(_ values: inout SettingValues) -> Database {
        let text = values.text("REELPOOL_DATABASE") ?? ""
        if text.hasPrefix("postgresql://") || text.hasPrefix("postgres://") { return .postgres(uri: text) }
        if text.hasPrefix("sqlite:"), text.count > 7 { return .sqlite(path: String(text.dropFirst(7))) }
        values.report("REELPOOL_DATABASE", "begins with postgresql:// or sqlite:")
        return .sqlite(path: "")
    }

    /// The job store alone, for what does not need the rest of a daemon's settings.
    ///
    /// - Throws: every problem there is, not the first.
    package static func loadDatabase(
        overrides: [String: String] = [:], environment: [String: String], file: String? = nil
    ) throws(ConfigurationProblems) -> Database {
        let own = environment.filter { $0.key == "REELPOOL_DATABASE" }
        var values = SettingValues(overrides: overrides, environment: own, file: file)
        let database = database(&values)
        guard values.problems.isEmpty else { throw ConfigurationProblems(lines: values.problems) }
        return database
    }

    private static func control(_ values: inout SettingValues) -> Control? {
        guard let url = values.text("REELPOOL_CONTROL") else { return nil }
        return Control(
            url: url, token: values.text("REELPOOL_EDGE_TOKEN") ?? "",
            authorityFile: values.text("REELPOOL_CONTROL_CA"), storeAuthorityFile: values.text("REELPOOL_S3_CA_FILE"))
    }

    private static func arrivals(_ values: inout SettingValues) -> Arrivals? {
        guard let uri = values.text("REELPOOL_BROKER") else { return nil }
        var names: [String: JobKind] = [:]
        for (name, text) in values.pairs("REELPOOL_TASK_NAMES") {
            if let kind = JobKind(rawValue: text) {
                names[name] = kind
            } else {
                values.report("REELPOOL_TASK_NAMES", "gives \(name) an unknown kind: \(text)")
            }
        }
        return Arrivals(
            brokerURI: uri, authorityFile: values.text("REELPOOL_BROKER_CA"),
            nativeQueues: values.list("REELPOOL_QUEUES_NATIVE"), taskiqQueues: values.list("REELPOOL_QUEUES_TASKIQ"),
            taskiqExchange: values.text("REELPOOL_TASKIQ_EXCHANGE") ?? "taskiq",
            taskiqDeadLetter: values.text("REELPOOL_TASKIQ_DEAD_LETTER") ?? "taskiq.dead_letter",
            taskiqPrefix: values.text("REELPOOL_TASKIQ_PREFIX"), celeryQueues: values.list("REELPOOL_QUEUES_CELERY"),
            quarantineQueue: values.text("REELPOOL_QUEUE_QUARANTINE") ?? "reelpool.quarantine", taskNames: names)
    }

    private static func resultForm(_ values: inout SettingValues) -> ResultForm {
        guard let form = ResultForm(rawValue: values.text("REELPOOL_RESULT_FORM") ?? "json") else {
            values.report("REELPOOL_RESULT_FORM", "is json or pickle")
            return .json
        }
        return form
    }

    private static func service(_ values: inout SettingValues) -> Service {
        Service(
            host: values.text("REELPOOL_HTTP_HOST") ?? "127.0.0.1", port: values.integer("REELPOOL_HTTP_PORT"),
            apiToken: values.text("REELPOOL_API_TOKEN"), edgeToken: values.text("REELPOOL_EDGE_TOKEN"),
            edgeURLSeconds: values.integer("REELPOOL_EDGE_URL_SECONDS"),
            webhookSecret: values.text("REELPOOL_WEBHOOK_SECRET"),
            privateWebhookHosts: values.list("REELPOOL_WEBHOOK_HOSTS"))
    }

    /// - Parameter roomBytes: what a slot can have; standard caps keep within it, given ones are checked against it.
    private static func caps(_ values: inout SettingValues, roomBytes: Int64) -> [JobKind: EffectiveCaps] {
        let minutes = values.integer("MAX_VIDEO_DURATION_MINUTES")
        let sourceBytes = Int64(values.integer("MAX_VIDEO_SIZE_GB")) << 30
        var caps: [JobKind: EffectiveCaps] = [:]
        for kind in JobKind.allCases where kind != .noop {
            let prefix = kind.rawValue.uppercased()
            let memory = values.bytes("\(prefix)_MEMORY") ?? 0
            caps[kind] = EffectiveCaps(
                memoryBytes: values.isGiven("\(prefix)_MEMORY") ? memory : min(memory, roomBytes),
                threads: kind.needsProcess ? values.integer("\(prefix)_FFMPEG_THREADS") : 1,
                wallSeconds: 60 * values.integer("\(prefix)_TIMEOUT_MINUTES"),
                stallSeconds: values.integer("\(prefix)_STALL_SECONDS"),
                outputBytes: values.bytes("\(prefix)_MAX_OUTPUT") ?? sourceBytes, sourceSeconds: 60 * minutes,
                sourceBytes: sourceBytes)
        }
        return caps
    }
}
