/// How one daemon works.
package struct WorkerSettings: Sendable {
    /// Unique among live daemons, the same after a restart.
    package var name: String
    /// Different with every start.
    package var instance: String
    package var version: String
    package var kinds: [JobKind]
    /// Attempts at a time. `noop`, which is no work, has its own count.
    package var slots: Int
    /// What all attempts together may need.
    package var memoryBytes: Int64
    package var caps: [JobKind: EffectiveCaps]
    package var leaseSeconds = 30.0
    package var renewSeconds = 10.0
    /// Between two sweeps of the whole pool, on average.
    package var sweepSeconds = 0.5
    /// Without a renewal for that long an attempt is stopped: before its lease runs out, by the worker's own clock.
    package var giveUpSeconds = 20.0
    /// Between two looks for work that nobody has told of, and between two renewals while something runs.
    package var pollSeconds = 0.5
    /// The same for looks while nothing runs, where one is a journey. No shorter than `pollSeconds`.
    package var idlePollSeconds = 0.0
    package var heartbeatSeconds = 10.0
    package var pruneSeconds = 600.0
    package var keepSucceeded = 7 * 86_400.0
    package var keepOther = 30 * 86_400.0
    /// What a drain leaves running attempts to end by themselves.
    package var drainSeconds = 30.0
    package var failures = FailurePolicy(backoff: Backoff(baseSeconds: 5, capSeconds: 600))

    package init(
        name: String, instance: String, version: String, kinds: [JobKind], slots: Int, memoryBytes: Int64,
        caps: [JobKind: EffectiveCaps]
    ) {
        (self.name, self.instance, self.version, self.kinds) = (name, instance, version, kinds)
        (self.slots, self.memoryBytes, self.caps) = (slots, memoryBytes, caps)
    }
}
