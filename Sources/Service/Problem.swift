internal import HTTPTypes
internal import Hummingbird
internal import Model

/// What was wrong with a request, as RFC 9457 has it.
struct Problem: Error, HTTPResponseError {
    var status: HTTPResponse.Status
    var failure: Failure

    init(_ failure: Failure) {
        self.failure = failure
        status =
            switch failure.category {
            case .invalidInput, .unsupportedMedia: .unprocessableContent
            case .limitExceeded: .tooManyRequests
            case .insufficientCredit: .init(code: 402, reasonPhrase: "Payment Required")
            case .dependencyUnavailable: .serviceUnavailable
            case .cancelled, .interrupted, .crashed, .internalFault: .internalServerError
            }
        switch failure.code {
        case .invalidJSON: status = .badRequest
        case .leaseLost: status = .conflict
        case .unknownUpload: status = .notFound
        case .keyTaken: status = .conflict
        case .storeForbidden: status = .forbidden
        // As the sender's own documents have it.
        case .invalidSignature: status = .badRequest
        default: break
        }
    }

    /// As what an upload's requests mean by a code, rather than a task's.
    static func ofUpload(_ failure: Failure) -> Problem {
        var problem = Problem(failure)
        switch failure.code {
        case .sourceNotAllowed: problem.status = .forbidden
        case .sourceTooLarge: problem.status = .contentTooLarge
        case .urlExpired: problem.status = .gone
        case .uploadMismatch: problem.status = .conflict
        default: break
        }
        return problem
    }

    private init(_ status: HTTPResponse.Status, _ code: FailureCode, _ message: String) {
        (self.status, failure) = (status, Failure(code: code, message: message))
    }

    static let notFound = Problem(.notFound, .invalidTask, "there is no such job")
    static let leaseLost = Problem(.conflict, .leaseLost, "the worker's hold on the job is lost")
    static let unauthorized = Problem(.unauthorized, .sourceNotAllowed, "a bearer token is needed")
    static func conflict(_ message: String) -> Problem { Problem(.conflict, .invalidTask, message) }
    static func tooLarge(_ message: String) -> Problem { Problem(.contentTooLarge, .invalidTask, message) }
    static func invalid(_ message: String) -> Problem { Problem(.badRequest, .invalidTask, message) }

    func response(from request: Request, context: some RequestContext) throws -> Response {
        let body: JSONValue = [
            "type": "about:blank", "status": .integer(status.code), "title": .string(failure.message),
            "code": .string(failure.code.rawValue), "category": .string(failure.category.rawValue),
        ]
        var response = JobRoutes.json(body, status)
        response.headers[.contentType] = "application/problem+json"
        if status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
        if status == .serviceUnavailable { response.headers[.retryAfter] = "5" }
        return response
    }
}
