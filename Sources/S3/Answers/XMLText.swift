/// Documents that are sent: elements of text, escaped.
enum XMLText {
    /// An element that holds elements.
    static func element(_ name: String, attributes: String = "", _ children: [String]) -> String {
        "<\(name)\(attributes)>\(children.joined())</\(name)>"
    }

    static func element(_ name: String, _ text: String) -> String { element(name, [escape(text)]) }

    /// What came, to be sent back as it is.
    static func element(_ element: AnswerElement) -> String {
        element.children.isEmpty
            ? Self.element(element.name, element.text) : Self.element(element.name, element.children.map(Self.element))
    }

    /// The namespace that S3's documents are in.
    static func document(_ name: String, _ children: [String]) -> [UInt8] {
        Array(
            element(name, attributes: " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"", children).utf8)
    }

    /// Source: XML 1.0 §2.4, and §2.11 for line ends, which would not arrive as they are.
    static func escape(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "\r", "\n", "\t": escaped += "&#\(scalar.value);"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
