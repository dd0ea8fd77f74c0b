internal import HTTPTypes
internal import Hummingbird
internal import Model
internal import WorkerCore

/// Uploads straight to the object store: what may be uploaded, by which URLs, and whether it came.
struct UploadRoutes: Sendable {
    /// Ten thousand parts with their ETags.
    private static let longestBody = 2 << 20
    private static let longestKey = 255

    let desk: (any UploadDesk)?

    func add(to group: RouterGroup<BasicRequestContext>) {
        group.post("uploads", use: begin)
        group.post("uploads/:id/parts", use: parts)
        group.post("uploads/:id/complete", use: complete)
        group.delete("uploads/:id", use: drop)
    }

    @Sendable private func begin(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let body = try await Self.body(request, ["owner", "name", "size_bytes", "content_type"])
        let wanted = WantedUpload(
            owner: try Self.text(body, "owner"), name: try Self.text(body, "name"),
            sizeBytes: try Self.number(body, "size_bytes"), contentType: try Self.text(body, "content_type"))
        let key = request.headers[.idempotencyKey]
        if let key, !(1...Self.longestKey).contains(key.utf8.count) {
            throw Problem.invalid("Idempotency-Key: should have from 1 to \(Self.longestKey) bytes")
        }
        let upload = try await atDesk { try $0.begin(wanted, key: key) }
        return JobRoutes.json(Self.json(upload), upload.state == .complete ? .ok : .created)
    }

    @Sendable private func parts(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let body = try await Self.body(request, ["owner", "first", "count"])
        let (id, owner) = (try Self.id(context), try Self.text(body, "owner"))
        let first = Int(clamping: try Self.number(body, "first"))
        let count = try body["count"].map { _ in Int(clamping: try Self.number(body, "count")) } ?? 100
        return JobRoutes.json(
            Self.json(try await atDesk { try $0.parts(id, owner: owner, from: first, count: count) }), .ok)
    }

    @Sendable private func complete(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let body = try await Self.body(request, ["owner", "parts"])
        let (id, owner) = (try Self.id(context), try Self.text(body, "owner"))
        let parts = try (body["parts"]?.arrayValue ?? []).map { part in
            try Self.require(part, ["number", "etag"])
            return UploadedPart(
                number: Int(clamping: try Self.number(part, "number")), etag: try Self.text(part, "etag"))
        }
        return JobRoutes.json(
            Self.json(try await atDesk { try $0.complete(id, owner: owner, parts: parts) }), .ok)
    }

    /// The owner stands in the query: what a body of DELETE means is nowhere said. Source: RFC 9110 §9.3.5.
    @Sendable private func drop(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let id = try Self.id(context)
        guard let owner = request.uri.queryParameters["owner"].map(String.init) else {
            throw Problem.invalid("owner: should stand in the query")
        }
        try await atDesk { try $0.drop(id, owner: owner) }
        return Response(status: .noContent)
    }

    // MARK: Requests

    private static func id(_ context: BasicRequestContext) throws -> String {
        guard let id = context.parameters.get("id") else { throw Problem.notFound }
        return id
    }

    private static func body(_ request: Request, _ names: Set<String>) async throws -> JSONValue {
        let body = try await JobRoutes.parse(request, upTo: longestBody)
        try require(body, names)
        return body
    }

    /// A misspelt member is not silently without effect.
    private static func require(_ value: JSONValue, _ names: Set<String>) throws {
        guard let members = value.objectValue else {
            throw Problem(Failure(code: .invalidTask, message: "parts: should be objects with a number and an etag"))
        }
        if let name = members.keys.sorted().first(where: { !names.contains($0) }) {
            throw Problem(Failure(code: .unknownField, message: "\(name) is not a field"))
        }
    }

    private static func text(_ body: JSONValue, _ name: String) throws -> String {
        guard let text = body[name]?.stringValue else {
            throw Problem(Failure(code: .invalidTask, message: "\(name): should be text"))
        }
        return text
    }

    private static func number(_ body: JSONValue, _ name: String) throws -> Int64 {
        guard let number = body[name]?.integerValue else {
            throw Problem(Failure(code: .invalidTask, message: "\(name): should be a whole number"))
        }
        return number
    }

    // MARK: Answers

    private static func json(_ upload: DirectUpload) -> JSONValue {
        var members: [String: JSONValue] = [
            "id": .string(upload.id), "state": .string(upload.state.rawValue), "uri": .string(upload.uri),
            "owner": .string(upload.wanted.owner), "name": .string(upload.wanted.name),
            "size_bytes": .integer(upload.wanted.sizeBytes), "content_type": .string(upload.wanted.contentType),
        ]
        guard upload.state == .waiting else {
            members["etag"] = .text(upload.etag)
            return .object(members)
        }
        members["expires_at"] = .string(InstantText.universal(milliseconds: upload.expiresAt))
        members["urls_expire_at"] = .text(upload.putsExpireAt.map { InstantText.universal(milliseconds: $0) })
        guard let partBytes = upload.partBytes else {
            members["put"] = .object([
                "url": .text(upload.puts.first?.url),
                "headers": ["Content-Type": .string(upload.wanted.contentType)],
            ])
            return .object(members)
        }
        let last = upload.puts.last?.part ?? 0
        members["multipart"] = [
            "part_bytes": .integer(partBytes), "part_count": .integer(upload.partCount),
            "parts": .array(
                upload.puts.map { put in
                    [
                        "number": .integer(put.part ?? 1), "size_bytes": .integer(put.sizeBytes),
                        "url": .string(put.url),
                    ]
                }),
            "next": last < upload.partCount ? .integer(last + 1) : .null,
        ]
        return .object(members)
    }

    /// What blocks, on a thread that may.
    private func atDesk<Value: Sendable>(
        _ body: @escaping @Sendable (any UploadDesk) throws -> Value
    ) async throws -> Value {
        guard let desk else {
            throw Problem.ofUpload(
                Failure(code: .sourceNotAllowed, message: "there is no bucket of originals to upload to here"))
        }
        do {
            return try await OwnThread.run(named: "reelpool.uploads") { try body(desk) }
        } catch let failure as Failure {
            // The store's own words are its operator's affair.
            throw Problem.ofUpload(Failure(code: failure.code, message: failure.message))
        }
    }
}
