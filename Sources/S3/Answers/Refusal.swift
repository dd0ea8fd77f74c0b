internal import FoundationEssentials
internal import HTTPTransfer

/// An answer that says no.
struct Refusal {
    /// The store's own name of the reason.
    let code: String?
    let kind: S3Error.Kind
    private let status: Int
    private let document: AnswerElement?
    private let head: TransferHead

    init(_ response: TransferResponse, isAboutBucket: Bool) {
        let document = response.body.isEmpty ? nil : AnswerElement.read(response.body)
        self.init(response.head, document?.name == "Error" ? document : nil, isAboutBucket: isAboutBucket)
    }

    /// - Parameter document: also of an answer that is a success by its status, as that to a completed upload may be.
    init(_ head: TransferHead, _ document: AnswerElement?, isAboutBucket: Bool) {
        code = document?.text("Code")
        status = head.status
        self.head = head
        self.document = document
        // A success that is none has no status of its own.
        let status = head.isSuccess ? 500 : head.status
        kind = ErrorTable.kind(code: code, status: status, isAboutBucket: isAboutBucket)
    }

    /// By the store's clock, in seconds since 1970.
    var serverSeconds: Int64? {
        let told = document?.text("ServerTime").flatMap { try? Date($0, strategy: .iso8601) }
        return told.map { Int64($0.timeIntervalSince1970) } ?? head.date
    }

    /// Whether the time that a request was signed with may be the reason.
    var mayBeAboutTime: Bool { kind == .clockSkew || status == 403 }

    var retryAfterSeconds: Double? { head.retryAfterSeconds }

    func error(_ place: S3Place, words: String? = nil) -> S3Error {
        S3Error(
            kind, "\(place): \(words ?? ErrorTable.words(kind))", detail: detail, serverCode: code,
            serverRegion: document?.text("Region") ?? head["x-amz-bucket-region"])
    }

    private var detail: String {
        var parts = [code ?? "status \(status)"]
        if let text = document?.text("Message") { parts.append(text) }
        for name in ["Region", "Endpoint"] {
            if let text = document?.text(name) { parts.append("\(name) \(text)") }
        }
        if let request = document?.text("RequestId") ?? head["x-amz-request-id"] { parts.append("request \(request)") }
        return String(parts.joined(separator: ": ").prefix(600))
    }
}
