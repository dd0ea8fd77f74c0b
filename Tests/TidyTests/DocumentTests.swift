import Foundation
import Model
import TestSupport
import Testing

/// Documentation that is run, so that it cannot go stale.
@Suite("The documentation's")
struct DocumentTests {
    /// Every JSON block that is an edit: where it is, and its text.
    static let edits: [(place: String, text: String)] = ["README.md", "docs/edit.md"].flatMap { path in
        ((try? Document(path))?.blocks ?? []).filter { $0.language == "json" && $0.text.contains(#""sources""#) }
            .map { ("\(path):\($0.line)", $0.text) }
    }

    @Test("examples of edits are there")
    func editsAreFound() {
        #expect(Self.edits.count >= 3)
    }

    @Test("examples of edits render as they stand", arguments: edits.map(\.place))
    func edit(place: String) throws {
        let text = try #require(Self.edits.first { $0.place == place }).text
        try withTemporaryFolder { folder in
            try FileManager.default.createSymbolicLink(
                atPath: "\(folder)/Fixtures", withDestinationPath: "\(Fixture.repository)/Fixtures")
            try write(text, to: "\(folder)/edit.json")
            let (edit, output) = ("\(folder)/edit.json", "\(folder)/out.mp4")
            let plan = try Command.reelpool("render", edit, "--output", output, "--plan")
            #expect(plan.status == 0, "\(plan.errors)")
            let result = try Command.reelpool("render", edit, "--output", output)
            #expect(result.status == 0, "\(result.errors)")
            #expect(try ReferenceVideo(output).times.count > 10)
        }
    }

    @Test("example of a fixture's expectation has only fields that there are")
    func expectation() throws {
        let example = try #require(try Document("docs/fixtures.md").blocks.first { $0.language == "json" })
        try withTemporaryFolder { folder in
            let fixture = "\(folder)/example"
            try FileManager.default.createDirectory(atPath: fixture, withIntermediateDirectories: true)
            try write(
                #"{"sources":[{"id":"a","uri":"\#(Fixture.media("pal25.mp4"))"}],"timeline":[{"source":"a"}]}"#,
                to: "\(fixture)/edit.json")
            try write(example.text, to: "\(fixture)/expected.json")
            try FileManager.default.copyItem(
                atPath: Fixture.media("pal25.mp4"), toPath: "\(fixture)/expected.mp4")
            let result = try Command.reelpool("fixtures", "run", folder, "--json", "--differences", "\(folder)/d")
            #expect(result.text.contains("frame count"), "it was not read: \(result.text)")
            #expect(!result.text.contains("is not a field"))
        }
    }

    @Test("example of an error is one that there is")
    func errorExample() throws {
        let example = try #require(try Document("docs/errors.md").blocks.first { $0.language == "json" })
        let object = try JSONSerialization.jsonObject(with: Data(example.text.utf8)) as? [String: [String: String]]
        let error = try #require(object?["error"])
        let code = try #require(error["code"].flatMap(FailureCode.init(rawValue:)))
        #expect(error["category"] == code.category.rawValue)
    }

    @Test("table of errors has every category with its exit status, and every code with its category")
    func errorTable() throws {
        let rows = try Document("docs/errors.md").text.split(separator: "\n").filter { $0.hasPrefix("|") }
            .map { $0.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) } }
        for category in FailureCategory.allCases {
            let row = try #require(rows.first { $0.count > 1 && $0[1] == category.rawValue }, "\(category)")
            #expect(row[0] == "\(category.exitStatus)")
            let codes = FailureCode.allCases.filter { $0.category == category }.map(\.rawValue)
            let listed = (row.count > 2 ? row[2] : "").split(separator: " ").map { $0.filter { $0 != "`" } }
            #expect(Set(listed) == Set(codes), "\(category)")
        }
        #expect(rows.contains { $0.first == "64" }, "a command line that cannot be understood")
    }

    @Test(
        "relative links lead to files that are there",
        arguments: repositoryFiles(endingIn: [".md"]))
    func links(path: String) throws {
        let folder = (path as NSString).deletingLastPathComponent
        for link in try Document(path).prose.matches(of: /\]\(([^)\s]+)\)/).map({ String($0.1) }) {
            guard !link.contains("://"), !link.hasPrefix("mailto:"), !link.hasPrefix("#") else { continue }
            let target = link.split(separator: "#").first.map(String.init) ?? ""
            let place = [Fixture.repository, folder, target].filter { !$0.isEmpty }.joined(separator: "/")
            #expect(FileManager.default.fileExists(atPath: place), "\(link)")
        }
    }

    @Test("make targets are in the Makefile", arguments: repositoryFiles(endingIn: [".md"]))
    func makeTargets(path: String) throws {
        let makefile = String(decoding: try bytes(ofFile: "\(Fixture.repository)/Makefile"), as: UTF8.self)
        for target in try Document(path).text.matches(of: /(?:`|\n)make ([a-z-]+)/).map({ String($0.1) }) {
            #expect(makefile.contains("\n\(target):"), "make \(target)")
        }
    }
}
