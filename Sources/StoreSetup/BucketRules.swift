package import S3

/// What buckets are set up with.
package enum BucketRules {
    /// Where browsers upload to.
    package static let uploads = "uploads/"

    /// Source of the days: what is uploaded is worked on within hours, and stays for a week in which it can be again.
    static let expiry = S3LifecycleRule(id: "reelpool-uploads", prefix: uploads, expiresAfterDays: 7)
    /// The net below a pool that clears up after itself.
    static let unfinished = S3LifecycleRule(id: "reelpool-unfinished", prefix: "", abortsUploadsAfterDays: 1)

    /// - Parameter origins: of the pages that may; `https://app.example`.
    package static func cors(origins: [String]) -> S3CORSRule {
        // A page that uploads in parts has to see their ETags. The header is named because R2 does not take `*` for it.
        S3CORSRule(
            id: "reelpool-browsers", origins: origins, methods: ["GET", "HEAD", "PUT"], headers: ["content-type"],
            exposedHeaders: ["ETag"], maxAgeSeconds: 3600)
    }
}
