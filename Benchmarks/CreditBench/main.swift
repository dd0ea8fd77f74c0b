import Foundation
import SQLStore
import StorePostgres
import WorkerCore

// Measures what holding and settling credit costs, on Postgres, and prints JSON for Benchmarks/credits.py.
//
//   credit-bench [--dispatches 2000] [--workers 4] [--small 1000] [--large 1000000]
//
// REELPOOL_TEST_POSTGRES names the server (scripts/servers.sh starts one).

struct Settings: Sendable {
    /// Of each measurement.
    var dispatches = 2000
    var workers = 4
    /// Entries in the books while the same is measured once more.
    var small = 1000
    var large = 1_000_000

    init(_ arguments: [String]) {
        for (name, value) in zip(arguments, arguments.dropFirst()) {
            guard let number = Int(value), number > 0 else { continue }
            switch name {
            case "--dispatches": dispatches = number
            case "--workers": workers = number
            case "--small": small = number
            case "--large": large = number
            default: break
            }
        }
    }
}

let settings = Settings(Array(CommandLine.arguments.dropFirst()))
guard let address = ProcessInfo.processInfo.environment["REELPOOL_TEST_POSTGRES"] else {
    FileHandle.standardError.write(Data("REELPOOL_TEST_POSTGRES names no server\n".utf8))
    exit(69)
}

struct Report: Encodable {
    var workers: Int
    var measurements: [Measurement]
}

let admin = try PostgresDatabase(.init(uri: address, connections: 1))
var measurements: [Measurement] = []
// Few dispatches where the books are to stay small meanwhile.
for (isGrowth, dispatches) in [(false, settings.dispatches), (true, min(settings.dispatches, settings.small / 2))] {
    let schema = "bench" + UUID().uuidString.lowercased().replacing("-", with: "")
    _ = try await admin.transaction(.write) { try $0.execute("CREATE SCHEMA \(schema)", []) }
    let database = try PostgresDatabase(
        .init(uri: address + "?options=-csearch_path%3D\(schema)", connections: settings.workers, statementSeconds: 600)
    )
    var part = settings
    part.dispatches = dispatches
    let bench = CreditBench(database: database, settings: part)
    measurements += isGrowth ? try await bench.growth() : try await bench.rates()
    await database.close()
    _ = try await admin.transaction(.write) { try $0.execute("DROP SCHEMA \(schema) CASCADE", []) }
}
await admin.close()
let encoder = JSONEncoder()
encoder.keyEncodingStrategy = .convertToSnakeCase
encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
let report = Report(workers: settings.workers, measurements: measurements)
print(String(decoding: try encoder.encode(report), as: UTF8.self))
