internal import Model
internal import WorkerCore

/// What Prometheus scrapes. Source: Prometheus, "Exposition formats", text format 0.0.4.
enum MetricsText {
    static func of(_ store: any JobStore, _ attempts: AttemptCounts) async throws(StoreError) -> String {
        var text = Text()
        let counts = try await store.counts()
        text.family("reelpool_jobs", "gauge", "Jobs by kind and state.")
        for count in counts { text.sample("reelpool_jobs", labels(count), "\(count.count)") }
        text.family("reelpool_oldest_job_seconds", "gauge", "Age of the oldest job of a kind and state.")
        for count in counts where !count.state.isFinal {
            text.sample("reelpool_oldest_job_seconds", labels(count), "\(count.oldestSeconds)")
        }
        add(attempts, to: &text)
        let workers = try await store.workers()
        text.family("reelpool_worker_slots", "gauge", "Jobs that a worker can do at a time.")
        for worker in workers { text.sample("reelpool_worker_slots", [("worker", worker.name)], "\(worker.slots)") }
        text.family("reelpool_worker_busy_slots", "gauge", "Jobs that a worker does.")
        for worker in workers {
            text.sample("reelpool_worker_busy_slots", [("worker", worker.name)], "\(worker.busySlots)")
        }
        text.family("reelpool_worker_heartbeat_seconds", "gauge", "When a worker was last heard of, since 1970.")
        for worker in workers {
            text.sample(
                "reelpool_worker_heartbeat_seconds", [("worker", worker.name)], "\(Double(worker.heartbeatAt) / 1000)")
        }
        return text.lines
    }

    /// Of a worker that knows of nothing but itself.
    static func of(_ attempts: AttemptCounts) -> String {
        var text = Text()
        add(attempts, to: &text)
        return text.lines
    }

    private static func add(_ attempts: AttemptCounts, to text: inout Text) {
        text.family("reelpool_attempts_total", "counter", "Attempts of this process by how they ended.")
        for (key, sum) in attempts.all { text.sample("reelpool_attempts_total", labels(key), "\(sum.attempts)") }
        text.family("reelpool_attempt_seconds_total", "counter", "How long they took in all.")
        for (key, sum) in attempts.all { text.sample("reelpool_attempt_seconds_total", labels(key), "\(sum.seconds)") }
    }

    private static func labels(_ count: JobCount) -> [(String, String)] {
        [("kind", count.kind.rawValue), ("state", count.state.rawValue)]
    }

    private static func labels(_ key: AttemptCounts.Key) -> [(String, String)] {
        [("kind", key.kind.rawValue), ("end", key.failure?.rawValue ?? "succeeded")]
    }

    private struct Text {
        private(set) var lines = ""

        mutating func family(_ name: String, _ type: String, _ help: String) {
            lines += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
        }

        mutating func sample(_ name: String, _ labels: [(String, String)], _ value: String) {
            let text = labels.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",")
            lines += "\(name){\(text)} \(value)\n"
        }

        private static func escaped(_ value: String) -> String {
            var text = ""
            for character in value {
                switch character {
                case "\\": text += "\\\\"
                case "\"": text += "\\\""
                case "\n": text += "\\n"
                default: text.append(character)
                }
            }
            return text
        }
    }
}
