package import Model

/// Where a job's progress goes besides its own channel: what stands in `NewJob.progressRoute`.
package struct ProgressRoute: Sendable, Equatable {
    /// A project of the back end: its events go to `project:<id>:events`.
    package var project: String?
    /// Ids that go with every event, by name: `export_id`, say.
    package var subject: [String: JSONValue] = [:]
    /// The sender's own progress record.
    package var reply: JobReply?

    package init(project: String? = nil, subject: [String: JSONValue] = [:], reply: JobReply? = nil) {
        (self.project, self.subject, self.reply) = (project, subject, reply)
    }

    package var isEmpty: Bool { project == nil && reply == nil }

    package var json: JSONValue {
        var members: [String: JSONValue] = [:]
        if let project { members["project"] = .string(project) }
        if !subject.isEmpty { members["subject"] = .object(subject) }
        if let reply { members["reply"] = reply.json }
        return .object(members)
    }

    package init?(text: String?) {
        guard let text, let json = try? JSONValue(parsing: text) else { return nil }
        self.init(
            project: json["project"]?.stringValue, subject: json["subject"]?.objectValue ?? [:],
            reply: json["reply"].flatMap(JobReply.init))
    }
}
