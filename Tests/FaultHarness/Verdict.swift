import Crypto
import Foundation
import Model
import PoolTestSupport
import ProgressRedis
import SQLStore
import WorkerCore

/// Looks at everything that is left, and writes down what should not be.
struct Verdict {
    let ground: Ground
    let work: Work

    init(_ ground: Ground, _ work: Work) { (self.ground, self.work) = (ground, work) }

    func look(_ summary: inout Summary) async {
        do {
            let records = try await checkEnds(&summary)
            try await checkOutputs(records, &summary)
            try await checkCache(records, &summary)
            try await checkBroker(&summary)
            try await Money(store: ground.store).look(records, &summary)
            for daemon in ground.daemons { await daemon.stop() }
            try await checkLeftovers(&summary)
        } catch {
            summary.problems.append("the look at the end failed: \(error)")
        }
    }

    private func checkEnds(_ summary: inout Summary) async throws -> [JobRecord] {
        var times: [JobID: [String]] = [:]
        for end in try await Audit.ends(ground) { times[end.job, default: []].append(end.state) }
        var records: [JobRecord] = []
        for (id, task) in work.sent {
            guard let record = try await ground.store.job(id) else {
                summary.problems.append("\(id) (\(task)) is lost")
                continue
            }
            records.append(record)
            guard record.state.isFinal else {
                summary.problems.append(
                    "\(id) (\(task)) has not ended: \(record.state), \(record.failure?.code.rawValue ?? "")")
                continue
            }
            if times[id] != [record.state.rawValue] {
                summary.problems.append("\(id) ended as \(times[id] ?? []), and is \(record.state)")
            }
            let attempts = try await ground.store.attempts(of: id)
            summary.attempts += attempts.count
            if attempts.contains(where: { $0.endedAt == nil }) {
                summary.problems.append("\(id) has an attempt that never ended")
            }
            let code = record.failure?.code
            summary.ends[
                code.map { "\(record.state.rawValue) (\($0.rawValue))" } ?? record.state.rawValue, default: 0] += 1
            // What we did to it can kill a job, and having nothing to pay with can refuse it; nothing else may.
            if record.owner == Money.poor {
                if !Money.isRefusal(record, attempts) {
                    summary.problems.append("\(id) (\(task)) is \(record.state), and its owner could not pay for it")
                }
                continue
            }
            let crashed = attempts.count { $0.failure?.category == .crashed }
            if record.state != .succeeded, !(record.state == .dead && code?.category == .crashed && crashed >= 2) {
                summary.problems.append("\(id) (\(task)) is \(record.state): \(record.failure?.message ?? "no reason")")
            }
        }
        let known = Set(work.sent.keys)
        for id in times.keys where !known.contains(id) { summary.problems.append("\(id) was never sent") }
        return records
    }

    /// One file for each render that succeeded, the same as every other of the same edit; none for any other.
    private func checkOutputs(_ records: [JobRecord], _ summary: inout Summary) async throws {
        var digests: [Int: Set<String>] = [:]
        var expected: Set<String> = []
        for record in records {
            guard case .render(let edit) = work.sent[record.id] else { continue }
            let path = work.output(of: record.id)
            let data = FileManager.default.contents(atPath: path)
            if record.state == .succeeded {
                expected.insert((path as NSString).lastPathComponent)
                guard let data, !data.isEmpty else {
                    summary.problems.append("\(record.id) succeeded, and its output is missing")
                    continue
                }
                try await checkMoment(path, record, &summary)
                digests[edit, default: []].insert(SHA256.hash(data: data).map { "\($0)" }.joined(separator: "."))
            } else if data != nil {
                summary.problems.append("\(record.id) is \(record.state), and has an output")
            }
        }
        for (edit, kinds) in digests where kinds.count > 1 {
            summary.problems.append("edit \(edit) was rendered in \(kinds.count) different ways")
        }
        // The pool tidies up some seconds after a job's end.
        var strangers: [String] = []
        for _ in 0..<150 {
            strangers = try FileManager.default.subpathsOfDirectory(atPath: ground.outputs)
                .filter { !expected.contains($0) && $0 != ".reelpool-fences" }
            if strangers.isEmpty { break }
            try await Task.sleep(for: .milliseconds(200))
        }
        for name in strangers { summary.problems.append("left behind: \(name)") }
    }

    /// The file got its name while the attempt ran that succeeded: any other would have put its own there.
    private func checkMoment(_ path: String, _ record: JobRecord, _ summary: inout Summary) async throws {
        let attempt = try await ground.store.attempts(of: record.id).last { $0.failure == nil }
        var status = stat()
        guard stat(path, &status) == 0, let attempt, let ended = attempt.endedAt else { return }
        let changed = StoreTime(status.st_ctim.tv_sec) * 1000 + StoreTime(status.st_ctim.tv_nsec) / 1_000_000
        if changed < attempt.startedAt || changed > ended + 1 {
            summary.problems.append(
                "the output of \(record.id) is of \(changed), its attempt lasted from \(attempt.startedAt) to \(ended)")
        }
    }

    /// Who looks late reads how a job ended.
    private func checkCache(_ records: [JobRecord], _ summary: inout Summary) async throws {
        let since = StoreTime((Audit.cacheSince.timeIntervalSince1970 + 3) * 1000)
        for record in records where record.kind != .noop && (record.finishedAt ?? 0) > since {
            let words = ["HGET", "reelpool:progress:\(record.id)", "state"].map { Array($0.utf8) }
            var told: String?
            for _ in 0..<100 {
                if case .bytes(let bytes) = try await ground.redis.run([.plain(words)]).first {
                    told = String(decoding: bytes, as: UTF8.self)
                }
                if told == record.state.rawValue { break }
                try await Task.sleep(for: .milliseconds(100))
            }
            if told != record.state.rawValue {
                summary.problems.append("\(record.id) is \(record.state), and Redis says \(told ?? "nothing")")
            }
        }
    }

    private func checkBroker(_ summary: inout Summary) async throws {
        for queue in [Ground.queue, Ground.quarantine] {
            var count = -1
            for _ in 0..<100 {
                count = try await messages(in: queue)
                if count == 0 { break }
                try await Task.sleep(for: .milliseconds(200))
            }
            if count != 0 { summary.problems.append("\(queue) has \(count) messages still") }
        }
    }

    /// Ready or unacknowledged.
    private func messages(in queue: String) async throws -> Int {
        let lines = try await ground.servers.rabbitmqctl("--no-table-headers", "list_queues", "name", "messages")
        for line in lines.split(separator: "\n") {
            let words = line.split(whereSeparator: \.isWhitespace)
            if words.count == 2, words[0] == queue { return Int(words[1]) ?? -1 }
        }
        throw HarnessError("there is no queue \(queue)")
    }

    private func checkLeftovers(_ summary: inout Summary) async throws {
        var left = ground.processes()
        for _ in 0..<100 where !left.isEmpty {
            try await Task.sleep(for: .milliseconds(100))
            left = ground.processes()
        }
        for process in left { summary.problems.append("still running: \(process.name) \(process.pid)") }
        for name in try FileManager.default.subpathsOfDirectory(atPath: ground.scratch) {
            summary.problems.append("left in the scratch folder: \(name)")
        }
    }
}
