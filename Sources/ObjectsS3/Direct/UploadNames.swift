internal import WorkerCore

/// What may be uploaded, and where it goes: pure decisions.
enum UploadNames {
    private static let longestName = 100
    private static let longestType = 100

    /// What media is sent as. Nothing that a browser would run when it is shown it from the store.
    static func isType(_ type: String) -> Bool {
        guard type.utf8.count <= longestType, let match = type.wholeMatch(of: /([a-z]+)\/([a-zA-Z0-9.+_-]+)/) else {
            return false
        }
        switch match.1 {
        case "video", "audio": return true
        case "image": return !match.2.lowercased().hasPrefix("svg")
        case "application": return ["octet-stream", "mp4", "mxf", "ogg"].contains(match.2)
        default: return false
        }
    }

    /// Whether a browser might take what a store gives out as this for a page, with the rights of the store's own address.
    static func mayRun(_ type: String) -> Bool {
        let type = type.lowercased()
        return type.hasPrefix("text/") || ["html", "xml", "svg", "script"].contains { type.contains($0) }
    }

    /// The owner's own folder; `id` keeps uploads apart, and the name is for people who look into the bucket.
    static func key(owner: String, id: String, name: String) -> String { "uploads/\(owner)/\(id)/\(safe(name))" }

    /// Only what no store, shell or header takes for something else: letters and digits of ASCII, dots, dashes.
    static func safe(_ name: String) -> String {
        var text = ""
        for byte in name.utf8 {
            let character = Character(UnicodeScalar(byte))
            let isPlain = character.isASCII && (character.isLetter || character.isNumber || "._".contains(character))
            if isPlain {
                text.append(character)
            } else if !text.hasSuffix("-") {
                text.append("-")
            }
        }
        // The end has the name's ending.
        let short = String(text.suffix(longestName).drop { "-.".contains($0) })
        let trimmed = String(short.reversed().drop { "-.".contains($0) }.reversed())
        return trimmed.isEmpty ? "upload" : trimmed
    }
}
