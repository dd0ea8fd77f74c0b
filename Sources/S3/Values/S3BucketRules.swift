/// What a store does by itself with objects of a prefix.
package struct S3LifecycleRule: Sendable, Equatable {
    package var id: String
    /// Empty: all.
    package var prefix: String
    package var isEnabled: Bool
    /// Objects go so many days after they came.
    package var expiresAfterDays: Int?
    /// Uploads that were never completed go so many days after they were begun.
    package var abortsUploadsAfterDays: Int?

    package init(
        id: String, prefix: String, isEnabled: Bool = true, expiresAfterDays: Int? = nil,
        abortsUploadsAfterDays: Int? = nil
    ) {
        (self.id, self.prefix, self.isEnabled) = (id, prefix, isEnabled)
        (self.expiresAfterDays, self.abortsUploadsAfterDays) = (expiresAfterDays, abortsUploadsAfterDays)
    }
}

/// What pages of other origins may do with a bucket, from a browser.
package struct S3CORSRule: Sendable, Equatable {
    /// May be empty.
    package var id: String
    package var origins: [String]
    package var methods: [String]
    package var headers: [String]
    /// Which of an answer's headers a page may see; uploads in parts need `ETag`.
    package var exposedHeaders: [String]
    package var maxAgeSeconds: Int?

    package init(
        id: String = "", origins: [String], methods: [String], headers: [String] = [], exposedHeaders: [String] = [],
        maxAgeSeconds: Int? = nil
    ) {
        (self.id, self.origins, self.methods, self.headers) = (id, origins, methods, headers)
        (self.exposedHeaders, self.maxAgeSeconds) = (exposedHeaders, maxAgeSeconds)
    }
}

/// What became of rules that were to be put beside others.
package enum S3RuleChange: Sendable, Equatable {
    /// They were there already, just so.
    case none
    /// They are there now, and so are as many of others.
    case made(kept: Int)
}
