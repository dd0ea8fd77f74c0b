internal import ArgumentParser
internal import FoundationEssentials
internal import Model

struct CancelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Cancel jobs of a pool.",
        discussion: "One that has not started ends at once; one that runs is stopped by its worker.")

    @Argument(help: "The jobs' ids.")
    var ids: [String]

    @OptionGroup var pool: PoolOptions

    func run() throws {
        try pool.forEach(ids) { client, id in
            let (status, body) = try client.post("jobs/\(PercentEncoding.encode(id))/cancel")
            // Source: RFC 9110 §15.3.3, 202: it is going to be done.
            return (body, status == 202 ? "\(id)  is being stopped" : "\(id)  cancelled")
        }
    }
}

struct RequeueCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "requeue", abstract: "Run jobs once more that ended without success, or that lost workers hold.",
        discussion: """
            Each runs as a new job, with all its attempts; the old one stays as it ended.

            With --in-flight what is under way is taken from its workers at once, without waiting for their leases: the \
            same jobs, with what is held for them, and no attempt is counted. What such a worker still says is refused.
            """)

    @Argument(help: "The jobs' ids.")
    var ids: [String] = []

    @Flag(help: "In place of ids: all jobs that are under way.")
    var inFlight = false

    @Option(help: "With --in-flight: only those of this worker.")
    var worker: String?

    @OptionGroup var pool: PoolOptions

    func validate() throws {
        switch (inFlight, ids.isEmpty) {
        case (false, true): throw ValidationError("Name jobs, or say --in-flight.")
        case (true, false): throw ValidationError("--in-flight means all jobs that are under way: name none.")
        case (false, false) where worker != nil: throw ValidationError("--worker belongs to --in-flight.")
        case (true, true), (false, false): break
        }
    }

    func run() throws {
        guard !inFlight else {
            return try pool.perform { client in
                let which: JSONValue = worker.map { ["worker": .string($0)] } ?? [:]
                let answer = try client.post("jobs/requeue-in-flight", which).body
                let ids = (answer["jobs"]?.arrayValue ?? []).compactMap(\.stringValue)
                print(pool.json ? answer.text : Self.lines(ids))
            }
        }
        try pool.forEach(ids) { client, id in
            let body = try client.post("jobs/\(PercentEncoding.encode(id))/requeue").body
            return (body, "\(id)  \(JobAnswer(body).state) as \(body["id"]?.stringValue ?? "")")
        }
    }

    private static func lines(_ ids: [String]) -> String {
        ids.isEmpty ? "nothing is under way" : ids.map { "\($0)  taken back" }.joined(separator: "\n")
    }
}

struct WorkersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "workers", abstract: "List a pool's workers.")

    /// As the pool counts: without a heartbeat for so long, a worker is gone.
    private static let offlineSeconds = 90.0

    @OptionGroup var pool: PoolOptions

    func run() throws {
        try pool.perform { client in
            let answer = try client.get("workers")
            print(pool.json ? answer.text : Self.table(answer["workers"]?.arrayValue ?? []))
        }
    }

    private static func table(_ workers: [JSONValue]) -> String {
        var table = TextTable(["NAME", "KINDS", "BUSY", "MEMORY", "STATE", "HEARTBEAT", "VERSION"])
        for worker in workers {
            let kinds = (worker["kinds"]?.arrayValue ?? []).compactMap(\.stringValue).joined(separator: ",")
            let memory = worker["memory_bytes"]?.integerValue ?? 0
            let isDraining = worker["draining"]?.boolValue == true
            let isSilent =
                Instant.parse(worker["heartbeat_at"]).map { -$0.timeIntervalSinceNow > offlineSeconds } ?? true
            table.add([
                worker["name"]?.stringValue ?? "", kinds.isEmpty ? "none" : kinds,
                "\(worker["busy_slots"]?.integerValue ?? 0)/\(worker["slots"]?.integerValue ?? 0)",
                "\(ProbeSummary.rounded(Double(memory) / Double(1 << 30), 1)) GiB",
                isSilent ? "offline" : isDraining ? "draining" : "working",
                "\(Instant.age(worker["heartbeat_at"])) ago", worker["version"]?.stringValue ?? "",
            ])
        }
        return table.text
    }
}
