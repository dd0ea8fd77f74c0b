internal import Model
package import WorkerCore

/// Tells that an owner's credit comes back: what a back end has to refund, and what was released here.
///
/// A notice is written by the transaction that ends the job, one for each way, and carried by the relays until it has
/// arrived. It comes at least once, and is the same each time; a job has one for life, so its id is the key.
package struct CreditNotices: Sendable {
    /// Where back ends are told by webhook; `nil` where none is.
    package var url: String?
    /// Whether the job's channel and its project's are told.
    package var tellsProgress: Bool
    /// What is charged though it failed.
    package var charges: ChargePolicy

    package init(url: String?, tellsProgress: Bool, charges: ChargePolicy) {
        (self.url, self.tellsProgress, self.charges) = (url, tellsProgress, charges)
    }

    /// For `StorePolicy.noticesOfEnded`.
    package func notices(ofEnded record: JobRecord) -> [NewNotice] {
        let unpaid = tellsProgress ? UnpaidEnd(record).map { [$0.notice] } ?? [] : []
        guard let back = record.creditReturn(charges) else { return unpaid }
        let facts = Self.facts(record, back)
        var notices = unpaid
        if let url {
            let body: JSONValue = [
                "version": 1, "id": .string(record.id.text), "url": .string(url),
                "type": .string("credit.\(back.verb)"), "ended_at": .integer(Self.endedAt(record)),
                "job": .object(facts),
            ]
            notices.append(NewNotice(channel: WebhookNotice.channel, body: body.text))
        }
        if tellsProgress {
            var members = facts
            members["type"] = .string("credit_\(back.verb)")
            var body: [String: JSONValue] = [
                "version": 1, "credit": .object(members), "epoch": .integer(record.epoch),
            ]
            if let route = ProgressRoute(text: record.progressRoute), let project = route.project {
                body["project"] = .string(project)
                body["subject"] = .object(route.subject)
            }
            notices.append(NewNotice(channel: ForeignResults.channel, body: JSONValue.object(body).text))
        }
        return notices
    }

    private static func endedAt(_ record: JobRecord) -> StoreTime { record.finishedAt ?? record.createdAt }

    private static func facts(_ record: JobRecord, _ back: CreditReturn) -> [String: JSONValue] {
        var credits = JSONValue.null
        if case .release(let amount) = back { credits = .string(amount.text) }
        return [
            "job_id": .string(record.id.text), "task_id": .text(record.senderID), "owner": .string(record.owner),
            "kind": .string(record.kind.rawValue), "ingress": .string(record.ingress.rawValue),
            "request_id": .text(record.requestID), "state": .string(record.state.rawValue),
            "failure": JobView.failure(record.failure), "credits": credits, "ended_at": JobView.time(endedAt(record)),
        ]
    }

    /// Where the latest is kept, for those who were not listening.
    package static func key(of job: JobID) -> String { "reelpool:credit:\(job)" }

    /// What a notice's body asks of Redis; `nil` when it is none of these.
    package static func write(forBody body: String) -> FencedWrite? {
        guard let json = try? JSONValue(parsing: body), json["version"]?.integerValue == 1 else { return nil }
        if let end = json["unpaid"].flatMap(UnpaidEnd.init) { return ProgressTelling.write(for: end.update) }
        guard let members = json["credit"]?.objectValue, let epoch = json["epoch"]?.integerValue,
            let job = members["job_id"]?.stringValue.flatMap(JobID.init)
        else { return nil }
        let own = JSONValue.object(members).bytes
        var operations = [FencedWrite.Operation.publish(channel: ProgressTelling.channel(of: job), value: own)]
        if let project = json["project"]?.stringValue {
            var event = (json["subject"]?.objectValue ?? [:]).merging(members) { $1 }
            event["project_id"] = .string(project)
            operations.append(
                .publish(channel: ProgressTelling.channel(ofProject: project), value: JSONValue.object(event).bytes))
        }
        return FencedWrite(
            key: key(of: job), rule: .notBelow, epoch: epoch, sequence: 0, state: "told", data: own,
            keepSeconds: ProgressTelling.keepSeconds, operations: operations)
    }
}

extension CreditReturn {
    fileprivate var verb: String {
        switch self {
        case .refund: "refunded"
        case .release: "released"
        }
    }
}

extension JobRecord {
    /// What its sender calls it: a task's id at TaskIQ and Celery, else the key that it was sent with.
    fileprivate var senderID: String? {
        guard let key = idempotencyKey, let line = key.firstIndex(of: "\n") else { return nil }
        return String(key[key.index(after: line)...])
    }
}
