internal import Model

/// Uploads as the interface's description has them. Source: OpenAPI Specification 3.1.
enum UploadsAPI {
    static let begin: JSONValue = [
        "operationId": "beginUpload",
        "summary": "URLs to upload a file straight to the store by: one PUT below 25 MiB, parts from there on",
        "parameters": [["name": "Idempotency-Key", "in": "header", "schema": ["type": "string", "maxLength": 255]]],
        "requestBody": body(
            ["owner", "name", "size_bytes", "content_type"],
            [
                "owner": text, "name": ["type": "string", "maxLength": 1024],
                "size_bytes": ["type": "integer", "minimum": 1],
                "content_type": ["type": "string", "examples": ["video/mp4"]],
            ]),
        "responses": [
            "201": answer("An upload that waits for its bytes"),
            "200": answer("It is complete already, by an earlier request of the same key"),
            "413": OpenAPI.problem("Larger than sources may be: source_too_large"),
            "422": OpenAPI.problem("No such owner, name, size or type"),
            "503": OpenAPI.problem("The store does not answer, or refuses"),
        ],
    ]

    static let parts: JSONValue = [
        "operationId": "uploadParts", "summary": "URLs of further parts, or of the same ones anew: at most 100",
        "parameters": [id],
        "requestBody": body(
            ["owner", "first"],
            [
                "owner": text, "first": ["type": "integer", "minimum": 1],
                "count": ["type": "integer", "minimum": 1, "maximum": 100, "default": 100],
            ]),
        "responses": merge(["200": answer("The same upload with those parts")], refusals),
    ]

    static let complete: JSONValue = [
        "operationId": "completeUpload",
        "summary": "All bytes have been sent: makes the object of its parts, and looks whether it is as announced",
        "parameters": [id],
        "requestBody": body(
            ["owner"],
            [
                "owner": text,
                "parts": [
                    "type": "array", "description": "Of an upload in parts: what each PUT answered in its ETag header",
                    "items": [
                        "type": "object", "required": ["number", "etag"], "additionalProperties": false,
                        "properties": ["number": ["type": "integer", "minimum": 1], "etag": text],
                    ],
                ],
            ]),
        "responses": merge(
            [
                "200": answer("`uri` is what a task names as its source"),
                "409": OpenAPI.problem("What came is not what was announced: upload_mismatch"),
            ], refusals),
    ]

    static let drop: JSONValue = [
        "operationId": "dropUpload", "summary": "Abort an upload, or delete what it came to",
        "parameters": [id, ["name": "owner", "in": "query", "required": true, "schema": text]],
        "responses": merge(["204": ["description": "There is nothing of it any more"]], refusals),
    ]

    static let schemas: [String: JSONValue] = [
        "Upload": [
            "type": "object", "required": ["id", "state", "uri", "owner", "name", "size_bytes", "content_type"],
            "properties": [
                "id": text, "state": ["enum": ["waiting", "complete"]],
                "uri": ["type": "string", "description": "s3://bucket/key"], "owner": text, "name": text,
                "size_bytes": ["type": "integer"], "content_type": text, "etag": text,
                "expires_at": instant, "urls_expire_at": instant,
                "put": [
                    "type": "object",
                    "properties": ["url": text, "headers": ["type": "object", "additionalProperties": text]],
                ],
                "multipart": [
                    "type": "object",
                    "properties": [
                        "part_bytes": ["type": "integer"], "part_count": ["type": "integer"],
                        "next": ["type": ["integer", "null"]],
                        "parts": [
                            "type": "array",
                            "items": [
                                "type": "object",
                                "properties": [
                                    "number": ["type": "integer"], "size_bytes": ["type": "integer"], "url": text,
                                ],
                            ],
                        ],
                    ],
                ],
            ],
        ]
    ]

    private static let text: JSONValue = ["type": "string"]
    private static let instant: JSONValue = ["type": "string", "format": "date-time"]
    private static let id: JSONValue = ["name": "id", "in": "path", "required": true, "schema": text]
    private static let refusals: [String: JSONValue] = [
        "403": OpenAPI.problem("Another owner's: source_not_allowed"),
        "404": OpenAPI.problem("No upload of this pool: unknown_upload"),
        "410": OpenAPI.problem("A day has passed: url_expired"),
    ]

    private static func body(_ required: [String], _ properties: [String: JSONValue]) -> JSONValue {
        [
            "required": true,
            "content": [
                "application/json": [
                    "schema": [
                        "type": "object", "required": .array(required.map(JSONValue.string)),
                        "additionalProperties": false, "properties": .object(properties),
                    ]
                ]
            ],
        ]
    }

    private static func answer(_ text: String) -> JSONValue {
        ["description": .string(text), "content": OpenAPI.json("Upload")]
    }

    private static func merge(_ some: [String: JSONValue], _ others: [String: JSONValue]) -> JSONValue {
        .object(some.merging(others) { $1 })
    }
}
