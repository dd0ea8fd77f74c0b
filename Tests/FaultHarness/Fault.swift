import Foundation

/// What can happen to a pool.
enum Fault: String, CaseIterable, Sendable {
    /// `kill -9`, and a supervisor that starts it again at once.
    case daemonKilled
    /// `kill -9`, and nobody starts it again before its leases have run out.
    case daemonLost
    /// SIGSTOP for longer than its leases: when it goes on, others have its jobs.
    case daemonStopped
    case daemonDrained
    case childKilled
    case childCrashed
    case brokerRestarted
    case brokerOutOfDisk
    case messagesTwice
    case databaseSessionsEnded
    case cacheGone
}
