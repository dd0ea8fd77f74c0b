import Model
import ObjectsS3
import S3
import TestSupport
import Testing

@Suite("Who may name which objects")
struct ObjectRulesTests {
    private static let buckets = ["raw": "my-raw", "exports": "my-exports", "assets": "shared.assets"]

    private static func rules(_ patterns: String...) -> ObjectRules {
        let read = patterns.compactMap { ObjectRules.Pattern($0, buckets: buckets) }
        return ObjectRules(read: read, write: [])
    }

    private static func mayRead(_ uri: String, _ owner: String, _ rules: ObjectRules) -> Bool {
        failure { _ = try rules.source(uri, owner: owner) } == nil
    }

    @Test(
        "is said by buckets and folders",
        arguments: [
            ("s3://my-raw/clips/ab/1/original.mp4", true), ("s3://my-raw/clips", true), ("s3://my-raw/clipsy/x", false),
            ("s3://my-raw/other/x", false), ("s3://raw/clips/x", false), ("s3://shared.assets/any/thing.png", true),
            ("s3://shared.assets/", false), ("s3://shared.assets", false), ("s3://my-raw/clips/../other/x", false),
            ("s3://my-raw/clips/./x", false), ("s3://my-raw/clips/..", false), ("s3://my-raw/clips/a\\..\\b", false),
            ("s3://my-raw/clips/a\u{0}b", false), ("s3://my-raw/clips/a\nb", false), ("S3://my-raw/clips/x", false),
            ("s3://my-raw/clips/%2e%2e/x", true), ("s3://my-raw/clips/...", true), ("s3://my-raw//clips/x", false),
            ("file:///etc/passwd", false), ("", false),
        ])
    func patterns(uri: String, isAllowed: Bool) {
        #expect(Self.mayRead(uri, "ann", Self.rules("{raw}/clips", "{assets}")) == isAllowed)
    }

    @Test(
        "is said by owners, whose names stay where they are put",
        arguments: [
            ("ann", "s3://my-raw/u/ann/x", true), ("ann", "s3://my-raw/u/anna/x", false),
            ("ann", "s3://my-raw/u/bob/x", false), ("", "s3://my-raw/u//x", false), ("..", "s3://my-raw/u/../x", false),
            (".", "s3://my-raw/u/./x", false), ("bob/clips", "s3://my-raw/u/bob/clips/x", false),
            ("a.b@example.com", "s3://my-raw/u/a.b@example.com/x", true), ("{owner}", "s3://my-raw/u/{owner}/x", false),
            ("a\u{0}", "s3://my-raw/u/a\u{0}/x", false), ("\u{e9}", "s3://my-raw/u/e\u{301}/x", false),
        ])
    func owners(owner: String, uri: String, isAllowed: Bool) {
        #expect(Self.mayRead(uri, owner, Self.rules("{raw}/u/{owner}")) == isAllowed)
        #expect(Self.mayRead(uri, owner, Self.rules("{raw}/u/{owner}/")) == isAllowed)
    }

    @Test("is refused in the same words whatever the reason")
    func refusals() {
        let rules = Self.rules("{raw}/u/{owner}")
        for uri in ["s3://my-raw/u/bob/x", "s3://no-such-bucket/x", "s3://my-raw/u/../x"] {
            let refused = failure { _ = try rules.source(uri, owner: "ann") }
            #expect(refused?.code == .sourceNotAllowed)
            #expect(refused?.message == "\(uri) is not where tasks may read or write" && refused?.detail == nil)
        }
        // What may be read may not be written by that.
        #expect(failure { _ = try rules.output("s3://my-raw/u/ann/x", owner: "ann") }?.code == .sourceNotAllowed)
    }

    @Test(
        "is not said by what is no pattern",
        arguments: ["", "/x", "{nothing}/x", "{raw}/{user}", "{raw}/../x", "a/b", "{raw}/a{owner", "bu cket/x"])
    func bad(text: String) { #expect(ObjectRules.Pattern(text, buckets: Self.buckets) == nil) }
}
