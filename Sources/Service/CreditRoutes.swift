internal import HTTPTypes
internal import Hummingbird
internal import Model
internal import WorkerCore

/// Owners' credit, for the back end that shows it to them.
struct CreditRoutes: Sendable {
    private static let pageLimit = 500
    private static let longestKey = 200

    let ledger: any LedgerStore

    func add(to group: RouterGroup<BasicRequestContext>) {
        group.get("credits/:owner", use: balance)
        group.get("credits/:owner/statement", use: statement)
        group.post("credits/:owner/grants", use: grant)
    }

    @Sendable private func balance(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let owner = try Self.owner(context)
        return JobRoutes.json(LedgerView.balance(try await ledger.balance(of: owner), of: owner), .ok)
    }

    @Sendable private func statement(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let owner = try Self.owner(context)
        let query = request.uri.queryParameters
        var before: Int64?
        if let text = query["before"] {
            guard let number = Int64(text), number > 0 else { throw Problem.invalid("before: an entry's number") }
            before = number
        }
        var limit = 100
        if let text = query["limit"] {
            guard let number = Int(text), (1...Self.pageLimit).contains(number) else {
                throw Problem.invalid("limit: a number from 1 to \(Self.pageLimit)")
            }
            limit = number
        }
        let lines = try await ledger.statement(of: owner, before: before, limit: limit)
        let next = lines.count == limit ? lines.last.map { JSONValue.integer($0.entry.seq) } : nil
        return JobRoutes.json(
            ["owner": .string(owner), "entries": .array(lines.map(LedgerView.line)), "next_before": next ?? .null], .ok)
    }

    @Sendable private func grant(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let owner = try Self.owner(context)
        guard let key = request.headers[.idempotencyKey], (1...Self.longestKey).contains(key.utf8.count) else {
            throw Problem.invalid("Idempotency-Key: is needed, with 1 to \(Self.longestKey) bytes")
        }
        let body = try await JobRoutes.parse(request)
        if let name = body.objectValue?.keys.sorted().first(where: { !["amount", "note"].contains($0) }) {
            throw Problem(Failure(code: .unknownField, message: "\(name) is not a field"))
        }
        guard let amount = body["amount"]?.stringValue.flatMap({ MicroCredits(text: $0) }) else {
            throw Problem(
                Failure(code: .invalidEntry, message: "amount: should be credits in decimal, as text, such as \"12.5\"")
            )
        }
        let note = body["note"] ?? .null
        guard note.isNull || note.stringValue != nil else {
            throw Problem(Failure(code: .invalidTask, message: "note: should be text"))
        }
        let entry = try await ledger.grant(amount, to: owner, key: key, note: note.stringValue).entry()
        let balance = LedgerView.balance(try await ledger.balance(of: owner), of: owner)
        return JobRoutes.json(
            ["entry": .integer(entry.number), "amount": .string(amount.text), "balance": balance],
            entry.isNew ? .created : .ok)
    }

    /// Paths come as they were sent.
    private static func owner(_ context: BasicRequestContext) throws -> String {
        guard let text = context.parameters.get("owner"), let owner = PercentEncoding.decode(text),
            (1...longestKey).contains(owner.utf8.count)
        else { throw Problem(Failure(code: .invalidEntry, message: "an owner has 1 to \(longestKey) bytes")) }
        return owner
    }
}
