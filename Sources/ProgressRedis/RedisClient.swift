internal import Synchronization
package import WorkerCore

package struct RedisSettings: Sendable {
    package var address: RedisAddress
    /// Shown in Redis' list of clients.
    package var name: String
    package var reconnect = Backoff(baseSeconds: 0.1, capSeconds: 2)

    package init(address: RedisAddress, name: String = "reelpool") { (self.address, self.name) = (address, name) }
}

/// Redis, by a connection and a thread of its own. It connects when it is asked something, and again by itself.
package final class RedisClient: Sendable {
    private let orders = Mailbox<RedisOrder>()
    private let statusBox = Mutex(RedisStatus())

    package init(_ settings: RedisSettings) {
        let orders = orders
        // The thread must not keep the client, or nothing would end it.
        OwnThread.start(named: "redis") { [weak self] in
            RedisLoop(settings, orders: orders) { change in self?.statusBox.withLock { change(&$0) } }.run()
        }
    }

    deinit { orders.post(.close(nil)) }

    package var status: RedisStatus { statusBox.withLock { $0 } }

    /// Sends commands in one go; the answers are in their order.
    ///
    /// - Throws: when there is no connection, at once; what was under way may or may not have happened.
    package func run(_ commands: [RedisCommand]) async throws(RedisError) -> [RedisReply] {
        guard !commands.isEmpty else { return [] }
        let result = await withCheckedContinuation { continuation in
            if !orders.post(.run(commands, continuation)) {
                continuation.resume(returning: .failure(RedisError(.closed, "the client is closed")))
            }
        }
        return try result.get()
    }

    package func close() async {
        await withCheckedContinuation { done in
            if !orders.post(.close(done)) { done.resume() }
        }
    }
}

private enum RedisOrder: Sendable {
    case run([RedisCommand], CheckedContinuation<Result<[RedisReply], RedisError>, Never>)
    case close(CheckedContinuation<Void, Never>?)
}

/// What the thread does.
private final class RedisLoop {
    /// So often an idle connection is tried, so that the status is true.
    private static let idleMilliseconds = 5000

    private let settings: RedisSettings
    private let orders: Mailbox<RedisOrder>
    private let report: ((inout RedisStatus) -> Void) -> Void
    private var connection: RedisConnection?
    private var failures = 0
    private var notBefore = ContinuousClock.now
    private var lastError = RedisError(.unavailable, "not connected")

    init(
        _ settings: RedisSettings, orders: Mailbox<RedisOrder>,
        report: @escaping ((inout RedisStatus) -> Void) -> Void
    ) {
        (self.settings, self.orders, self.report) = (settings, orders, report)
    }

    func run() {
        var closing: [CheckedContinuation<Void, Never>?] = []
        try? connect()
        while closing.isEmpty {
            let taken = orders.takeAll()
            for order in taken { follow(order, closing: &closing) }
            if taken.isEmpty {
                orders.wait(milliseconds: Self.idleMilliseconds)
                check()
            }
        }
        connection = nil
        report { $0.isConnected = false }
        for order in orders.shut() {
            switch order {
            case .run(_, let done): done.resume(returning: .failure(RedisError(.closed, "the client is closed")))
            case .close(let done): closing.append(done)
            }
        }
        for done in closing { done?.resume() }
    }

    private func follow(_ order: RedisOrder, closing: inout [CheckedContinuation<Void, Never>?]) {
        switch order {
        case .close(let done): closing.append(done)
        case .run(let commands, let done):
            do throws(RedisError) {
                done.resume(returning: .success(try perform(commands)))
            } catch {
                lost(error)
                done.resume(returning: .failure(error))
            }
        }
    }

    private func check() {
        do throws(RedisError) {
            _ = try perform([.texts("PING")])
        } catch {
            lost(error)
        }
    }

    private func connect() throws(RedisError) {
        guard ContinuousClock.now >= notBefore else { throw lastError }
        do throws(RedisError) {
            connection = try RedisConnection(settings.address, name: settings.name)
            failures = 0
            report {
                $0.isConnected = true
                $0.connections += 1
            }
        } catch {
            lost(error)
            throw error
        }
    }

    private func lost(_ error: RedisError) {
        // It is told the same again until the next try.
        guard connection != nil || ContinuousClock.now >= notBefore else { return }
        connection = nil
        lastError = error
        failures += 1
        let pause = settings.reconnect.pauseSeconds(afterAttempt: failures, unit: .random(in: 0..<1))
        notBefore = ContinuousClock.now.advanced(by: .seconds(max(0.02, pause)))
        report {
            $0.isConnected = false
            $0.lastError = error.message
        }
    }

    private func perform(_ commands: [RedisCommand]) throws(RedisError) -> [RedisReply] {
        // A connection that Redis closed while it was idle shows only now; a new one is tried at once.
        if let connection {
            if let replies = try? replies(to: commands, on: connection) { return replies }
            self.connection = nil
        }
        try connect()
        guard let connection else { throw lastError }
        return try replies(to: commands, on: connection)
    }

    private func replies(to commands: [RedisCommand], on connection: RedisConnection) throws(RedisError) -> [RedisReply]
    {
        var replies = try connection.pipeline(commands.map { Self.arguments($0, connection) })
        // After SCRIPT FLUSH.
        let unknown = replies.indices.filter { index in
            if case .error(let text) = replies[index] { text.hasPrefix("NOSCRIPT") } else { false }
        }
        if !unknown.isEmpty {
            try connection.loadScript()
            let again = try connection.pipeline(unknown.map { Self.arguments(commands[$0], connection) })
            for (index, reply) in zip(unknown, again) { replies[index] = reply }
        }
        report { $0.commands += commands.count }
        return replies
    }

    private static func arguments(_ command: RedisCommand, _ connection: RedisConnection) -> [[UInt8]] {
        switch command {
        case .plain(let arguments): arguments
        case .fenced(let write): FencedScript.command(write, digest: connection.digest)
        }
    }
}
