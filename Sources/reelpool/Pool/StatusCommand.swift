internal import ArgumentParser
internal import FoundationEssentials
internal import Model

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "List a pool's jobs, newest first, or show all of one.")

    private static let pageSize = 500

    @Argument(help: "A job's id.")
    var id: String?

    @Option(help: "Only this owner's jobs.")
    var owner: String?

    @Option(help: "Only jobs of this kind.")
    var kind: String?

    @Option(help: "Only jobs in this state: scheduled, queued, running, succeeded, failed, cancelled or dead.")
    var state: String?

    @Option(help: "At most so many jobs.")
    var limit = 50

    @OptionGroup var pool: PoolOptions

    func validate() throws {
        guard (1...1_000_000).contains(limit) else { throw ValidationError("--limit takes a number from 1 on.") }
        guard id == nil || (owner == nil && kind == nil && state == nil) else {
            throw ValidationError("--owner, --kind and --state choose among jobs; an id names one.")
        }
    }

    func run() throws {
        try pool.perform { client in
            if let id {
                let job = try client.get("jobs/\(PercentEncoding.encode(id))")
                return print(pool.json ? job.text : JobSheet.text(JobAnswer(job)))
            }
            let jobs = try list(client)
            if pool.json {
                print(JSONValue.object(["jobs": .array(jobs)]).text)
            } else {
                print(Self.table(jobs.map(JobAnswer.init)))
            }
        }
    }

    private func list(_ client: PoolClient) throws -> [JSONValue] {
        var jobs: [JSONValue] = []
        var before: String?
        repeat {
            let wanted: [(String, String?)] = [
                ("owner", owner), ("kind", kind), ("state", state), ("before", before),
                ("limit", "\(min(Self.pageSize, limit - jobs.count))"),
            ]
            let page = try client.get("jobs", wanted.compactMap { name, value in value.map { (name, $0) } })
            jobs += page["jobs"]?.arrayValue ?? []
            before = page["next_before"]?.stringValue
        } while before != nil && jobs.count < limit
        return jobs
    }

    private static func table(_ jobs: [JobAnswer]) -> String {
        var table = TextTable(["ID", "KIND", "OWNER", "STATE", "ATTEMPT", "AGE", "WORKER OR REASON"])
        for job in jobs {
            table.add([
                job.id, job.kind, job.owner, job.state, "\(job.attempt)/\(job.maxAttempts)",
                Instant.age(job.json["created_at"]), job.worker.isEmpty ? job.failure?.code.rawValue ?? "" : job.worker,
            ])
        }
        return table.text
    }
}

/// Everything about one job.
enum JobSheet {
    private static let fields = [
        "kind", "owner", "tier", "state", "worker", "request_id", "created_at", "available_at", "started_at",
        "finished_at", "expires_at",
    ]

    static func text(_ job: JobAnswer) -> String {
        var rows: [(String, String)] = [("job", job.id)]
        for field in fields {
            switch job.json[field] {
            case .string(let text): rows.append((field, text))
            case .number(let literal): rows.append((field, literal))
            case .null, .bool, .array, .object, nil: continue
            }
        }
        rows.append(("attempt", "\(job.attempt) of \(job.maxAttempts)"))
        if job.json["cancel_requested"]?.boolValue == true, !job.hasEnded { rows.append(("cancel", "requested")) }
        if let failure = job.failure { rows.append(("reason", "\(failure.message) [\(failure.code.rawValue)]")) }
        rows.append(("payload", job.json["payload"]?.text ?? ""))
        if let result = job.json["result"], !result.isNull { rows.append(("result", result.text)) }
        let width = rows.map(\.0.count).max() ?? 0
        var lines = rows.map { name, value in
            name + String(repeating: " ", count: width - name.count) + "  " + TextTable.plain(value)
        }
        if let attempts = job.json["attempts"]?.arrayValue, !attempts.isEmpty {
            lines += ["", table(attempts)]
        }
        return lines.joined(separator: "\n")
    }

    private static func table(_ attempts: [JSONValue]) -> String {
        var table = TextTable(["ATTEMPT", "WORKER", "STARTED", "TOOK", "ENDED WITH"])
        for attempt in attempts {
            let (start, end) = (Instant.parse(attempt["started_at"]), Instant.parse(attempt["ended_at"]))
            let took = start.flatMap { start in end.map { "\(ProbeSummary.rounded($0.timeIntervalSince(start), 1)) s" }
            }
            let failure = JobAnswer.failure(attempt["failure"])
            table.add([
                attempt["epoch"]?.integerValue.map { "\($0)" } ?? "", attempt["worker"]?.stringValue ?? "",
                attempt["started_at"]?.stringValue ?? "", took ?? "runs",
                failure.map { "\($0.message) [\($0.code.rawValue)]" } ?? (end == nil ? "" : "success"),
            ])
        }
        return table.text
    }
}
