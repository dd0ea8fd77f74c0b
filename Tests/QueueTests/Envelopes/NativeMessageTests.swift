import Envelopes
import Model
import Testing
import WorkerCore

@Suite("Reelpool's own message")
struct NativeMessageTests {
    @Test("becomes the job that it describes")
    func whole() throws {
        let job = try read(
            native(
                """
                {"version": 1, "id": "0E984725-C51C-4BF4-9960-E1C80E27ABA0", "idempotency_key": "k1", "kind": "render",
                 "owner": "alice", "tier": 3, "payload": {"edit": {"sources": [1.50]}}, "request_id": "r-9",
                 "max_attempts": 5, "delay_ms": 1500, "expires_after_ms": 60000, "cost_seconds": 12.5,
                 "caps": {"memory_bytes": 1000, "threads": 2, "wall_seconds": 30, "stall_seconds": 5, "output_bytes": 9},
                 "progress": {"project_id": "p1", "export_id": "e1"}}
                """))
        var expected = NewJob(
            id: try #require(JobID("0e984725-c51c-4bf4-9960-e1c80e27aba0")), kind: .render, owner: "alice",
            payload: #"{"edit":{"sources":[1.50]}}"#, ingress: .native)
        expected.idempotencyKey = "alice\nk1"
        expected.tier = Tier(3)
        expected.progressRoute = #"{"project":"p1","subject":{"export_id":"e1"}}"#
        expected.requestID = "r-9"
        expected.maxAttempts = 5
        expected.delayMilliseconds = 1500
        expected.expiresAfterMilliseconds = 60_000
        expected.costSeconds = 12.5
        expected.caps = JobCaps(memoryBytes: 1000, threads: 2, wallSeconds: 30, stallSeconds: 5, outputBytes: 9)
        #expect(job == expected)
    }

    @Test("needs little: what is not said has a default")
    func least() throws {
        let text = #"{"version":1,"idempotency_key":"key-1","kind":"noop","owner":"owner-1","payload":{}}"#
        let job = try read(native(text))
        // By Python's uuid.uuid5.
        #expect(job.id.text == "4240516c-1e63-5f02-b5ce-5823813bf4bd")
        #expect(job.tier == Tier(0))
        #expect(job.maxAttempts == 3)
        #expect(job.reply == nil && job.progressRoute == nil && !job.needsAdmission)
        #expect(try read(native(text)).id == job.id)
        #expect(try read(native(text.replacing("owner-1", with: "owner-2"))).id != job.id)
    }

    @Test("is admitted first when nothing says how long it takes")
    func admitted() throws {
        var rules = TaskRules()
        rules.admittedKinds = [.render]
        let text = #"{"version":1,"idempotency_key":"k","kind":"render","owner":"o","payload":{}}"#
        #expect(try read(native(text), rules: rules).needsAdmission)
        #expect(
            try !read(native(text.replacing("{}", with: #"{},"cost_seconds":9"#)), rules: rules).needsAdmission)
        #expect(try !read(native(text.replacing("render", with: "noop")), rules: rules).needsAdmission)
    }

    private static let valid = #"{"version":1,"idempotency_key":"k","kind":"noop","owner":"o","payload":{}}"#

    @Test(
        "is refused with the reason, and the place of the fault",
        arguments: [
            ("", EnvelopeError.Reason.notJSON, "byte 0"),
            ("[]", .unknownDialect, ""),
            ("{}", .unknownDialect, ""),
            (valid.replacing("1", with: "2"), .unsupportedVersion, "version"),
            (valid.replacing(#""version":1,"#, with: ""), .missingField, "version"),
            (valid.replacing("noop", with: "transcode"), .unknownTask, "transcode"),
            (valid.replacing(#""idempotency_key":"k","#, with: ""), .missingField, "id"),
            (valid.replacing(#""idempotency_key":"k""#, with: #""id":"7""#), .invalidField, "id"),
            (valid.replacing("{}", with: "[]"), .invalidField, "payload"),
            (valid.replacing("{}", with: "null"), .missingField, "payload"),
            (valid.replacing("{}", with: #"{},"prio":1"#), .unknownField, "prio"),
            (valid.replacing("{}", with: #"{},"tier":4"#), .invalidField, "tier"),
            (valid.replacing("{}", with: #"{},"tier":"3""#), .invalidField, "tier"),
            (valid.replacing("{}", with: #"{},"max_attempts":0"#), .invalidField, "max_attempts"),
            (valid.replacing("{}", with: #"{},"max_attempts":11"#), .invalidField, "max_attempts"),
            (valid.replacing("{}", with: #"{},"delay_ms":-1"#), .invalidField, "delay_ms"),
            (valid.replacing("{}", with: #"{},"cost_seconds":1e300"#), .invalidField, "cost_seconds"),
            (valid.replacing("{}", with: #"{},"caps":{"wall":1}"#), .unknownField, "caps.wall"),
            (valid.replacing("{}", with: #"{},"caps":{"threads":0}"#), .invalidField, "caps.threads"),
            (valid.replacing("{}", with: #"{},"progress":{}"#), .missingField, "progress.project_id"),
            (valid.replacing(#""o""#, with: #""""#), .invalidField, "owner"),
            (valid.replacing(#""o""#, with: #""a\nb""#), .invalidField, "owner"),
            (valid.replacing("{}", with: String(repeating: "[", count: 40)), .tooDeep, "levels"),
        ])
    func refused(text: String, reason: EnvelopeError.Reason, place: String) throws {
        let error = try #require(refusal(native(text)))
        #expect(error.reason == reason, "\(error)")
        #expect(error.message.contains(place), "\(error.message)")
        #expect(error.reply == nil)
    }

    @Test("needs an owner where none is given to those without")
    func owner() throws {
        var rules = TaskRules()
        rules.defaultOwner = nil
        let text = Self.valid.replacing(#""owner":"o","#, with: "")
        #expect(refusal(native(text), rules: rules)?.reason == .missingOwner)
        #expect(try read(native(text)).owner == "default")
    }

    @Test("may have 256 KiB and no more")
    func size() throws {
        let frame = Self.valid.utf8.count
        func message(_ bytes: Int) -> Delivery {
            native(Self.valid.replacing("{}", with: #"{"a":"\#(String(repeating: "x", count: bytes - frame - 6))"}"#))
        }
        #expect(message(EnvelopeReader.maximumBytes).body.count == EnvelopeReader.maximumBytes)
        _ = try read(message(EnvelopeReader.maximumBytes))
        #expect(refusal(message(EnvelopeReader.maximumBytes + 1))?.reason == .tooLarge)
        // Only its beginning was kept.
        var cut = native(Self.valid)
        cut.bodySize = 10 << 20
        #expect(refusal(cut)?.reason == .tooLarge)
    }
}
