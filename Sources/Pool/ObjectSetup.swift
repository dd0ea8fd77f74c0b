internal import HTTPTransfer
internal import LocalObjects
internal import Logging
internal import Model
internal import ObjectsEdge
internal import ObjectsS3
internal import PoolConfig
internal import S3
internal import StoreEdge
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
        return S3Objects(
            try client(given, userAgent), rules: try rules(given), ledger: ledger, now: now,
            report: report(log))
    }

    /// The store by what the control service says.
    static func store(
        of control: PoolSettings.Control, _ client: EdgeClient, worker: String, userAgent: String, log: Logger
    ) -> EdgeObjects {
        var http = HTTPClient.Settings(.environmentProxy, userAgent: userAgent)
        http.authorityFile = control.storeAuthorityFile
        http.keptLanes = keptLanes
        return EdgeObjects(client, worker: worker, http: HTTPClient(http), report: report(log))
    }

    /// A source, what is fetched ahead of it, and parts: of several jobs.
    private static let keptLanes = 32

    private static func report(_ log: Logger) -> @Sendable (String, Failure) -> Void {
        { what, failure in
            log.warning("\(what)", metadata: ["error": "\(failure.message)", "detail": "\(failure.detail ?? "")"])
        }
    }

    private static func client(_ store: PoolSettings.ObjectStore, _ userAgent: String) throws(Failure) -> S3Client {
        let style: S3Endpoint.Style =
            switch store.style {
            case .path: .path
            case .virtual: .virtualHost
            }
        guard let endpoint = S3Endpoint(url: store.endpoint, region: store.region, style: style) else {
            throw problem("REELPOOL_S3_ENDPOINT is not the URL of a store: a scheme, a host, and nothing behind them")
        }
        var http = HTTPClient.Settings(.open, userAgent: userAgent)
        http.authorityFile = store.authorityFile
        http.keptLanes = keptLanes
        let credentials = S3Credentials(
            accessKey: store.accessKey, secretKey: store.secretKey, sessionToken: store.sessionToken)
        return S3Client(
            endpoint: endpoint, credentials: credentials, http: HTTPClient(http), settings: S3ClientSettings())
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
