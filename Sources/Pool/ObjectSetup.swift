internal import HTTPTransfer
internal import LocalObjects
internal import Logging
internal import Model
internal import ObjectsEdge
internal import ObjectsS3
internal import PoolConfig
internal import S3
internal import StoreEdge
internal import StoreSetup
internal import WorkerCore

/// What tasks may name, as the settings say it.
enum ObjectSetup {
    static func router(
        _ settings: PoolSettings, store: (any StoredObjects)?, userAgent: String,
        now: @escaping @Sendable () -> StoreTime
    ) -> ObjectRouter {
        var urls: URLSources?
        if settings.allowsURLs {
            let addresses = AddressGuard(allowing: settings.sourceHosts)
            urls = URLSources(HTTPClient(.init(.guarded(addresses), userAgent: userAgent)), now: now)
        }
        return ObjectRouter(local: LocalObjects(folders: settings.localFolders), store: store, urls: urls)
    }

    /// The store by its keys; `nil` where none is configured.
    static func store(
        _ settings: PoolSettings, ledger: any UploadLedger, userAgent: String,
        now: @escaping @Sendable () -> StoreTime, log: Logger
    ) throws(Failure) -> S3Objects? {
        guard let given = settings.objectStore else { return nil }
        let connection = try StoreConnection(given, userAgent: userAgent)
        return S3Objects(
            connection.client(keptConnections: keptConnections), rules: try rules(given), ledger: ledger, now: now,
            report: report(log))
    }

    /// Where the store is for those who come from outside.
    static func publicEndpoint(_ settings: PoolSettings, userAgent: String) throws(Failure) -> S3Endpoint? {
        guard let given = settings.objectStore else { return nil }
        return try StoreConnection(given, userAgent: userAgent).publicEndpoint
    }

    /// The store by what the control service says.
    static func store(
        of control: PoolSettings.Control, _ client: EdgeClient, worker: String, userAgent: String, log: Logger
    ) -> EdgeObjects {
        var http = HTTPClient.Settings(.environmentProxy, userAgent: userAgent)
        http.authorityFile = control.storeAuthorityFile
        http.keptLanes = keptConnections
        return EdgeObjects(client, worker: worker, http: HTTPClient(http), report: report(log))
    }

    /// A source, what is fetched ahead of it, and parts: of several jobs.
    private static let keptConnections = 32

    private static func report(_ log: Logger) -> @Sendable (String, Failure) -> Void {
        { what, failure in
            log.warning("\(what)", metadata: ["error": "\(failure.message)", "detail": "\(failure.detail ?? "")"])
        }
    }

    /// - Returns: `nil` where no bucket of originals is configured.
    static func uploads(
        _ settings: PoolSettings, userAgent: String, newID: @escaping @Sendable () -> String,
        now: @escaping @Sendable () -> StoreTime
    ) throws(Failure) -> (any UploadDesk)? {
        guard let given = settings.objectStore, let bucket = given.buckets["raw"] else { return nil }
        let connection = try StoreConnection(given, userAgent: userAgent)
        // The store's key is what all services of a pool have in common, and whoever has it needs no upload's id.
        return DirectUploads(
            connection.client(), endpoint: connection.publicEndpoint, rules: try rules(given), bucket: bucket,
            secret: given.secretKey,
            mostBytes: settings.caps[.render]?.sourceBytes ?? 0, newID: newID, now: now)
    }

    private static func rules(_ store: PoolSettings.ObjectStore) throws(Failure) -> ObjectRules {
        func patterns(_ texts: [String], _ name: String) throws(Failure) -> [ObjectRules.Pattern] {
            var patterns: [ObjectRules.Pattern] = []
            for text in texts {
                guard let pattern = ObjectRules.Pattern(text, buckets: store.buckets) else {
                    throw problem("\(name) has what is no bucket and folder: \(text)")
                }
                patterns.append(pattern)
            }
            return patterns
        }
        return ObjectRules(
            read: try patterns(store.readable, "REELPOOL_S3_READ_ALLOW"),
            write: try patterns(store.writable, "REELPOOL_S3_WRITE_ALLOW"))
    }

    private static func problem(_ message: String) -> Failure { Failure(code: .storageRefused, message: message) }
}
