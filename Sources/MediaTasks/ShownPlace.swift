internal import Model

/// Places as messages may have them: a presigned URL's query, and a user in a URL, are as good as a password.
enum ShownPlace {
    static func text(_ uri: String) -> String {
        guard let scheme = uri.firstRange(of: "://"),
            ["http", "https"].contains(uri[..<scheme.lowerBound].lowercased())
        else { return uri }
        let plain = uri.prefix { $0 != "?" && $0 != "#" }
        let authority = plain[scheme.upperBound...].prefix { $0 != "/" }
        guard let at = authority.lastIndex(of: "@") else { return String(plain) }
        return "\(plain[..<scheme.upperBound])\(plain[plain.index(after: at)...])"
    }

    /// A failure whose words came from something that knew the places by their names.
    static func failure(_ failure: Failure, of uris: [String]) -> Failure {
        var (message, detail) = (failure.message, failure.detail)
        for uri in uris where text(uri) != uri {
            message = message.replacing(uri, with: text(uri))
            detail = detail?.replacing(uri, with: text(uri))
        }
        return Failure(code: failure.code, message: message, detail: detail)
    }
}
