internal import ArgumentParser
internal import Model
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

    @Option(help: "The job store: postgresql://... or sqlite:PATH; default: $REELPOOL_DATABASE.")
    var database: String?

    @Option(help: "A JSON file with settings, as daemons take it.")
    var config: String?

    @Flag(help: "Print what was done, or the error, as JSON.")
    var json = false

    func run() async throws {
        let database = PoolDatabase(config: config, address: database, json: json)
        // To look must not make a file.
        try await database.perform(absent: dryRun ? "all steps would be taken" : nil) { store in
            let pending = try await store.pendingMigrations()
            if !dryRun {
                try await store.migrate()
                if let workerRole { try await store.grantWorker(workerRole) }
            }
            print(json ? object(pending).text : text(pending))
        }
    }

    private func object(_ pending: [PendingMigration]) -> JSONValue {
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
