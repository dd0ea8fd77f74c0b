import Foundation
import PoolTestSupport
import S3
import TestSupport
import Testing

/// What botocore is asked to sign, in its own words.
private struct SigningCase: Encodable {
    var endpoint: String
    var region: String
    var style: String
    var accessKey: String
    var secretKey: String
    var token: String?
    var signsBodies: Bool
    var seconds: Int64
    var operation: String
    var parameters: [String: Parameter]
    var expires: Int?

    enum Parameter: Encodable, Equatable {
        case text(String)
        case number(Int)

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let text): try container.encode(text)
            case .number(let number): try container.encode(number)
            }
        }
    }

    func text(_ name: String) -> String {
        switch parameters[name] {
        case .text(let text): text
        case .number(let number): "\(number)"
        case nil: ""
        }
    }

    var body: [UInt8] { Data(base64Encoded: text("Body")).map(Array.init) ?? [] }

    /// The same in ours.
    func request(headers: [S3Field]) -> S3Request {
        let place = S3Place(bucket: text("Bucket"), key: text("Key"))
        switch operation {
        case "get_object":
            let query: [S3Field] =
                parameters["ResponseContentDisposition"] == nil
                ? [] : [("response-content-disposition", text("ResponseContentDisposition"))]
            return S3Request("GET", place, query: query, headers: headers)
        case "list_objects_v2":
            let query = [
                ("list-type", "2"), ("prefix", text("Prefix")), ("delimiter", text("Delimiter")),
                ("start-after", text("StartAfter")), ("encoding-type", "url"),
            ]
            return S3Request("GET", place, query: query, headers: headers)
        case "upload_part":
            let query = [("partNumber", text("PartNumber")), ("uploadId", text("UploadId"))]
            return S3Request("PUT", place, query: query, headers: headers)
        default:
            return S3Request("PUT", place, headers: headers)
        }
    }
}

private struct Signed: Decodable {
    var url: String
    var headers: [String: String]
    var authorization: String?
}

/// Texts and settings that are hard to sign.
private struct Cases {
    private var random: SeededGenerator
    private static let alphabet: [String] =
        ["a", "Z", "0", " ", " ", "+", "%", "%20", "%2F", "/", "//", ".", "..", "/./", "/../", "~", "-", "_", "?", "#"]
        + ["&", "=", ";", ":", "@", "$", ",", "!", "*", "'", "(", ")", "[", "]", "{", "}", "|", "\\", "^", "`", "\""]
        + ["<", ">", "\t", "\u{1}", "\u{7F}", "ü", "ß", "é", "e\u{301}", "日本", "\u{202E}", "😀", "\u{FFFD}"]

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    private mutating func text(_ lengths: ClosedRange<Int>) -> String {
        (0..<Int.random(in: lengths, using: &random)).map { _ in
            Self.alphabet.randomElement(using: &random) ?? ""
        }.joined()
    }

    private mutating func pick<Value>(_ values: [Value]) -> Value {
        values[Int.random(in: 0..<values.count, using: &random)]
    }

    mutating func next() -> SigningCase {
        let operation = pick(["get_object", "put_object", "list_objects_v2", "upload_part"])
        var parameters: [String: SigningCase.Parameter] = ["Bucket": .text(pick(["bucket", "a-b-3", "exports0"]))]
        if operation != "list_objects_v2" { parameters["Key"] = .text(text(1...30)) }
        let expires = pick([nil, nil, 1, 900, 604_800])
        switch operation {
        case "get_object":
            // botocore writes a presigned URL's parameters through a form, where spaces around are lost to nobody.
            if pick([true, false]) { parameters["ResponseContentDisposition"] = .text("attachment; x=\(text(0...8))") }
            if expires == nil {
                parameters["Range"] = .text("bytes=\(Int.random(in: 0...99, using: &random))-")
                parameters["IfMatch"] = .text("\"\(pick(["a", "b-3"]))\"")
            }
        case "list_objects_v2":
            parameters["Prefix"] = .text("p" + text(0...12))
            parameters["Delimiter"] = .text(pick(["/", "+", "%"]))
            parameters["StartAfter"] = .text("s" + text(0...12))
        case "upload_part":
            parameters["UploadId"] = .text("u" + text(0...12))
            parameters["PartNumber"] = .number(Int.random(in: 1...10_000, using: &random))
        default: break
        }
        if expires == nil, ["put_object", "upload_part"].contains(operation) {
            let body = randomBytes(Int.random(in: 0...300, using: &random), seed: random.next())
            parameters["Body"] = .text(Data(body).base64EncodedString())
            if operation == "put_object" {
                parameters["ContentType"] = .text(pick(["video/mp4", "text/plain;  charset=x"]))
            }
        }
        return SigningCase(
            endpoint: pick(["https://s3.example.com", "http://127.0.0.1:9000", "https://store.example:8443"]),
            region: pick(["auto", "us-east-1", "eu-central-2"]), style: pick(["path", "virtual"]),
            accessKey: pick(["AKIDEXAMPLE", "reelpool"]), secretKey: pick(["wJalr/XUtn+FEMI", "x y"]),
            token: pick([nil, "t/o+k=en=="]), signsBodies: pick([true, false]),
            seconds: Int64.random(in: 1_000_000_000...2_000_000_000, using: &random), operation: operation,
            parameters: parameters, expires: expires)
    }
}

@Suite("A signature beside botocore's", .enabled(if: Servers.python != nil, "Python's packages are missing"))
struct BotocoreTests {
    private static let count = 600

    /// One process signs all.
    private func botocore(_ cases: [SigningCase]) async throws -> [Signed] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        let file = FileManager.default.temporaryDirectory.path + "/reelpool-signing-\(UUID().uuidString).json"
        defer { try? FileManager.default.removeItem(atPath: file) }
        try encoder.encode(cases).write(to: URL(fileURLWithPath: file))
        let program = "\(Fixture.repository)/Fixtures/clients/botocore_signer.py"
        let output = try await blocking { try Command.output(Servers.python ?? "python3", [program, file]) }
        return try JSONDecoder().decode([Signed].self, from: output)
    }

    @Test("is the same, whatever keys and queries have in them")
    func same() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var source = Cases(seed: seed)
        let cases = (0..<Self.count).map { _ in source.next() }
        let answers = try await botocore(cases)
        #expect(answers.count == cases.count)
        var kinds: [String: Int] = [:]
        for (index, (given, expected)) in zip(cases, answers).enumerated() {
            let place: Comment = "seed \(seed), case \(index): \(given.operation) \(given.parameters)"
            kinds["\(given.operation)\(given.expires == nil ? "" : "?")", default: 0] += 1
            let style = try #require(S3Endpoint.Style(rawValue: given.style))
            let endpoint = try #require(S3Endpoint(url: given.endpoint, region: given.region, style: style))
            let signer = S3Signer(
                endpoint: endpoint,
                credentials: S3Credentials(
                    accessKey: given.accessKey, secretKey: given.secretKey, sessionToken: given.token))
            if let expires = given.expires {
                let url = signer.presign(given.request(headers: []), for: expires, at: given.seconds)
                #expect(URLParts(url) == URLParts(expected.url), place)
                continue
            }
            // What the signer adds by itself is not given to it.
            let own: Set = ["host", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"]
            let headers = expected.headers.filter { !own.contains($0.key) }.map { (name: $0.key, value: $0.value) }
            let isUnsigned = expected.headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
            let body = given.body
            let payload: S3Payload = isUnsigned ? .unsigned : body.isEmpty ? .none : .of(body)
            let signed = signer.sign(given.request(headers: headers), payload, at: given.seconds)
            let authorization = signed.headers.first { $0.name == "Authorization" }?.value
            #expect(URLParts(signed.url) == URLParts(expected.url), place)
            #expect(authorization == expected.authorization, place)
        }
        #expect(kinds.count == 8 && kinds.values.allSatisfy { $0 > 10 }, "\(kinds), seed \(seed)")
    }
}

/// A URL but for the order of its query.
private struct URLParts: Equatable {
    var beforeQuery: String
    var query: [String]

    init(_ url: String) {
        let parts = url.split(separator: "?", maxSplits: 1)
        var place = String(parts[0])
        // A bucket's root is written with and without its slash.
        if place.hasSuffix("/") { place.removeLast() }
        beforeQuery = place
        query = parts.count < 2 ? [] : parts[1].split(separator: "&").map(String.init).sorted()
    }
}
