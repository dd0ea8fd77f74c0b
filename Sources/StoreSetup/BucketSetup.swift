package import HTTPTransfer
package import PoolConfig
internal import S3

/// Makes the buckets that settings name, and the rules that they need. Once more changes nothing.
package struct BucketSetup: Sendable {
    /// One thing that was to be there.
    package struct Step: Sendable, Encodable, Equatable {
        package enum What: String, Sendable, Encodable { case bucket, lifecycle, cors }

        package enum Outcome: String, Sendable, Encodable {
            case made
            /// As it should be already.
            case there
            /// The store does not know how.
            case unsupported
            case skipped
            case failed
        }

        package var name: String
        package var bucket: String
        package var what: What
        package var outcome: Outcome
        package var note: String
    }

    private let client: S3Client
    private let buckets: [(name: String, bucket: String)]
    private let origins: [String]

    package init(_ connection: StoreConnection, _ store: PoolSettings.ObjectStore) {
        client = connection.client()
        buckets = store.namedBuckets
        origins = store.browserOrigins
    }

    /// Everything that can be done is done, also after something failed. Blocks.
    package func run(stop: TransferStop) -> [Step] {
        var steps: [Step] = []
        var known: Set<String> = []
        for (name, bucket) in buckets where known.insert(bucket).inserted {
            let made = step(name, bucket, .bucket) { () throws(S3Error) in
                try client.createBucket(bucket, stop: stop) ? (.made, "made") : (.there, "is there")
            }
            steps.append(made)
            guard made.outcome != .failed else { continue }
            steps.append(step(name, bucket, .lifecycle) { () throws(S3Error) in try setLifecycle(bucket, stop) })
            steps.append(step(name, bucket, .cors) { () throws(S3Error) in try setCORS(bucket, stop) })
        }
        return steps
    }

    private func setLifecycle(_ bucket: String, _ stop: TransferStop) throws(S3Error) -> (Step.Outcome, String) {
        let words = "\(BucketRules.uploads) goes after 7 days, unfinished uploads after 1"
        do throws(S3Error) {
            let rules = [BucketRules.expiry, BucketRules.unfinished]
            return Self.outcome(try client.addLifecycle(of: bucket, rules, stop: stop), words)
        } catch {
            guard error.kind == .invalidRequest else { throw error }
        }
        // MinIO has no rule for unfinished uploads and refuses what it does not know; it drops them after a day anyway.
        let change = try client.addLifecycle(of: bucket, [BucketRules.expiry], stop: stop)
        return Self.outcome(
            change, "\(BucketRules.uploads) goes after 7 days; the store takes no rule for unfinished uploads")
    }

    private func setCORS(_ bucket: String, _ stop: TransferStop) throws(S3Error) -> (Step.Outcome, String) {
        guard !origins.isEmpty else {
            return (.skipped, "no page may upload: neither --origin nor REELPOOL_S3_BROWSER_ORIGINS names one")
        }
        let change = try client.addCORS(of: bucket, BucketRules.cors(origins: origins), stop: stop)
        return Self.outcome(change, "pages of \(origins.joined(separator: ", ")) may read and upload by signed URLs")
    }

    private static func outcome(_ change: S3RuleChange, _ words: String) -> (Step.Outcome, String) {
        switch change {
        case .none: (.there, words)
        case .made(kept: 0): (.made, words)
        case .made(let others): (.made, "\(words); \(others) other rule\(others == 1 ? "" : "s") kept")
        }
    }

    private func step(
        _ name: String, _ bucket: String, _ what: Step.What,
        _ body: () throws(S3Error) -> (Step.Outcome, String)
    ) -> Step {
        let (outcome, note): (Step.Outcome, String)
        do throws(S3Error) {
            (outcome, note) = try body()
        } catch {
            switch error.kind {
            case .notImplemented:
                (outcome, note) = (.unsupported, what == .lifecycle ? Self.noLifecycle : Self.noCORS)
            case .accessDenied where what != .bucket:
                (outcome, note) = (.failed, "the key may not set rules: one of an administrator may, or the dashboard")
            default:
                outcome = .failed
                note = [error.message, error.detail].compactMap(\.self).joined(separator: ": ")
            }
        }
        return Step(name: name, bucket: bucket, what: what, outcome: outcome, note: note)
    }

    static let noLifecycle =
        "the store has no lifecycle rules: what is left in \(BucketRules.uploads) is yours to delete"
    static let noCORS = "the store has no CORS rules: its own configuration says which pages may upload"
}

extension PoolSettings.ObjectStore {
    /// In the order in which people name them.
    var namedBuckets: [(name: String, bucket: String)] {
        ["raw", "exports", "assets"].compactMap { name in buckets[name].map { (name, $0) } }
    }
}
