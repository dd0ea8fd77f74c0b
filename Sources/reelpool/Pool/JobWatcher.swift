internal import Glibc
internal import HTTPTransfer
internal import Model
internal import WorkerCore

/// What watchers say to whoever prints.
enum WatchNews: Sendable {
    /// Where the job is in its life: all of it.
    case job(Int, JobAnswer)
    case progress(Int, JSONValue)
    /// The service does not answer; it is asked again.
    case lost(Int, String)
    /// There will be nothing more.
    case failed(Int, Failure)
    /// Somebody wants to stop watching.
    case interrupted
}

/// Hears of one job until it ends, on a thread of its own; a service that goes away is waited for.
struct JobWatcher: Sendable {
    private static let pauses = Backoff(baseSeconds: 0.5, capSeconds: 5)
    /// Something comes every second, if only a comment; a service that is silent for so long is gone.
    private static let silenceSeconds = 15

    /// Its place among those that are watched.
    let index: Int
    let id: String
    let client: PoolClient
    let news: Mailbox<WatchNews>
    let stop: TransferStop

    func start() {
        OwnThread.start(named: "reelpool.watch") { run() }
    }

    private func run() {
        var (hasMet, failures) = (false, 0)
        while !stop.isRaised {
            do {
                if try hear(met: { (hasMet, failures) = (true, 0) }) { return }
                failures += 1
                news.post(.lost(index, "the service ended the connection"))
            } catch {
                let failure = Failure(error)
                // What the service says about the job is final; that it cannot be reached is not, once it was.
                guard hasMet, failure.category == .dependencyUnavailable else {
                    news.post(.failed(index, failure))
                    return
                }
                failures += 1
                news.post(.lost(index, failure.message))
            }
            let pause = Self.pauses.pauseSeconds(afterAttempt: failures, unit: .random(in: 0.5..<1))
            usleep(UInt32(pause * 1_000_000))
        }
    }

    /// - Returns: whether the job has ended.
    private func hear(met: () -> Void) throws -> Bool {
        let heard = Heard(self)
        defer { if heard.hasMet { met() } }
        try client.stream(
            "jobs/\(PercentEncoding.encode(id))/events", silenceSeconds: Self.silenceSeconds, stop: stop,
            begin: { heard.hasMet = true }, take: { try heard.take($0) })
        return heard.hasEnded
    }
}

/// The events of one connection.
private final class Heard {
    private let watcher: JobWatcher
    private var stream = EventStream()
    private(set) var hasEnded = false
    var hasMet = false

    init(_ watcher: JobWatcher) { self.watcher = watcher }

    func take(_ bytes: UnsafeRawBufferPointer) throws {
        for event in try stream.take(bytes) {
            guard let data = try? JSONValue(parsing: event.data) else { continue }
            switch event.name {
            case "progress": watcher.news.post(.progress(watcher.index, data))
            case "job":
                let job = JobAnswer(data)
                hasEnded = job.hasEnded
                watcher.news.post(.job(watcher.index, job))
            default: break
            }
        }
    }
}
