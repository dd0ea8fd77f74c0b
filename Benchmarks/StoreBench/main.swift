import Foundation
import SQLStore
import StorePostgres
import StoreSQLite
import WorkerCore

// Measures the store of jobs, and prints a table in Markdown.
//
//   store-bench [--jobs 100000] [--claims 2000] [--workers 2]
//
// Postgres is measured when REELPOOL_TEST_POSTGRES names a server (scripts/servers.sh starts one).

struct Settings: Sendable {
    var jobs = 100_000
    var claims = 2000
    var workers = 2

    init(_ arguments: [String]) {
        for (name, value) in zip(arguments, arguments.dropFirst()) {
            guard let number = Int(value), number > 0 else { continue }
            switch name {
            case "--jobs": jobs = number
            case "--claims": claims = number
            case "--workers": workers = number
            default: break
            }
        }
    }
}

let settings = Settings(Array(CommandLine.arguments.dropFirst()))

print("| store | queue | inserts/s | claim p50 ms | p99 ms | max ms | jobs/s, one by one | jobs/s, in batches |")
print("|---|---|---:|---:|---:|---:|---:|---:|")

let folder = NSTemporaryDirectory() + "reelpool-bench-\(UUID().uuidString)"
try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
defer { try? FileManager.default.removeItem(atPath: folder) }

for scenario in Scenario.all {
    for durability in [SQLiteDatabase.Durability.powerLoss, .processDeath] {
        let path = "\(folder)/\(UUID().uuidString).sqlite"
        let database = try SQLiteDatabase(path: path, options: .init(durability: durability))
        let name = durability == .powerLoss ? "SQLite" : "SQLite, no fsync"
        try await StoreBench(name: name, database: database, scenario: scenario, settings: settings).run()
        await database.close()
    }
    if let address = ProcessInfo.processInfo.environment["REELPOOL_TEST_POSTGRES"] {
        let schema = "bench" + UUID().uuidString.lowercased().replacing("-", with: "")
        let admin = try PostgresDatabase(.init(uri: address, connections: 1))
        _ = try await admin.transaction(.write) { try $0.execute("CREATE SCHEMA \(schema)", []) }
        let database = try PostgresDatabase(
            .init(uri: address + "?options=-csearch_path%3D\(schema)", connections: settings.workers))
        try await StoreBench(name: "Postgres", database: database, scenario: scenario, settings: settings).run()
        await database.close()
        _ = try await admin.transaction(.write) { try $0.execute("DROP SCHEMA \(schema) CASCADE", []) }
        await admin.close()
    }
}
