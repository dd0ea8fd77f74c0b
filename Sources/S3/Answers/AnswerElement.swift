internal import Foundation
internal import FoundationXML

/// An element of a small document: names without their namespaces, text without its surroundings.
struct AnswerElement: Equatable {
    var name: String
    var text = ""
    var children: [AnswerElement] = []

    /// The first of a name.
    subscript(_ name: String) -> AnswerElement? { children.first { $0.name == name } }

    func all(_ name: String) -> [AnswerElement] { children.filter { $0.name == name } }

    /// The text of the first of a name, if it has any.
    func text(_ name: String) -> String? { self[name].flatMap { $0.text.isEmpty ? nil : $0.text } }

    /// - Parameter bytes: may begin with spaces, which a store sends while it works so that nobody gives up on it.
    /// - Returns: `nil` for what is no document, or one that is nested deeper than any answer.
    static func read(_ bytes: [UInt8]) -> AnswerElement? {
        let spaces: Set<UInt8> = [9, 10, 13, 32]
        let parser = XMLParser(data: Data(bytes.drop { spaces.contains($0) }))
        let reader = XMLReader()
        parser.delegate = reader
        parser.shouldResolveExternalEntities = false
        return withExtendedLifetime(reader) { parser.parse() ? reader.root : nil }
    }
}

/// Builds a tree out of a parser's calls.
private final class XMLReader: NSObject, XMLParserDelegate {
    private static let deepest = 32

    private(set) var root: AnswerElement?
    private var open: [AnswerElement] = []

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        open.append(AnswerElement(name: String(name.split(separator: ":").last ?? "")))
        if open.count > Self.deepest { parser.abortParsing() }
    }

    func parser(_ parser: XMLParser, foundCharacters text: String) {
        guard !open.isEmpty else { return }
        open[open.count - 1].text += text
    }

    func parser(_ parser: XMLParser, foundCDATA block: Data) {
        guard !open.isEmpty else { return }
        open[open.count - 1].text += String(decoding: block, as: UTF8.self)
    }

    func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
        guard var element = open.popLast() else { return }
        // Of what has children, only indentation.
        if !element.children.isEmpty { element.text = "" }
        if open.isEmpty { root = element } else { open[open.count - 1].children.append(element) }
    }
}
