internal import Model
internal import WorkerCore

/// Quotes, and what operators ask, as the document of the interface has them.
enum OperatorsAPI {
    static let quote: JSONValue = [
        "operationId": "quote", "summary": "What a task would cost; nothing is looked at and nothing kept",
        "requestBody": ["required": true, "content": OpenAPI.json("QuoteRequest")],
        "responses": [
            "200": ["description": "The price", "content": OpenAPI.json("Quote")],
            "422": OpenAPI.problem("It has no price, or its minutes are not known"),
        ],
    ]

    static let requeueInFlight: JSONValue = [
        "operationId": "requeueInFlight",
        "summary": "Take jobs from workers that are gone: they keep id and hold, and run again at once",
        "requestBody": [
            "required": true,
            "content": [
                "application/json": [
                    "schema": [
                        "type": "object", "additionalProperties": false, "properties": ["worker": ["type": "string"]],
                    ]
                ]
            ],
        ],
        "responses": ["200": ["description": "The jobs' ids", "content": OpenAPI.json("JobIDs")]],
    ]

    private static let bound: JSONValue = [
        "type": ["object", "null"], "required": ["milliseconds", "resolution"], "additionalProperties": false,
        "properties": [
            "milliseconds": ["type": "integer", "minimum": 0],
            "resolution": ["enum": .array(ResolutionClass.allCases.map { .string($0.rawValue) })],
        ],
    ]

    static let schemas: [String: JSONValue] = [
        "QuoteRequest": [
            "type": "object", "required": ["kind"], "additionalProperties": false,
            "properties": ["kind": OpenAPI.kinds, "payload": ["type": "object"], "bound": bound],
        ],
        "Quote": [
            "type": "object", "required": ["kind", "price", "rate_version"],
            "properties": [
                "kind": OpenAPI.kinds, "price": ["type": "string"], "rate_version": ["type": "integer"],
                "bound": bound, "per_minute": ["type": ["string", "null"]], "least": ["type": ["string", "null"]],
            ],
        ],
        "JobIDs": [
            "type": "object",
            "properties": ["jobs": ["type": "array", "items": ["type": "string", "format": "uuid"]]],
        ],
    ]
}
