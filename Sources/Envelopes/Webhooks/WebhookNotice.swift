internal import Crypto
internal import Model
package import WorkerCore

/// What a webhook tells, as it lies in the outbox.
package struct WebhookNotice: Sendable, Equatable {
    /// `NewNotice.channel` of these notices.
    package static let channel = "webhook"

    package let url: String
    package let endedAt: StoreTime
    private let type: String
    /// The job, or what the notice is about besides.
    private let job: JSONValue

    /// For `StorePolicy.noticesOfEnded`.
    package static func notices(ofEnded record: JobRecord) -> [NewNotice] {
        guard record.state.isFinal, let order = WebhookOrder(text: record.reply) else { return [] }
        let (event, type): (WebhookOrder.Event, String) =
            switch record.state {
            case .succeeded: (.succeeded, "job.succeeded")
            case .cancelled: (.failed, "job.cancelled")
            case .failed, .dead, .admitting, .scheduled, .waiting, .queued, .running: (.failed, "job.failed")
            }
        guard order.events.contains(event) else { return [] }
        let body: JSONValue = [
            "version": 1, "url": .string(order.url), "type": .string(type),
            "ended_at": .integer(record.finishedAt ?? record.createdAt), "job": JobView.json(record),
        ]
        return [NewNotice(channel: channel, body: body.text)]
    }

    /// `nil` for what is no such notice.
    package init?(_ notice: Notice) {
        guard notice.channel == Self.channel, let json = try? JSONValue(parsing: notice.body),
            json["version"]?.integerValue == 1, let url = json["url"]?.stringValue,
            let type = json["type"]?.stringValue, let endedAt = json["ended_at"]?.integerValue, let job = json["job"]
        else { return nil }
        (self.url, self.type, self.endedAt, self.job) = (url, type, endedAt, job)
        id = json["id"]?.stringValue ?? JobIdentity.uuid(of: "webhook\n\(notice.job)\n\(notice.id)").text
    }

    /// The same however often it is sent; another for every end of a job, and a job's own where credit comes back for it.
    package let id: String

    /// The request's body, the same however often it is sent.
    package var body: [UInt8] {
        let body: JSONValue = [
            "id": .string(id), "type": .string(type), "created_at": JobView.time(endedAt), "data": job,
        ]
        return body.bytes
    }
}

/// Proves to a receiver who sent a webhook, and when.
package struct WebhookSignature: Sendable {
    private let key: SymmetricKey

    package init(secret: String) { key = SymmetricKey(data: Array(secret.utf8)) }

    /// The header's value: HMAC-SHA256 (RFC 2104) of the time, a dot, and the body.
    ///
    /// - Parameter seconds: since 1970; a receiver refuses what is old, so that nobody can send it once more.
    package func header(for body: [UInt8], at seconds: Int64) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: Array("\(seconds).".utf8) + body, using: key)
        return "t=\(seconds),v1=\(Hexadecimal.text(code))"
    }
}
