internal import Foundation
internal import Model
internal import SQLStore
internal import WorkerCore

/// Runs transactions on one connection, which it makes and makes anew; used by one thread only.
final class TransactionRunner {
    private let parameters: ConnectionParameters
    private let options: PostgresOptions
    private var connection: ServerConnection?

    init(_ parameters: ConnectionParameters, _ options: PostgresOptions) {
        (self.parameters, self.options) = (parameters, options)
    }

    /// Runs until it is known whether it committed, or patience ends.
    func run<Value>(
        _ access: SQLAccess, _ body: (any SQLSession) throws -> Value
    ) -> Result<Value, StoreError> {
        var patience = Patience(seconds: options.patienceSeconds)
        while true {
            var value: Value?
            do {
                return .success(try attempt(access, body, &value))
            } catch PostgresFailure.refused(let error) {
                return .failure(error)
            } catch PostgresFailure.lostWhileCommitting(let transaction, let detail) {
                connection = nil
                guard let hasCommitted = hasCommitted(transaction, &patience) else {
                    return .failure(StoreError("whether the job store took a change is not known", detail: detail))
                }
                if hasCommitted, let value { return .success(value) }
            } catch PostgresFailure.lost(let detail) {
                connection = nil
                guard patience.pause() else { return .failure(Self.unreachable(detail)) }
            } catch PostgresFailure.readOnly(let detail) {
                // After a fail-over the address may lead to another server soon.
                connection = nil
                guard access == .write, patience.pause() else { return .failure(Self.unreachable(detail)) }
            } catch PostgresFailure.conflict(let detail) {
                guard patience.pause() else {
                    return .failure(StoreError("the job store is too busy", detail: detail))
                }
            } catch is TransactionConflict {
                guard patience.pause() else { return .failure(StoreError("the job store is too busy")) }
            } catch let error as StoreError {
                return .failure(error)
            } catch {
                return .failure(
                    StoreError("the job store cannot be used", detail: "\(error)", code: .internalFault))
            }
        }
    }

    private static func unreachable(_ detail: String) -> StoreError {
        StoreError("the job store cannot be reached", detail: detail)
    }

    private func connected() throws -> ServerConnection {
        if let connection, !connection.isBroken { return connection }
        let made = try ServerConnection(parameters, statementSeconds: options.statementSeconds)
        connection = made
        return made
    }

    /// - Parameter value: what the body made, as soon as only the commit is left.
    private func attempt<Value>(
        _ access: SQLAccess, _ body: (any SQLSession) throws -> Value, _ value: inout Value?
    ) throws -> Value {
        let connection = try connected()
        // With its number, a commit that is not answered can be asked about later.
        let transaction =
            switch access {
            case .read: try connection.run("BEGIN READ ONLY")
            case .write: try connection.run("BEGIN; SELECT pg_current_xact_id()")
            }
        let session = PostgresSession(connection)
        let made: Value
        do {
            made = try body(session)
            if session.hasWoken {
                _ = try connection.execute(PostgresListener.notify, [.text(PostgresListener.channel)])
            }
        } catch {
            // The connection is of no use when not even this can be done.
            do { try connection.run("ROLLBACK") } catch { self.connection = nil }
            throw error
        }
        value = made
        do {
            guard try connection.commit() else { throw PostgresFailure.conflict("rolled back") }
        } catch PostgresFailure.lost(let detail) {
            throw PostgresFailure.lostWhileCommitting(transaction: transaction ?? "", detail: detail)
        }
        return made
    }

    /// What became of a transaction whose commit was not answered; `nil` when that cannot be found out in time.
    private func hasCommitted(_ transaction: String, _ patience: inout Patience) -> Bool? {
        // One that only read.
        guard let number = UInt64(transaction) else { return false }
        repeat {
            do {
                switch try connected().run("SELECT pg_xact_status('\(number)')") {
                case "committed": return true
                case "aborted": return false
                case "in progress": break
                default: return nil
                }
            } catch {
                connection = nil
            }
        } while patience.pause()
        return nil
    }
}

/// A transaction being run on its thread.
private final class PostgresSession: SQLSession {
    private let connection: ServerConnection
    private(set) var hasWoken = false

    init(_ connection: ServerConnection) { self.connection = connection }

    func execute(_ sql: String, _ parameters: [SQLValue]) throws -> [SQLRow] {
        try connection.execute(sql, parameters)
    }

    func wake() { hasWoken = true }
}

/// Pauses between tries: longer each time, uneven, and only so long in all.
struct Patience {
    private let deadline: ContinuousClock.Instant
    private var attempt = 0

    init(seconds: Double) { deadline = .now + .seconds(seconds) }

    /// Sleeps on the calling thread; `false`, without sleeping, when there is no time left.
    mutating func pause() -> Bool {
        guard ContinuousClock.now < deadline else { return false }
        attempt += 1
        let backoff = Backoff(baseSeconds: 0.02, capSeconds: 1)
        Thread.sleep(forTimeInterval: 0.002 + backoff.pauseSeconds(afterAttempt: attempt, unit: .random(in: 0..<1)))
        return true
    }
}
