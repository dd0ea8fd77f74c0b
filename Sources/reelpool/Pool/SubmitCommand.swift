internal import ArgumentParser
internal import FoundationEssentials
internal import Model

struct SubmitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit",
        abstract: "Send a job to a pool.",
        discussion: """
            Prints the job's id; with --watch goes on to its end, and exits as the work itself would have.

              reelpool submit probe talk.mp4
              reelpool submit proxy talk.mp4 --output talk-proxy/ --watch
              reelpool submit analysis talk.mp4 --pacing 80 --output pauses.json
              reelpool submit render --edit pauses.json --output tight.mp4
              reelpool submit download https://example.com/talk.mp4 --output talk.mp4

            Local paths are those of the workers' machines; relative ones are completed here. --payload sends a task \
            as it is (docs/scheduling.md).
            """)

    @Argument(help: "What is to be done: probe, proxy, analysis, render, download or noop.")
    var kind: String

    @Argument(help: "The source: a path or a URI.", completion: .file())
    var source: String?

    @Option(name: .shortAndLong, help: "Where to write: a folder for proxy, else a file; for analysis, its edit.")
    var output: String?

    @Option(help: "The edit to render; its sources lie beside it. - reads standard input.", completion: .file())
    var edit: String?

    @Option(help: "For analysis: how brisk the proposed edit shall be, 0 to 100.")
    var pacing: Int?

    @Option(help: "For proxy: always, or unplayable: only when browsers do not play the source.")
    var when: String?

    @Flag(help: "For render: use what is intact of damaged sources.")
    var salvage = false

    @Option(help: "For render: auto copies pictures where that is worth it, smart wherever it can, full encodes all.")
    var mode: RenderMode?

    @Option(help: "The whole task as a JSON file; - reads standard input.", completion: .file())
    var payload: String?

    @Option(help: "Whose job it is; default: $USER.")
    var owner: String?

    @Option(help: "0 free, 1 hobby, 2 creator, 3 viral.")
    var tier: Int?

    @Option(help: "The job's id, a UUID: sent twice, it is one job.")
    var id: String?

    @Option(help: "A text in place of an id: sent twice by one owner, it is one job.")
    var key: String?

    @Option(help: "Not before so many seconds have passed.")
    var delay: Double?

    @Option(help: "How often it is tried at most.")
    var maxAttempts: Int?

    @Option(help: "Where to tell how it ended: an https URL.")
    var webhook: String?

    @Flag(help: "Watch it to its end.")
    var watch = false

    @OptionGroup var pool: PoolOptions

    func validate() throws {
        guard JobForms.kinds.contains(kind) else {
            throw ValidationError("\(kind) is no kind of job: \(JobForms.kinds.joined(separator: ", ")).")
        }
        try forms.check(payload: payload)
        if let delay, !(0...31_536_000).contains(delay) {
            throw ValidationError("--delay takes seconds, up to a year.")
        }
    }

    func run() throws {
        try pool.perform { client in
            let job = JobAnswer(try client.post("jobs", try message()).body)
            guard watch else { return print(pool.json ? job.json.text : job.id) }
            if !pool.json { print(job.id) }
            try Watching(client: client, ids: [job.id], json: pool.json).run()
        }
    }

    private var forms: JobForms {
        JobForms(
            kind: kind, source: source, output: output, edit: edit, pacing: pacing, when: when, salvage: salvage,
            mode: mode)
    }

    private func message() throws -> JSONValue {
        let task = try payload.map { try JobForms.object($0) } ?? forms.task()
        let user = ProcessInfo.processInfo.environment["USER"].flatMap { $0.isEmpty ? nil : $0 }
        var message: [String: JSONValue] = [
            "kind": .string(kind), "owner": .string(owner ?? user ?? "cli"), "payload": task,
        ]
        message["tier"] = tier.map { .integer($0) }
        message["id"] = id.map(JSONValue.string)
        message["idempotency_key"] = key.map(JSONValue.string)
        message["delay_ms"] = delay.map { .integer(Int64($0 * 1000)) }
        message["max_attempts"] = maxAttempts.map { .integer($0) }
        message["webhook"] = webhook.map { ["url": .string($0)] }
        return .object(message)
    }
}
