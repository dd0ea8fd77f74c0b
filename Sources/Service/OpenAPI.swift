internal import Model
internal import WorkerCore

/// The interface described, for generators of clients. Source: OpenAPI Specification 3.1.
enum OpenAPI {
    static let document: JSONValue = [
        "openapi": "3.1.0",
        "info": [
            "title": "Reelpool", "version": "1",
            "description": "Dispatch, watch and cancel jobs of a media-processing pool.",
        ],
        "components": [
            "securitySchemes": ["token": ["type": "http", "scheme": "bearer"]], "schemas": .object(schemas),
        ],
        "security": [["token": []]],
        "paths": [
            "/v1/jobs": ["post": submit, "get": list],
            "/v1/jobs/{id}": [
                "parameters": [idParameter],
                "get": operation("get", "A job with its attempts", [200: "Job"]),
                "patch": operation(
                    "change", "Give a job that has not started another tier", [200: "Job", 409: "Problem"],
                    body: [
                        "type": "object", "required": ["tier"], "additionalProperties": false,
                        "properties": ["tier": ["type": "integer", "minimum": 0, "maximum": 3]],
                    ]),
            ],
            "/v1/jobs/{id}/cancel": [
                "parameters": [idParameter],
                "post": operation(
                    "cancel", "Cancel: at once when it has not started (200), soon when it runs (202)",
                    [200: "Job", 202: "Job", 409: "Problem"]),
            ],
            "/v1/jobs/{id}/requeue": [
                "parameters": [idParameter],
                "post": operation(
                    "requeue", "Run what ended without success once more, as a new job", [201: "Job", 409: "Problem"]),
            ],
            "/v1/jobs/{id}/events": [
                "parameters": [idParameter],
                "get": [
                    "operationId": "watch", "summary": "Progress as server-sent events: `progress` and `job`",
                    "responses": [
                        "200": ["description": "Ends with the job", "content": ["text/event-stream": [:]]],
                        "404": problem("There is no such job"),
                    ],
                ],
            ],
            "/v1/jobs/requeue-in-flight": ["post": OperatorsAPI.requeueInFlight],
            "/v1/quotes": ["post": OperatorsAPI.quote],
            "/v1/workers": ["get": operation("workers", "Workers as they last reported", [200: "Workers"])],
            "/v1/uploads": ["post": UploadsAPI.begin], "/v1/uploads/{id}": ["delete": UploadsAPI.drop],
            "/v1/uploads/{id}/parts": ["post": UploadsAPI.parts],
            "/v1/uploads/{id}/complete": ["post": UploadsAPI.complete],
            "/v1/credits/{owner}": ["get": CreditsAPI.balance],
            "/v1/credits/{owner}/statement": ["get": CreditsAPI.statement],
            "/v1/credits/{owner}/grants": ["post": CreditsAPI.grant],
            "/v1/stripe/webhook": ["post": CreditsAPI.webhook],
        ],
    ]

    private static let idParameter: JSONValue = [
        "name": "id", "in": "path", "required": true, "schema": ["type": "string", "format": "uuid"],
    ]

    private static let submit: JSONValue = [
        "operationId": "submit",
        "summary": "Dispatch a job; the same idempotency key is the same job",
        "parameters": [["name": "Idempotency-Key", "in": "header", "schema": ["type": "string", "maxLength": 255]]],
        "requestBody": ["required": true, "content": json("NewJob")],
        "responses": [
            "201": ["description": "A new job", "content": json("Job")],
            "200": ["description": "It was there already", "content": json("Job")],
            "402": problem("Its owner has not enough credit; nothing was kept"),
            "422": problem("It cannot be a job"), "429": problem("Its owner has too many jobs waiting"),
        ],
    ]

    private static let list: JSONValue = [
        "operationId": "list", "summary": "Jobs, newest first",
        "parameters": .array(
            ["owner", "kind", "state", "before", "limit"].map {
                ["name": .string($0), "in": "query", "schema": ["type": "string"]]
            }),
        "responses": ["200": ["description": "A page", "content": json("Jobs")]],
    ]

    private static func operation(
        _ id: String, _ summary: String, _ answers: [Int: String], body: JSONValue? = nil
    ) -> JSONValue {
        var responses: [String: JSONValue] = ["404": problem("There is no such job")]
        for (status, schema) in answers {
            responses["\(status)"] =
                schema == "Problem"
                ? problem("Not in its present state") : ["description": .string(summary), "content": json(schema)]
        }
        var members: [String: JSONValue] = [
            "operationId": .string(id), "summary": .string(summary), "responses": .object(responses),
        ]
        if let body { members["requestBody"] = ["required": true, "content": ["application/json": ["schema": body]]] }
        return .object(members)
    }

    static func json(_ schema: String) -> JSONValue {
        ["application/json": ["schema": ["$ref": .string("#/components/schemas/\(schema)")]]]
    }

    static func problem(_ text: String) -> JSONValue {
        [
            "description": .string(text),
            "content": ["application/problem+json": ["schema": ["$ref": "#/components/schemas/Problem"]]],
        ]
    }

    private static let schemas: [String: JSONValue] = [
        UploadsAPI.schemas, OperatorsAPI.schemas, CreditsAPI.schemas, jobSchemas,
    ]
    .reduce(into: [:]) { $0.merge($1) { $1 } }

    private static let jobSchemas: [String: JSONValue] = [
        "NewJob": [
            "type": "object", "required": ["kind", "owner", "payload"], "additionalProperties": false,
            "properties": [
                "version": ["const": 1], "id": ["type": "string", "format": "uuid"],
                "idempotency_key": ["type": "string"], "kind": kinds, "owner": ["type": "string"],
                "payload": ["type": "object"], "tier": ["type": "integer", "minimum": 0, "maximum": 3],
                "request_id": ["type": "string"], "max_attempts": ["type": "integer", "minimum": 1],
                "delay_ms": ["type": "integer", "minimum": 0], "expires_after_ms": ["type": "integer", "minimum": 1],
                "cost_seconds": ["type": "number"], "caps": ["type": "object"], "progress": ["type": "object"],
                "webhook": [
                    "type": "object", "required": ["url"], "additionalProperties": false,
                    "properties": [
                        "url": ["type": "string", "format": "uri", "maxLength": 2000],
                        "events": ["type": "array", "minItems": 1, "items": ["enum": ["succeeded", "failed"]]],
                    ],
                ],
            ],
        ],
        "Job": [
            "type": "object", "required": ["id", "kind", "owner", "state"],
            "properties": [
                "id": ["type": "string", "format": "uuid"], "kind": kinds, "owner": ["type": "string"],
                "state": ["enum": ["scheduled", "queued", "running", "succeeded", "failed", "cancelled", "dead"]],
                "result": [:], "failure": ["type": ["object", "null"]],
                "billing": ["enum": ["external", "internal", "off"]], "price": ["type": ["string", "null"]],
                "charge": ["type": ["string", "null"]],
            ],
        ],
        "Jobs": [
            "type": "object", "properties": ["jobs": ["type": "array", "items": ["$ref": "#/components/schemas/Job"]]],
        ],
        "Workers": ["type": "object", "properties": ["workers": ["type": "array", "items": ["type": "object"]]]],
        "Problem": [
            "type": "object", "required": ["status", "title", "code"],
            "properties": [
                "status": ["type": "integer"], "title": ["type": "string"], "code": ["type": "string"],
                "category": ["type": "string"],
            ],
        ],
    ]

    static let kinds: JSONValue = ["enum": .array(JobKind.allCases.map { .string($0.rawValue) })]
}
