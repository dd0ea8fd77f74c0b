package import Model
package import WorkerCore

/// Answers to the clients of TaskIQ and Celery.
///
/// A job that ends leaves a notice in the transaction that ends it; a relay writes the notice to Redis when it can. So a
/// result outlives a crash between the two, and a Redis that is away.
package enum ForeignResults {
    /// `NewNotice.channel` of these notices.
    package static let channel = "redis"

    /// For `StorePolicy.noticesOfEnded`: what the job's sender is to be told; nothing for other ingresses.
    package static func notices(ofEnded record: JobRecord) -> [NewNotice] {
        guard record.state.isFinal, let reply = JobReply(text: record.reply) else { return [] }
        var outcome = Outcome(
            job: record.id, epoch: record.epoch, reply: reply,
            finishedAt: record.finishedAt ?? record.createdAt)
        if let start = record.startedAt { outcome.seconds = Double(max(0, outcome.finishedAt - start)) / 1000 }
        if record.state == .succeeded {
            outcome.ending = .succeeded(record.result.flatMap { try? JSONValue(parsing: $0) } ?? .null)
        } else {
            let unknown = Failure(code: .internalFault, message: "the job ended as \(record.state.rawValue)")
            outcome.ending = .failed(record.failure ?? unknown)
        }
        return [NewNotice(channel: channel, body: outcome.json.text)]
    }

    /// For a message that cannot be a job, but says how its sender waits.
    package static func notice(refusing error: EnvelopeError, now: StoreTime) -> NewNotice? {
        error.reply.map { notice(reply: $0, job: nil, failure: Failure(error), now: now) }
    }

    /// For a job that the store does not take.
    package static func notice(refusing job: NewJob, because failure: Failure, now: StoreTime) -> NewNotice? {
        JobReply(text: job.reply).map { notice(reply: $0, job: job.id, failure: failure, now: now) }
    }

    private static func notice(reply: JobReply, job: JobID?, failure: Failure, now: StoreTime) -> NewNotice {
        var outcome = Outcome(job: job, epoch: 0, reply: reply, finishedAt: now)
        outcome.ending = .failed(failure)
        return NewNotice(channel: channel, body: outcome.json.text)
    }

    /// What a notice's body asks of Redis; `nil` when it is none of these.
    package static func write(forBody body: String) -> FencedWrite? {
        guard let json = try? JSONValue(parsing: body), let outcome = Outcome(json) else { return nil }
        return outcome.write
    }
}

/// A notice's body.
private struct Outcome {
    enum Ending {
        case succeeded(JSONValue)
        case failed(Failure)
    }

    /// `nil` for a message that never was one.
    var job: JobID?
    var epoch: Int64
    var reply: JobReply
    var finishedAt: StoreTime
    /// Of its last attempt.
    var seconds: Double = 0
    var ending = Ending.succeeded(.null)

    init(job: JobID?, epoch: Int64, reply: JobReply, finishedAt: StoreTime) {
        (self.job, self.epoch, self.reply, self.finishedAt) = (job, epoch, reply, finishedAt)
    }

    var json: JSONValue {
        var members: [String: JSONValue] = [
            "version": 1, "epoch": .integer(epoch), "reply": reply.json, "finished_at": .integer(finishedAt),
            "seconds": .double(seconds), "job": .text(job?.text),
        ]
        switch ending {
        case .succeeded(let result): members["result"] = result
        case .failed(let failure):
            members["failure"] = ["code": .string(failure.code.rawValue), "message": .string(failure.message)]
        }
        return .object(members)
    }

    init?(_ json: JSONValue) {
        guard json["version"]?.integerValue == 1, let reply = json["reply"].flatMap(JobReply.init),
            let epoch = json["epoch"]?.integerValue, let finishedAt = json["finished_at"]?.integerValue
        else { return nil }
        self.init(
            job: json["job"]?.stringValue.flatMap(JobID.init), epoch: epoch, reply: reply, finishedAt: finishedAt)
        seconds = json["seconds"]?.doubleValue ?? 0
        if let failure = json["failure"] {
            guard let code = failure["code"]?.stringValue.flatMap(FailureCode.init(rawValue:)) else { return nil }
            ending = .failed(Failure(code: code, message: failure["message"]?.stringValue ?? ""))
        } else {
            ending = .succeeded(json["result"] ?? .null)
        }
    }

    var write: FencedWrite {
        let (key, keepSeconds, operations): (String, Int?, [FencedWrite.Operation])
        switch reply {
        case .taskiq(let reply):
            let bytes = TaskIQResult.encode(taskiq(reply), reply.serializer)
            (key, keepSeconds) = (reply.key, reply.keepSeconds)
            operations = [.set(key: key, value: bytes, keepSeconds: keepSeconds)]
        case .celery(let reply):
            let bytes = celery(reply).bytes
            (key, keepSeconds) = (reply.key, reply.keepSeconds)
            // A client that waits is woken by the message; one that comes later reads the key.
            operations = [
                .set(key: key, value: bytes, keepSeconds: keepSeconds), .publish(channel: key, value: bytes),
            ]
        }
        return FencedWrite(
            key: "reelpool:result:\(key)", rule: .notBelow, epoch: epoch, sequence: 0, state: "ended", data: [],
            keepSeconds: keepSeconds ?? 86_400, operations: operations)
    }

    private func taskiq(_ reply: JobReply.TaskIQ) -> JSONValue {
        switch ending {
        case .succeeded(let result):
            TaskIQResult.dictionary(value: result, error: .null, seconds: seconds, labels: reply.labels)
        case .failed(let failure):
            TaskIQResult.dictionary(
                value: .null, error: TaskIQResult.error(failure), seconds: seconds, labels: reply.labels)
        }
    }

    private func celery(_ reply: JobReply.Celery) -> JSONValue {
        switch ending {
        case .succeeded(let result):
            CeleryResult.meta(status: "SUCCESS", result: result, taskID: reply.taskID, finishedAt: finishedAt)
        case .failed(let failure):
            CeleryResult.meta(failure: failure, taskID: reply.taskID, finishedAt: finishedAt)
        }
    }
}
