internal import Dispatch
internal import GRDB
internal import SQLStore

/// Sees that another process, or another connection of this one, has written to the file.
///
/// SQLite sends no messages. `PRAGMA data_version` changes, as one connection sees it, whenever another has committed;
/// asking costs some microseconds.
// SAFETY: the timer is only made and cancelled, which Dispatch allows from any thread.
final class FileWatcher: @unchecked Sendable {
    private let connection: DatabaseQueue
    private let timer: any DispatchSourceTimer

    init(path: String, every seconds: Double, hub: WakeHub) throws {
        var configuration = Configuration()
        configuration.label = "reelpool.store.watch"
        configuration.readonly = true
        let connection = try DatabaseQueue(path: path, configuration: configuration)
        self.connection = connection
        let queue = DispatchQueue(label: "reelpool.store.watch.timer")
        let timer = DispatchSource.makeTimerSource(queue: queue)
        var last = try Self.version(connection)
        timer.schedule(deadline: .now() + seconds, repeating: seconds, leeway: .milliseconds(20))
        timer.setEventHandler {
            // A file that cannot be read now is read next time.
            guard let version = try? Self.version(connection), version != last else { return }
            last = version
            hub.wake()
        }
        timer.resume()
        self.timer = timer
    }

    private static func version(_ connection: DatabaseQueue) throws -> Int64 {
        try connection.inDatabase { try Int64.fetchOne($0, sql: "PRAGMA data_version") ?? 0 }
    }

    func stop() {
        timer.cancel()
        try? connection.close()
    }
}
