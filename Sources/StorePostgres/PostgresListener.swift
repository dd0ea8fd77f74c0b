internal import Foundation
internal import Glibc
internal import SQLStore
internal import Synchronization

/// Waits for messages on a connection and a thread of its own, and passes them on as hints.
final class PostgresListener: Sendable {
    static let channel = "reelpool"
    /// The schema is the message: several pools may share a database.
    static let notify = "SELECT pg_notify($1, current_schema())"

    private let hub: WakeHub
    private let isStopped = Atomic<Bool>(false)
    /// Written to for the thread to look up from waiting.
    private let stopReader: Int32
    private let stopWriter: Int32
    private let ended = DispatchGroup()

    init(_ parameters: ConnectionParameters, _ options: PostgresOptions, hub: WakeHub) {
        self.hub = hub
        var ends: [Int32] = [-1, -1]
        // Without a pipe it stops a little later.
        if pipe(&ends) != 0 { ends = [-1, -1] }
        for end in ends where end >= 0 { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (stopReader, stopWriter) = (ends[0], ends[1])
        ended.enter()
        let thread = Thread { [self] in
            listen(parameters, options)
            ended.leave()
        }
        thread.name = "reelpool.store.listen"
        thread.start()
    }

    private func listen(_ parameters: ConnectionParameters, _ options: PostgresOptions) {
        var failures = 0
        while !isStopped.load(ordering: .acquiring) {
            do {
                let connection = try ServerConnection(parameters, statementSeconds: options.statementSeconds)
                let schema = try connection.run("LISTEN \(Self.channel); SELECT current_schema()")
                failures = 0
                // Something may have been said while nobody listened.
                hub.wake()
                while !isStopped.load(ordering: .acquiring) {
                    wait(connection.descriptor, milliseconds: 10_000)
                    if try connection.messages().contains(where: { $0 == schema }) { hub.wake() }
                }
            } catch {
                failures += 1
                let pause = min(5000, 50 << min(failures, 10))
                wait(-1, milliseconds: Int32.random(in: 1...Int32(pause)))
            }
        }
    }

    /// Until there is something to read, the time is over, or this is to stop.
    private func wait(_ descriptor: Int32, milliseconds: Int32) {
        var waits = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: stopReader, events: Int16(POLLIN), revents: 0),
        ]
        _ = poll(&waits, 2, milliseconds)
    }

    func stop() async {
        guard !isStopped.exchange(true, ordering: .acquiringAndReleasing) else { return }
        var byte: UInt8 = 0
        if stopWriter >= 0 { _ = write(stopWriter, &byte, 1) }
        await withCheckedContinuation { continuation in
            ended.notify(queue: DispatchQueue(label: "reelpool.store.close")) { continuation.resume() }
        }
    }

    deinit {
        if stopReader >= 0 { _ = (Glibc.close(stopReader), Glibc.close(stopWriter)) }
    }
}
