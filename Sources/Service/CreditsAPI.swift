internal import Model
internal import WorkerCore

/// Credit as the interface's description has it. Source: OpenAPI Specification 3.1.
enum CreditsAPI {
    static let balance: JSONValue = [
        "operationId": "credits", "summary": "What an owner has free, and what is held for jobs under way",
        "parameters": [owner], "responses": merge(["200": answer("Nothing for an unknown owner", "Credit")]),
    ]

    static let statement: JSONValue = [
        "operationId": "statement", "summary": "What moved an owner's credit, newest first",
        "parameters": [
            owner,
            [
                "name": "before", "in": "query", "schema": ["type": "integer", "minimum": 1],
                "description": "Only entries older than this one: `next_before` of the page before",
            ],
            [
                "name": "limit", "in": "query",
                "schema": ["type": "integer", "minimum": 1, "maximum": 500, "default": 100],
            ],
        ],
        "responses": merge(["200": answer("A page", "Statement")]),
    ]

    static let grant: JSONValue = [
        "operationId": "grant", "summary": "Give an owner credit; the same key is the same grant",
        "parameters": [
            owner,
            [
                "name": "Idempotency-Key", "in": "header", "required": true,
                "schema": ["type": "string", "minLength": 1, "maxLength": 200],
            ],
        ],
        "requestBody": [
            "required": true,
            "content": [
                "application/json": [
                    "schema": [
                        "type": "object", "required": ["amount"], "additionalProperties": false,
                        "properties": ["amount": amount, "note": ["type": "string"]],
                    ]
                ]
            ],
        ],
        "responses": merge([
            "201": answer("Entered", "Grant"), "200": answer("It was entered before, under this key", "Grant"),
            "409": OpenAPI.problem("The key is another movement's: key_taken"),
            "422": OpenAPI.problem("The amount is none: invalid_entry"),
        ]),
    ]

    static let webhook: JSONValue = [
        "operationId": "stripeEvent", "summary": "Where Stripe tells what was paid; there only with its secret",
        "security": [],
        "parameters": [
            ["name": "Stripe-Signature", "in": "header", "required": true, "schema": ["type": "string"]]
        ],
        "requestBody": ["required": true, "content": ["application/json": ["schema": ["type": "object"]]]],
        "responses": [
            "200": answer("Taken, or of no concern", "Receipt"),
            "400": OpenAPI.problem("Not signed by Stripe, or not now: invalid_signature"),
            "413": OpenAPI.problem("Larger than any event"),
            "422": OpenAPI.problem("A price that is not configured: unknown_price"),
            "503": OpenAPI.problem("The store or Stripe itself does not answer: to be sent again"),
        ],
    ]

    static let schemas: [String: JSONValue] = [
        "Credit": [
            "type": "object", "required": ["owner", "available", "held"],
            "properties": ["owner": ["type": "string"], "available": amount, "held": amount],
        ],
        "Statement": [
            "type": "object", "required": ["owner", "entries", "next_before"],
            "properties": [
                "owner": ["type": "string"], "next_before": ["type": ["integer", "null"]],
                "entries": ["type": "array", "items": entry],
            ],
        ],
        "Grant": [
            "type": "object", "required": ["entry", "amount", "balance"],
            "properties": [
                "entry": ["type": "integer"], "amount": amount,
                "balance": ["$ref": "#/components/schemas/Credit"],
            ],
        ],
        "Receipt": [
            "type": "object", "required": ["outcome"],
            "properties": ["outcome": names(PaymentReceipt.allCases.map(\.rawValue))],
        ],
    ]

    private static let entry: JSONValue = [
        "type": "object",
        "properties": [
            "entry": ["type": "integer"], "key": ["type": "string"],
            "operation": names(LedgerOperation.allCases.map(\.rawValue)),
            "from": names(AccountKind.allCases.map(\.rawValue)), "to": names(AccountKind.allCases.map(\.rawValue)),
            "amount": amount, "job": ["type": ["string", "null"], "format": "uuid"],
            "settles": ["type": ["integer", "null"]], "reverses": ["type": ["integer", "null"]],
            "note": ["type": ["string", "null"]], "at": ["type": "string", "format": "date-time"],
            "balance": ["type": "object", "properties": ["available": amount, "held": amount]],
        ],
    ]

    private static let amount: JSONValue = [
        "type": "string", "pattern": #"^-?\d{1,12}(\.\d{1,6})?$"#, "description": "Credits in decimal",
    ]
    private static let owner: JSONValue = [
        "name": "owner", "in": "path", "required": true, "schema": ["type": "string", "minLength": 1],
    ]

    private static func names(_ names: [String]) -> JSONValue { ["enum": .array(names.map(JSONValue.string))] }

    private static func answer(_ text: String, _ schema: String) -> JSONValue {
        ["description": .string(text), "content": OpenAPI.json(schema)]
    }

    private static func merge(_ answers: [String: JSONValue]) -> JSONValue {
        let refusals: [String: JSONValue] = [
            "403": OpenAPI.problem("The service's database user may not read the books: store_forbidden"),
            "503": OpenAPI.problem("The store does not answer"),
        ]
        return .object(answers.merging(refusals) { $1 })
    }
}
