import Foundation
import TestSupport

/// A Markdown file of the repository.
struct Document: Sendable {
    struct Block: Sendable {
        var language: String
        var text: String
        /// Where it begins.
        var line: Int
    }

    /// From the repository's root.
    var path: String
    var text: String

    init(_ path: String) throws {
        self.path = path
        text = String(decoding: try bytes(ofFile: "\(Fixture.repository)/\(path)"), as: UTF8.self)
    }

    /// Fenced blocks, in order.
    var blocks: [Block] {
        var (result, open) = ([Block](), Block?.none)
        for (index, line) in text.components(separatedBy: "\n").enumerated() {
            if line.hasPrefix("```") {
                if let block = open { result.append(block) }
                open = open == nil ? Block(language: String(line.dropFirst(3)), text: "", line: index + 1) : nil
            } else {
                open?.text += line + "\n"
            }
        }
        return result
    }

    /// The text outside fenced blocks.
    var prose: String {
        text.components(separatedBy: "```").enumerated().filter { $0.offset.isMultiple(of: 2) }.map(\.element)
            .joined()
    }
}

/// The repository's text files by their endings, from its root; nothing that was built or is hidden.
func repositoryFiles(endingIn endings: [String], under folder: String = "") -> [String] {
    let root = folder.isEmpty ? Fixture.repository : "\(Fixture.repository)/\(folder)"
    guard let walk = FileManager.default.enumerator(atPath: root) else { return [] }
    var files: [String] = []
    for case let name as String in walk {
        let last = name.split(separator: "/").last ?? ""
        if last.hasPrefix(".") || ["out", "fixture-differences", "node_modules"].contains(name) {
            walk.skipDescendants()
        } else if endings.contains(where: name.hasSuffix) {
            files.append(folder.isEmpty ? name : "\(folder)/\(name)")
        }
    }
    return files.sorted()
}
