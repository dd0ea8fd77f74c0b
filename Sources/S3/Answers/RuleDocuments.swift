/// Source: AWS, "PutBucketLifecycleConfiguration", Amazon S3 API Reference.
extension S3LifecycleRule {
    init(_ element: AnswerElement) {
        func days(_ of: String, _ name: String) -> Int? { element[of]?.text(name).flatMap { Int($0) } }
        self.init(
            id: element.text("ID") ?? "",
            // An older form has the prefix in the rule itself.
            prefix: element["Filter"]?.text("Prefix") ?? element.text("Prefix") ?? "",
            isEnabled: element.text("Status") == "Enabled", expiresAfterDays: days("Expiration", "Days"),
            abortsUploadsAfterDays: days("AbortIncompleteMultipartUpload", "DaysAfterInitiation"))
    }

    var document: String {
        var parts = [
            XMLText.element("ID", id), XMLText.element("Filter", [XMLText.element("Prefix", prefix)]),
            XMLText.element("Status", isEnabled ? "Enabled" : "Disabled"),
        ]
        if let days = expiresAfterDays {
            parts.append(XMLText.element("Expiration", [XMLText.element("Days", "\(days)")]))
        }
        if let days = abortsUploadsAfterDays {
            parts.append(
                XMLText.element(
                    "AbortIncompleteMultipartUpload", [XMLText.element("DaysAfterInitiation", "\(days)")]))
        }
        return XMLText.element("Rule", parts)
    }
}

/// Source: AWS, "PutBucketCors", Amazon S3 API Reference.
extension S3CORSRule {
    init(_ element: AnswerElement) {
        func all(_ name: String) -> [String] { element.all(name).map(\.text) }
        self.init(
            id: element.text("ID") ?? "", origins: all("AllowedOrigin"), methods: all("AllowedMethod"),
            headers: all("AllowedHeader"),
            exposedHeaders: all("ExposeHeader"), maxAgeSeconds: element.text("MaxAgeSeconds").flatMap { Int($0) })
    }

    var document: String {
        var parts = id.isEmpty ? [] : [XMLText.element("ID", id)]
        parts += origins.map { XMLText.element("AllowedOrigin", $0) }
        parts += methods.map { XMLText.element("AllowedMethod", $0) }
        parts += headers.map { XMLText.element("AllowedHeader", $0) }
        parts += exposedHeaders.map { XMLText.element("ExposeHeader", $0) }
        if let maxAgeSeconds { parts.append(XMLText.element("MaxAgeSeconds", "\(maxAgeSeconds)")) }
        return XMLText.element("CORSRule", parts)
    }
}
