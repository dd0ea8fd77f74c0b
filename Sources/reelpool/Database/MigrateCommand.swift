internal import ArgumentParser
internal import FoundationEssentials
internal import Model
internal import PoolConfig
internal import SQLStore
internal import WorkerCore

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Bring a job store's schema up to date.",
        discussion: """
            Steps are numbered and go forward only; each is taken once, however many hosts call this at a time. A schema \
            that is newer than this program is refused. Daemons do the same when they start; this is for those whose \
            database user must not change the schema.

              reelpool migrate --dry-run
              reelpool migrate --worker-role reelpool_worker
            """)

    @Flag(help: "Print what would be run, and run nothing.")
    var dryRun = false

    @Option(help: "A role of Postgres that is there, to give the rights of a worker and no others in this schema.")
    var workerRole: String?

    @OptionGroup var store: DatabaseOptions

    func run() async throws {
        // To look must not make a file.
        if dryRun, case .sqlite(let path) = try store.settings(), !FileManager.default.fileExists(atPath: path) {
            let failure = Failure(code: .fileNotFound, message: "\(path) is not there: all steps would be taken")
            FailureOutput.print(failure, json: store.json)
            throw ExitCode(failure.category.exitStatus)
        }
        try await store.perform { opened in
            let pending = try await opened.pendingMigrations()
            if !dryRun {
                try await opened.migrate()
                if let workerRole { try await opened.grantWorker(workerRole) }
            }
            print(store.json ? json(pending).text : text(pending))
        }
    }

    private func json(_ pending: [PendingMigration]) -> JSONValue {
        let steps = pending.map { step -> JSONValue in
            [
                "version": .integer(step.version), "name": .string(step.name),
                "statements": .array(step.run.map(JSONValue.string)),
            ]
        }
        return [
            "dry_run": .bool(dryRun), "steps": .array(steps), "worker_role": dryRun ? .null : .text(workerRole),
        ]
    }

    private func text(_ pending: [PendingMigration]) -> String {
        var lines: [String] = []
        for step in pending {
            lines.append("\(dryRun ? "would take" : "took") step \(step.version): \(step.name)")
            if dryRun { lines += step.run.map { $0 + ";" } }
        }
        if pending.isEmpty { lines.append("the schema is up to date") }
        if let workerRole { lines.append("\(workerRole) \(dryRun ? "would be" : "is") a worker") }
        return lines.joined(separator: "\n")
    }
}
