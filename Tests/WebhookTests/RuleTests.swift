import Envelopes
import Model
import Testing
import WorkerCore

@Suite("The rules of webhooks")
struct RuleTests {
    @Test(
        "let public https URLs through",
        arguments: [
            "https://example.com", "https://example.com/", "https://hooks.example.com:8443/a/b?c=d&e=%20",
            "https://1.1.1.1/x", "https://[2606:4700::1111]/", "https://example.com?x", "https://a-b.example.museum./",
        ])
    func fine(url: String) {
        #expect(WebhookRules().problem(with: url) == nil)
    }

    @Test(
        "refuse what is plainly bad",
        arguments: [
            "", "x", "example.com", "http://example.com/", "HTTPS://example.com/", "ftp://example.com/", "https://",
            "https:///x", "https://user@example.com/", "https://user:pass@example.com/", "https://example.com/#part",
            "https://example.com\\@10.0.0.1/", "https://exa mple.com/", "https://example.com:0/",
            "https://example.com:99999/", "https://example.com:/", "https://localhost/", "https://printer/",
            "https://db.local/", "https://a.localhost/", "https://metadata.google.internal/", "https://127.0.0.1/",
            "https://10.0.0.1/", "https://169.254.169.254/latest/", "https://[::1]/", "https://[::ffff:10.0.0.1]/",
            "https://[fd00:ec2::254]/", "https://127.1/", "https://2130706433/", "https://0x7f.0.0.0x1/",
            "https://1.2.3.4.5/", "https://exämple.com/", "https://example.com/\u{0}",
        ])
    func bad(url: String) {
        #expect(WebhookRules().problem(with: url) != nil)
    }

    @Test("let listed hosts be private and without TLS")
    func listed() {
        let rules = WebhookRules(privateHosts: ["hooks.internal", "10.1.0.0/16", "localhost"])
        for url in [
            "http://hooks.internal/x", "https://hooks.internal:8080/", "http://10.1.2.3/", "http://localhost:81/",
        ] {
            #expect(rules.problem(with: url) == nil, "\(url)")
        }
        for url in ["http://other.internal/", "http://10.2.0.1/", "http://127.0.0.1/", "https://169.254.169.254/"] {
            #expect(rules.problem(with: url) != nil, "\(url)")
        }
    }

    // MARK: Messages

    private static func read(_ webhook: String, rules: WebhookRules? = WebhookRules()) throws(EnvelopeError) -> NewJob {
        var tasks = TaskRules()
        tasks.webhooks = rules
        let text = #"{"version":1,"kind":"noop","owner":"o","idempotency_key":"k","payload":{},"webhook":\#(webhook)}"#
        return try EnvelopeReader(fallback: .init(rules: tasks)).read(
            Delivery(queue: "q", body: Array(text.utf8)), now: 0)
    }

    @Test("make a job remember whom to tell")
    func message() throws {
        let both = try Self.read(#"{"url":"https://example.com/x"}"#)
        #expect(WebhookOrder(text: both.reply) == WebhookOrder(url: "https://example.com/x"))
        let one = try Self.read(#"{"url":"https://example.com/x","events":["failed"]}"#)
        #expect(WebhookOrder(text: one.reply)?.events == [.failed])
        #expect(JobReply(text: both.reply) == nil, "it is no answer to a foreign client")
        #expect(try Self.read("null").reply == nil)
    }

    @Test(
        "refuse messages that ask for what cannot be",
        arguments: [
            #""https://example.com""#, "{}", #"{"url":"http://example.com/"}"#, #"{"url":7}"#,
            #"{"url":"https://example.com/","events":[]}"#, #"{"url":"https://example.com/","events":["done"]}"#,
            #"{"url":"https://example.com/","events":"failed"}"#, #"{"url":"https://example.com/","secret":"x"}"#,
        ])
    func refused(webhook: String) {
        do throws(EnvelopeError) {
            _ = try Self.read(webhook)
            Issue.record("it was taken")
        } catch {
            #expect(error.category == .invalidInput && error.message.contains("webhook"))
        }
    }

    @Test("refuse all where nobody could sign them")
    func withoutSecret() {
        #expect(throws: EnvelopeError.self) { try Self.read(#"{"url":"https://example.com/x"}"#, rules: nil) }
    }
}
