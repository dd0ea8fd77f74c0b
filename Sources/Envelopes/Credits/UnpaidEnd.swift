internal import Model
internal import WorkerCore

/// The last word of the progress of a job that its owner could not pay for: no worker is there to tell it.
struct UnpaidEnd {
    /// Above all that whoever looked at the job has told.
    private static let sequence: Int64 = 1 << 40

    let update: ProgressUpdate

    /// `nil` of a job that ended otherwise.
    init?(_ record: JobRecord) {
        guard record.state == .failed, let failure = record.failure, failure.code == .insufficientCredit else {
            return nil
        }
        update = ProgressUpdate(
            job: record.id, kind: record.kind, owner: record.owner, epoch: record.epoch, sequence: Self.sequence,
            state: .failed, attempt: record.attempt, failure: failure, route: record.progressRoute)
    }

    var notice: NewNotice {
        let body: JSONValue = [
            "version": 1,
            "unpaid": [
                "job": .string(update.job.text), "kind": .string(update.kind.rawValue),
                "owner": .string(update.owner), "epoch": .integer(update.epoch), "attempt": .integer(update.attempt),
                "message": .text(update.failure?.message), "route": .text(update.route),
            ],
        ]
        return NewNotice(channel: ForeignResults.channel, body: body.text)
    }

    /// Of a notice's body; `nil` when it is no such notice.
    init?(_ json: JSONValue) {
        guard let job = json["job"]?.stringValue.flatMap(JobID.init),
            let kind = json["kind"]?.stringValue.flatMap(JobKind.init(rawValue:)),
            let owner = json["owner"]?.stringValue, let epoch = json["epoch"]?.integerValue
        else { return nil }
        let failure = Failure(code: .insufficientCredit, message: json["message"]?.stringValue ?? "")
        update = ProgressUpdate(
            job: job, kind: kind, owner: owner, epoch: epoch, sequence: Self.sequence, state: .failed,
            attempt: Int(json["attempt"]?.integerValue ?? 0), failure: failure, route: json["route"]?.stringValue)
    }
}
