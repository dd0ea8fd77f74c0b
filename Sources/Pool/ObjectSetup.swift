internal import HTTPTransfer
internal import LocalObjects
internal import Logging
internal import Model
internal import ObjectsEdge
internal import ObjectsS3
internal import PoolConfig
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
    static let keptConnections = 32

    static func report(_ log: Logger) -> @Sendable (String, Failure) -> Void {
        { what, failure in
            log.warning("\(what)", metadata: ["error": "\(failure.message)", "detail": "\(failure.detail ?? "")"])
        }
    }
}
