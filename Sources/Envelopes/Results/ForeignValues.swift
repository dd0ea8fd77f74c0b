internal import Model
internal import WorkerCore

/// A failure as an exception of a Python client: a class by the category, with the message and the code.
enum PythonException {
    static func name(_ category: FailureCategory) -> String {
        switch category {
        case .invalidInput: "InvalidInput"
        case .unsupportedMedia: "UnsupportedMedia"
        case .limitExceeded: "LimitExceeded"
        case .insufficientCredit: "InsufficientCredit"
        case .cancelled: "TaskCancelled"
        case .interrupted: "TaskInterrupted"
        case .dependencyUnavailable: "DependencyUnavailable"
        case .crashed: "WorkerCrashed"
        case .internalFault: "InternalFault"
        }
    }

    static func arguments(_ failure: Failure) -> JSONValue {
        [.string(failure.message), .string(failure.code.rawValue)]
    }
}

/// `TaskiqResult` and `TaskProgress`, as TaskIQ 0.13 reads them.
enum TaskIQResult {
    static func encode(_ value: JSONValue, _ serializer: ReplySettings.Serializer) -> [UInt8] {
        switch serializer {
        case .json: value.bytes
        case .pickle: PickleWriter.bytes(of: value)
        }
    }

    static func dictionary(
        value: JSONValue, error: JSONValue, seconds: Double, labels: [String: JSONValue]
    ) -> JSONValue {
        [
            "is_err": .bool(!error.isNull), "log": .null, "return_value": value, "execution_time": .double(seconds),
            "labels": .object(labels), "error": error,
        ]
    }

    /// Without a module the client makes a class of this name, derived from `Exception`.
    static func error(_ failure: Failure) -> JSONValue {
        [
            "exc_type": .string(PythonException.name(failure.category)),
            "exc_message": PythonException.arguments(failure), "exc_module": .null, "exc_cause": .null,
            "exc_context": .null, "exc_suppress_context": false,
        ]
    }
}

/// A task's record in Celery's Redis backend.
enum CeleryResult {
    static func meta(status: String, result: JSONValue, taskID: String, finishedAt: StoreTime?) -> JSONValue {
        [
            "status": .string(status), "result": result, "traceback": .null, "children": [],
            "date_done": .text(finishedAt.map { InstantText.text(milliseconds: $0) }), "task_id": .string(taskID),
        ]
    }

    /// What was cancelled or came too late is REVOKED, as Celery's own workers have it; all else is FAILURE.
    static func meta(failure: Failure, taskID: String, finishedAt: StoreTime) -> JSONValue {
        guard failure.category == .cancelled || failure.code == .expired else {
            return meta(
                status: "FAILURE",
                result: [
                    "exc_type": .string(PythonException.name(failure.category)),
                    "exc_message": PythonException.arguments(failure), "exc_module": "reelpool",
                ],
                taskID: taskID, finishedAt: finishedAt)
        }
        return meta(
            status: "REVOKED",
            result: [
                "exc_type": "TaskRevokedError", "exc_message": [.string(failure.message)],
                "exc_module": "celery.exceptions",
            ],
            taskID: taskID, finishedAt: finishedAt)
    }
}
