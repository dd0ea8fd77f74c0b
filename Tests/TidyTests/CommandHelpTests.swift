import Foundation
import TestSupport
import Testing

/// What `--experimental-dump-help` prints: the parser's own view of the command line.
struct CommandDescription: Decodable, Sendable {
    struct Argument: Decodable, Sendable {
        struct Name: Decodable, Sendable {
            var kind: String
            var name: String
        }

        var kind: String
        var abstract: String?
        var names: [Name]?
        var valueName: String?
        var shouldDisplay: Bool
    }

    var commandName: String
    var abstract: String?
    var arguments: [Argument]?
    var subcommands: [CommandDescription]?

    private struct Dump: Decodable { var command: CommandDescription }

    static func read() throws -> CommandDescription {
        let dump = try Command.output(Fixture.program, ["--experimental-dump-help"])
        return try JSONDecoder().decode(Dump.self, from: dump).command
    }

    /// Commands that do something, each with the words that lead to it.
    func leaves(_ path: [String] = []) -> [(path: [String], command: CommandDescription)] {
        let inner = (subcommands ?? []).filter { $0.commandName != "help" }
        guard !inner.isEmpty else { return [(path, self)] }
        return inner.flatMap { $0.leaves(path + [$0.commandName]) }
    }
}

@Suite("Help")
struct CommandHelpTests {
    private static func help(_ path: [String]) throws -> String {
        let result = try Command.run(Fixture.program, path + ["--help"])
        #expect(result.status == 0)
        return result.text
    }

    @Test("mentions and explains every argument of every command")
    func everyOption() throws {
        let commands = try CommandDescription.read().leaves()
        #expect(Set(commands.map { $0.path.joined(separator: " ") }).isSuperset(of: ["probe", "proxy", "analyze"]))
        for (path, command) in commands {
            let text = try Self.help(path)
            #expect(command.abstract?.isEmpty == false, "\(path)")
            #expect(text.contains("USAGE: reelpool \(path.joined(separator: " "))"))
            for argument in command.arguments ?? [] where argument.shouldDisplay {
                let label = argument.names?.last.map { $0.kind == "long" ? "--\($0.name)" : "-\($0.name)" }
                #expect(text.contains(label ?? "<\(argument.valueName ?? "")>"), "\(path) \(argument)")
                #expect(argument.abstract?.isEmpty == false, "\(path) \(label ?? "")")
            }
        }
    }

    @Test("lists every command with what it is for")
    func commands() throws {
        let root = try CommandDescription.read()
        // Long lines are wrapped.
        let text = try Self.help([]).split { $0.isWhitespace }.joined(separator: " ")
        for command in root.subcommands ?? [] where command.commandName != "help" {
            #expect(text.contains(command.commandName))
            #expect(text.contains(command.abstract ?? "-"), "\(command.commandName)")
        }
    }

    /// The commands in a document's blocks, without what stands beside them.
    private static func documentedCommands() throws -> [(line: String, words: [String])] {
        try repositoryFiles(endingIn: [".md"]).flatMap { try Document($0).blocks }
            .flatMap { $0.text.split(separator: "\n").map(String.init) }
            .filter { $0.contains(/^reelpool \S/) }
            .map { line in
                let command = line.components(separatedBy: "  ")[0].components(separatedBy: " #")[0]
                return (line, command.split(separator: " ").map(String.init))
            }
    }

    @Test("knows every command and option of the documentation")
    func documented() throws {
        let leaves = try CommandDescription.read().leaves()
        let lines = try Self.documentedCommands()
        #expect(lines.count >= 5)
        for (line, words) in lines {
            let found = leaves.first { Array(words.dropFirst().prefix($0.path.count)) == $0.path }
            let command = try #require(found, "\(line)").command
            let known = (command.arguments ?? []).flatMap { $0.names ?? [] }.filter { $0.kind == "long" }.map(\.name)
            for option in words where option.hasPrefix("--") {
                #expect(known.contains(String(option.dropFirst(2))), "\(line)")
            }
        }
    }

    @Test("shows that all commands take what the README says they all take")
    func commonOptions() throws {
        let readme = try Document("README.md").text
        let sentence = try #require(
            readme.firstMatch(of: /\nAll take (.*?); all but `([a-z]+)` take (.*?)\./.dotMatchesNewlines()))
        func options(_ text: Substring) -> [String] { text.matches(of: /--([a-z]+)/).map { String($0.1) } }
        let (all, most) = (options(sentence.1), options(sentence.3))
        #expect(all.contains("json") && most.contains("threads"))
        for (path, command) in try CommandDescription.read().leaves() {
            let known = (command.arguments ?? []).flatMap { $0.names ?? [] }.map(\.name)
            #expect(Set(known).isSuperset(of: all), "\(path)")
            // What speaks to a pool, a store or a database does no work here that could be bounded.
            guard !known.contains("url"), !known.contains("database"), !["storage", "credits"].contains(path.first)
            else { continue }
            #expect(Set(known).isSuperset(of: most) || path == [String(sentence.2)], "\(path)")
        }
    }
}
