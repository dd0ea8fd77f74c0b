internal import Foundation

/// A Markdown file of the repository.
package struct Document: Sendable {
    package struct Block: Sendable {
        package var language: String
        package var text: String
        /// Where it begins.
        package var line: Int
    }

    /// From the repository's root.
    package var path: String
    package var text: String

    package init(_ path: String) throws {
        self.path = path
        text = String(decoding: try bytes(ofFile: "\(Fixture.repository)/\(path)"), as: UTF8.self)
    }

    /// Fenced blocks, in order.
    package var blocks: [Block] {
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

    /// Those of one language.
    package func blocks(_ language: String) -> [String] { blocks.filter { $0.language == language }.map(\.text) }

    /// The text outside fenced blocks.
    package var prose: String {
        text.components(separatedBy: "```").enumerated().filter { $0.offset.isMultiple(of: 2) }.map(\.element)
            .joined()
    }
}
