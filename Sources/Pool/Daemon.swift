package import Logging
package import PoolConfig
internal import WorkerCore

/// One process of a pool.
package protocol Daemon: Sendable {
    /// Works until it is drained.
    func run() async throws
    /// Takes no more; the second call does not wait for what runs.
    func drain() async
}

/// Puts together what the settings ask for: a worker or service at the database, or a worker without one.
///
/// - Parameters:
///   - codecProgram: path of `reelpool-codec`.
///   - instance: different with every start.
package func makeDaemon(
    _ settings: PoolSettings, codecProgram: String, instance: String, version: String, log: Logger
) throws -> any Daemon {
    if let control = settings.control {
        return try EdgeDaemon(
            settings, control, codecProgram: codecProgram, instance: instance, version: version, log: log)
    }
    return try PoolDaemon(settings, codecProgram: codecProgram, instance: instance, version: version, log: log)
}

extension WorkerSettings {
    init(_ settings: PoolSettings, instance: String, version: String) {
        self.init(
            name: settings.name, instance: instance, version: version, kinds: settings.kinds, slots: settings.slots,
            memoryBytes: settings.memoryBytes - Int64(settings.slots) * PoolSettings.overheadBytes,
            caps: settings.caps)
        leaseSeconds = settings.leaseSeconds
        renewSeconds = settings.leaseSeconds / 3
        giveUpSeconds = settings.leaseSeconds * 2 / 3
        drainSeconds = settings.drainSeconds
        (keepSucceeded, keepOther) = (settings.keepSucceededSeconds, settings.keepFailedSeconds)
    }
}

extension Logger {
    /// Who pays for what comes in by which door: nobody should have to guess it.
    func noteBilling(_ settings: PoolSettings) {
        let billing = settings.credits.billing
        guard let rates = billing.rates else {
            info("nothing has a price here: billing is off", metadata: [:])
            return
        }
        var metadata: Logger.Metadata = ["rates": "\(rates.version)"]
        for ingress in Ingress.allCases { metadata[ingress.rawValue] = "\(billing[ingress].rawValue)" }
        notice("billing", metadata: metadata)
    }

    func noteReady(_ settings: PoolSettings) {
        notice(
            "the worker is ready",
            metadata: [
                "name": "\(settings.name)", "kinds": "\(settings.kinds.map(\.rawValue).joined(separator: ","))",
                "slots": "\(settings.slots)", "memory_mb": "\(settings.memoryBytes >> 20)",
            ])
    }
}
