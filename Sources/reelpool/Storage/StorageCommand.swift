internal import ArgumentParser
internal import FoundationEssentials
internal import HTTPTransfer
internal import Model
internal import PoolConfig
internal import StoreSetup

struct StorageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "storage",
        abstract: "Set up the buckets of a pool, and look whether its store does what it should.",
        discussion: """
            The store is the one that a daemon would have: REELPOOL_S3_ENDPOINT, _REGION, _STYLE, _ACCESS_KEY, \
            _SECRET_KEY, _BUCKET_RAW, _BUCKET_EXPORTS, _BUCKET_ASSETS and so on, from the environment or a file.
            """,
        subcommands: [StorageInitCommand.self, StorageCheckCommand.self])
}

/// Which store is meant, and how what is found is printed.
struct StorageOptions: ParsableArguments {
    @Option(help: "A JSON file with settings, as daemons take it.")
    var config: String?

    @Flag(help: "Print what was found, or the error, as JSON.")
    var json = false

    /// - Parameter origins: in place of the settings', where there are any.
    /// - Throws: the exit status, after everything that is wrong was printed.
    func store(origins: [String] = []) throws -> (PoolSettings.ObjectStore, StoreConnection) {
        let overrides = origins.isEmpty ? [:] : ["REELPOOL_S3_BROWSER_ORIGINS": origins.joined(separator: ",")]
        let store: PoolSettings.ObjectStore
        do {
            store = try PoolSettings.loadObjectStore(
                overrides: overrides, environment: ProcessInfo.processInfo.environment, file: config)
        } catch {
            throw ExitCode.wrongSettings(error.lines, code: .storageRefused, json: json)
        }
        do {
            return (store, try StoreConnection(store, userAgent: "reelpool/\(Reelpool.version)"))
        } catch {
            FailureOutput.print(error, json: json)
            throw ExitCode.wrongSettings
        }
    }

    /// Ends what blocks at the first signal; what clears up afterwards gets its time.
    static func stop() -> TransferStop {
        let stop = TransferStop()
        StopSignals.listen(stop: { stop.raise() }, abandon: {})
        return stop
    }
}

struct StorageInitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make the buckets where they are missing, and give them their rules.",
        discussion: """
            What is in uploads/ goes after 7 days, uploads that were never completed go after one, and pages of the \
            given origins may upload by signed URLs. Rules of others stay. Once more changes nothing. What a store has \
            no interface for is said, and is no failure.
            """)

    @Option(help: "An origin whose pages upload, such as https://app.example; may be given several times.")
    var origin: [String] = []

    @OptionGroup var storage: StorageOptions

    func run() throws {
        let (store, connection) = try storage.store(origins: origin)
        guard !store.buckets.isEmpty else {
            FailureOutput.print(
                Failure(
                    code: .storageRefused,
                    message: "none of REELPOOL_S3_BUCKET_RAW, _EXPORTS and _ASSETS names a bucket"), json: storage.json)
            throw ExitCode.failure
        }
        let steps = BucketSetup(connection, store).run(stop: StorageOptions.stop())
        let isFine = !steps.contains { $0.outcome == .failed }
        if storage.json {
            print(
                JSONOutput.line(
                    Outcome(isRight: isFine, endpoint: connection.url, steps: steps), indented: true))
        } else {
            print("\(connection.url)\n\n\(Self.table(steps))")
            if !isFine {
                FailureOutput.write("reelpool: not everything could be set up; `reelpool storage check` says why")
            }
        }
        if !isFine { throw ExitCode.failure }
    }

    private struct Outcome: Encodable {
        var isRight: Bool
        var endpoint: String
        var steps: [BucketSetup.Step]
    }

    private static func table(_ steps: [BucketSetup.Step]) -> String {
        var table = TextTable(["BUCKET", "WHAT", "OUTCOME", ""])
        for step in steps { table.add([step.bucket, step.what.rawValue, step.outcome.rawValue, step.note]) }
        return table.text
    }
}

struct StorageCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Do in each bucket what a pool does there, and say what is wrong and what to do about it.",
        discussion: """
            About 10 MB are written to each bucket, below reelpool-check/, and deleted again. The exit status is 0 when \
            nothing is wrong, and 1 otherwise. What a store merely lacks is not wrong.
            """)

    @OptionGroup var storage: StorageOptions

    func run() throws {
        let (store, connection) = try storage.store()
        let check = StoreCheck(connection, store, run: UUID().uuidString.lowercased())
        let report = check.run(stop: StorageOptions.stop())
        print(storage.json ? JSONOutput.line(report, indented: true) : CheckSheet.text(report))
        if !report.isRight { throw ExitCode.failure }
    }
}
