internal import Logging
internal import Model
internal import ObjectsS3
internal import PoolConfig
internal import S3
internal import StoreSetup
internal import WorkerCore

/// The store by its keys, and who may have what in it.
struct KeyedStore {
    private let connection: StoreConnection
    private let rules: ObjectRules
    private let settings: PoolSettings.ObjectStore
    /// Of an original that is uploaded.
    private let mostBytes: Int64

    /// - Returns: `nil` where no store is configured.
    init?(_ settings: PoolSettings, userAgent: String) throws(Failure) {
        guard let store = settings.objectStore else { return nil }
        connection = try StoreConnection(store, userAgent: userAgent)
        rules = try Self.rules(store)
        self.settings = store
        mostBytes = settings.caps[.render]?.sourceBytes ?? 0
    }

    /// Where the store is for those who come from outside.
    var publicEndpoint: S3Endpoint { connection.publicEndpoint }

    func objects(ledger: any UploadLedger, now: @escaping @Sendable () -> StoreTime, log: Logger) -> S3Objects {
        S3Objects(
            connection.client(keptConnections: ObjectSetup.keptConnections), rules: rules, ledger: ledger, now: now,
            report: ObjectSetup.report(log))
    }

    /// - Returns: `nil` where no bucket of originals is configured.
    func uploads(
        newID: @escaping @Sendable () -> String, now: @escaping @Sendable () -> StoreTime
    ) -> (any UploadDesk)? {
        guard let bucket = settings.buckets["raw"] else { return nil }
        // The store's key is what all services of a pool have in common, and whoever has it needs no upload's id.
        return DirectUploads(
            connection.client(), endpoint: publicEndpoint, rules: rules, bucket: bucket, secret: settings.secretKey,
            mostBytes: mostBytes, newID: newID, now: now)
    }

    private static func rules(_ store: PoolSettings.ObjectStore) throws(Failure) -> ObjectRules {
        func patterns(_ texts: [String], _ name: String) throws(Failure) -> [ObjectRules.Pattern] {
            var patterns: [ObjectRules.Pattern] = []
            for text in texts {
                guard let pattern = ObjectRules.Pattern(text, buckets: store.buckets) else {
                    throw Failure(code: .storageRefused, message: "\(name) has what is no bucket and folder: \(text)")
                }
                patterns.append(pattern)
            }
            return patterns
        }
        return ObjectRules(
            read: try patterns(store.readable, "REELPOOL_S3_READ_ALLOW"),
            write: try patterns(store.writable, "REELPOOL_S3_WRITE_ALLOW"))
    }
}
