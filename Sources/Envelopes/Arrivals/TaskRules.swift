package import WorkerCore

/// How the tasks of a foreign queue become jobs: which names are meant, and where things are found in them.
///
/// The defaults suit a back end that names its tasks as Reelpool's kinds are named; any other changes these, not its code.
package struct TaskRules: Sendable, Equatable {
    package struct Task: Sendable, Equatable {
        package var kind: JobKind
        /// Names of positional arguments, in order.
        package var positional: [String]
        /// A keyword argument's name to the payload's.
        package var renamed: [String: String]
        /// Keyword arguments that are not passed on.
        package var dropped: Set<String>

        package init(
            _ kind: JobKind, positional: [String] = [], renamed: [String: String] = [:], dropped: Set<String> = []
        ) {
            (self.kind, self.positional, self.renamed, self.dropped) = (kind, positional, renamed, dropped)
        }
    }

    /// By the task's name, exactly.
    package var tasks: [String: Task]

    // Each is looked for by these names in turn: among the labels or headers first, then among the keyword arguments,
    // from which it is taken out.
    package var ownerFields = ["owner", "user_id"]
    package var projectFields = ["project_id", "project_uuid"]
    package var requestFields = ["request_id"]
    /// Passed on with the project's events.
    package var subjectFields = ["clip_id", "export_id", "analysis_id"]
    /// Among the labels or headers only.
    package var tierFields = ["tier", "priority"]

    /// Whose a job is that names no owner; `nil` refuses it. Where jobs are paid for here each has to name its own.
    package var defaultOwner: String? = "default"
    /// Who pays for what comes in.
    package var billing = BillingRules.off
    package var defaultAttempts = 3
    /// No message gets more.
    package var maximumAttempts = 10
    /// Kinds whose jobs start in `admitting` unless they say how long they take.
    package var admittedKinds: Set<JobKind> = []

    /// Where webhooks may go; `nil` refuses jobs that want one, because nobody here would sign it.
    package var webhooks: WebhookRules?

    package init(tasks: [String: Task] = TaskRules.ownNames) { self.tasks = tasks }

    /// The owner of a job that came in by this door, from what its message says.
    func owner(_ given: String?, _ ingress: Ingress, lookedFor: String) throws(EnvelopeError) -> String {
        if let given { return given }
        guard billing[ingress] != .internal else {
            throw EnvelopeError(
                .missingOwner, "\(lookedFor): what comes in this way is paid for from its owner's credit")
        }
        guard let defaultOwner else { throw EnvelopeError(.missingOwner, lookedFor) }
        return defaultOwner
    }

    /// Kinds whose cost and memory depend on what their sources are.
    package static let mediaKinds: Set<JobKind> = [.proxy, .analysis, .render]

    package static let ownNames: [String: Task] = Dictionary(
        uniqueKeysWithValues: JobKind.allCases.map { ($0.rawValue, Task($0)) })
}

/// How results go back to the clients of a foreign queue.
package struct ReplySettings: Sendable, Equatable {
    /// What the client's result backend reads: taskiq-redis reads pickle unless it is told otherwise.
    package enum Serializer: String, Sendable, Codable, CaseIterable { case json, pickle }

    package var taskiqSerializer = Serializer.pickle
    /// `prefix_str` of the client's result backend.
    package var taskiqPrefix: String?
    package var celeryPrefix = "celery-task-meta-"
    /// How long results and progress are kept; `nil` for ever.
    package var keepSeconds: Int? = 86_400

    package init() {}
}
