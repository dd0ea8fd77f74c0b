/// When a presigned URL runs out, as its own text says.
///
/// Sources: AWS, "Authenticating Requests: Using Query Parameters" (Signature Version 4); Google Cloud Storage, "V4
/// signing process", which is the same under another prefix; AWS, "Signing and authenticating REST requests" (version 2)
/// and CloudFront's canned policies, which give seconds since 1970 beside a signature.
package enum URLExpiry {
    private static let versionFour = ["x-amz", "x-goog"]
    /// Seconds; further off is no time that anybody means.
    private static let furthest: Int64 = 1 << 40

    /// Milliseconds since 1970; `nil` for a URL that does not say.
    package static func moment(of url: String) -> StoreTime? {
        let query = parameters(of: url)
        for prefix in versionFour {
            guard let begin = query["\(prefix)-date"].flatMap(basicTime),
                let seconds = query["\(prefix)-expires"].flatMap({ Int64($0) }), (0...furthest).contains(seconds)
            else { continue }
            return begin + seconds * 1000
        }
        guard query["signature"] != nil, let seconds = query["expires"].flatMap({ Int64($0) }),
            (0...furthest).contains(seconds)
        else { return nil }
        return seconds * 1000
    }

    /// By their names in lower case. What is wanted here has nothing in it that a URL escapes.
    private static func parameters(of url: String) -> [String: String] {
        let address = url.prefix { $0 != "#" }
        guard let mark = address.firstIndex(of: "?") else { return [:] }
        var table: [String: String] = [:]
        for pair in address[mark...].dropFirst().split(separator: "&") {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2 else { continue }
            let name = halves[0].lowercased()
            if table[name] == nil { table[name] = String(halves[1]) }
        }
        return table
    }

    /// `20130524T000000Z`: ISO 8601's basic form.
    private static func basicTime(_ text: String) -> StoreTime? {
        guard let match = text.wholeMatch(of: /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/)?.output else { return nil }
        return InstantText.milliseconds("\(match.1)-\(match.2)-\(match.3)T\(match.4):\(match.5):\(match.6)Z")
    }
}
