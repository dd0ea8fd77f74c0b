internal import WorkerCore

/// The object store's settings, and what is wrong with them.
extension PoolSettings {
    private static let names = ["raw", "exports", "assets"]
    /// As the neighbouring back ends lay their keys out; each pattern only where its bucket is known.
    private static let standardReadable = ["{raw}/clips", "{raw}/uploads/{owner}", "{exports}/exports", "{assets}"]
    private static let standardWritable = ["{raw}/clips", "{exports}/exports"]
    private static let shortestKey = 8
    /// What stores are delivered with, and what examples have.
    private static let knownKeys = ["minioadmin", "minio123", "password", "changeme", "secretkey", "secret-key"]

    static func objectStore(_ values: inout SettingValues) -> ObjectStore? {
        // Its settings are refused there, each by its name.
        guard !values.isGiven("REELPOOL_CONTROL") else { return nil }
        guard let endpoint = values.text("REELPOOL_S3_ENDPOINT") else {
            for setting in Settings.all
            where setting.name.hasPrefix("REELPOOL_S3_") && values.isGiven(setting.name) {
                values.report(setting.name, "is of no use without REELPOOL_S3_ENDPOINT")
            }
            return nil
        }
        var buckets: [String: String] = [:]
        for name in names { buckets[name] = values.text("REELPOOL_S3_BUCKET_\(name.uppercased())") }
        let style = ObjectStore.Style(rawValue: values.text("REELPOOL_S3_STYLE") ?? "")
        if style == nil { values.report("REELPOOL_S3_STYLE", "is path or virtual") }
        return ObjectStore(
            endpoint: endpoint, publicEndpoint: values.text("REELPOOL_S3_PUBLIC_ENDPOINT"),
            region: values.text("REELPOOL_S3_REGION") ?? "auto", style: style ?? .path,
            accessKey: required(&values, "REELPOOL_S3_ACCESS_KEY"),
            secretKey: required(&values, "REELPOOL_S3_SECRET_KEY"),
            sessionToken: values.text("REELPOOL_S3_SESSION_TOKEN"), authorityFile: values.text("REELPOOL_S3_CA_FILE"),
            buckets: buckets, readable: patterns(&values, "REELPOOL_S3_READ_ALLOW", standardReadable, buckets),
            writable: patterns(&values, "REELPOOL_S3_WRITE_ALLOW", standardWritable, buckets),
            browserOrigins: values.list("REELPOOL_S3_BROWSER_ORIGINS"))
    }

    /// The store alone, for what does not need the rest of a daemon's settings: its own variables are all that is read.
    ///
    /// - Parameters:
    ///   - overrides: by variable name, as the command line gave them.
    ///   - file: as a daemon's, in which other settings may be.
    /// - Throws: every problem there is, not the first.
    package static func loadObjectStore(
        overrides: [String: String] = [:], environment: [String: String], file: String? = nil
    ) throws(ConfigurationProblems) -> ObjectStore {
        let own = environment.filter { $0.key.hasPrefix("REELPOOL_S3_") }
        var values = SettingValues(overrides: overrides, environment: own, file: file)
        let store = objectStore(&values)
        if let store {
            check(store, &values)
        } else {
            values.report("REELPOOL_S3_ENDPOINT", "is needed: the store's address")
        }
        guard let store, values.problems.isEmpty else { throw ConfigurationProblems(lines: values.problems) }
        return store
    }

    private static func required(_ values: inout SettingValues, _ name: String) -> String {
        if let text = values.text(name) { return text }
        values.report(name, "is needed for REELPOOL_S3_ENDPOINT")
        return ""
    }

    private static func patterns(
        _ values: inout SettingValues, _ name: String, _ standard: [String], _ buckets: [String: String]
    ) -> [String] {
        guard values.isGiven(name) else {
            return standard.filter { pattern in buckets.keys.contains { pattern.hasPrefix("{\($0)}") } }
        }
        let patterns = values.list(name)
        for pattern in patterns {
            for bucket in names where pattern.hasPrefix("{\(bucket)}") && buckets[bucket] == nil {
                values.report(name, "has {\(bucket)}, and there is no REELPOOL_S3_BUCKET_\(bucket.uppercased())")
            }
        }
        return patterns
    }

    static func check(_ store: ObjectStore, _ values: inout SettingValues) {
        for (name, url) in [
            ("REELPOOL_S3_ENDPOINT", store.endpoint),
            ("REELPOOL_S3_PUBLIC_ENDPOINT", store.publicEndpoint ?? store.endpoint),
        ] {
            if !url.hasPrefix("http://"), !url.hasPrefix("https://") {
                values.report(name, "begins with https:// or http://")
            } else if url.contains("@") {
                values.report(name, "has no user and no password in it")
            }
        }
        let secret = store.secretKey
        if !secret.isEmpty,
            secret.utf8.count < shortestKey || knownKeys.contains(secret.lowercased())
                || Set(secret).count < 5 || secret.lowercased().hasPrefix("change-this") || secret == store.accessKey
        {
            values.report("REELPOOL_S3_SECRET_KEY", "is one that anyone guesses")
        }
        if store.readable.isEmpty, store.writable.isEmpty {
            values.report(
                "REELPOOL_S3_ENDPOINT", "is set, and nothing in it may be read or written: name buckets or patterns")
        }
        for (name, bucket) in store.buckets where bucket.contains("/") || bucket.contains("{") {
            values.report("REELPOOL_S3_BUCKET_\(name.uppercased())", "is the name of a bucket")
        }
        for origin in store.browserOrigins where !isOrigin(origin) {
            values.report(
                "REELPOOL_S3_BROWSER_ORIGINS", "has what is no origin, such as https://app.example: \(origin)")
        }
    }

    /// A scheme and a host, and no slash behind them: as browsers say it. Source: RFC 6454 §6.
    private static func isOrigin(_ text: String) -> Bool {
        if text == "*" { return true }
        let host = ["https://", "http://"].first { text.hasPrefix($0) }.map { text.dropFirst($0.count) } ?? ""
        return !host.isEmpty && !host.contains { "/?#@ ".contains($0) }
    }
}
