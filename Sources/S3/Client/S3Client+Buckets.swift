package import HTTPTransfer

extension S3Client {
    /// - Returns: whether there is such a bucket that these credentials may ask about.
    package func hasBucket(_ bucket: String, stop: TransferStop) throws(S3Error) -> Bool {
        var course = S3Course(settings)
        do throws(S3Error) {
            _ = try send(S3Request("HEAD", S3Place(bucket: bucket)), course: &course, stop: stop)
            return true
        } catch {
            if error.kind == .noSuchBucket { return false }
            throw error
        }
    }

    /// - Returns: `false` when it was there already; `.conflict` when it is someone else's.
    package func createBucket(_ bucket: String, stop: TransferStop) throws(S3Error) -> Bool {
        // Some stores say "exists" of one's own, too.
        if try hasBucket(bucket, stop: stop) { return false }
        var course = S3Course(settings)
        // The first region is the only one that is not to be named, and R2's is no place.
        // Source: AWS, "CreateBucket", Amazon S3 API Reference.
        let isNamed = !["", "auto", "us-east-1"].contains(endpoint.region)
        let body: S3Body =
            isNamed
            ? .document(
                XMLText.document(
                    "CreateBucketConfiguration", [XMLText.element("LocationConstraint", endpoint.region)]))
            : .none
        do throws(S3Error) {
            _ = try send(S3Request("PUT", S3Place(bucket: bucket)), body, course: &course, stop: stop)
        } catch {
            // Made by a try whose answer was lost, or by someone at the same time.
            guard error.kind == .conflict, try hasBucket(bucket, stop: stop) else { throw error }
        }
        return true
    }

    /// An empty one; also when there is none.
    package func deleteBucket(_ bucket: String, stop: TransferStop) throws(S3Error) {
        var course = S3Course(settings)
        do throws(S3Error) {
            _ = try send(S3Request("DELETE", S3Place(bucket: bucket)), course: &course, stop: stop)
        } catch {
            if error.kind != .noSuchBucket { throw error }
        }
    }

    // MARK: Rules

    /// - Throws: `.notImplemented` by a store that has no such rules.
    package func lifecycle(of bucket: String, stop: TransferStop) throws(S3Error) -> [S3LifecycleRule] {
        let root = try rules(of: bucket, "lifecycle", "LifecycleConfiguration", "NoSuchLifecycleConfiguration", stop)
        return root?.all("Rule").map(S3LifecycleRule.init) ?? []
    }

    /// Replaces all that were there; none at all removes them.
    package func setLifecycle(
        of bucket: String, _ rules: [S3LifecycleRule], stop: TransferStop
    ) throws(S3Error) {
        try setRules(of: bucket, "lifecycle", "LifecycleConfiguration", rules.map(\.document), stop)
    }

    /// Puts rules beside those that are there. Of the same id they take the others' place; everything else stays as it
    /// is, also what is not understood here.
    ///
    /// Two callers at once may undo what the other does: S3 has no condition for this.
    /// - Throws: `.notImplemented` by a store that has no such rules.
    package func addLifecycle(
        of bucket: String, _ rules: [S3LifecycleRule], stop: TransferStop
    ) throws(S3Error) -> S3RuleChange {
        let root = try self.rules(
            of: bucket, "lifecycle", "LifecycleConfiguration", "NoSuchLifecycleConfiguration", stop)
        let found = root?.all("Rule") ?? []
        let (own, others) = Self.split(found, ids: rules.map(\.id))
        if own.map(S3LifecycleRule.init) == rules { return .none }
        let documents = others.map(XMLText.element) + rules.map(\.document)
        try setRules(of: bucket, "lifecycle", "LifecycleConfiguration", documents, stop)
        return .made(kept: others.count)
    }

    private static func split(
        _ rules: [AnswerElement], ids: [String]
    ) -> (own: [AnswerElement], others: [AnswerElement]) {
        func isOwn(_ rule: AnswerElement) -> Bool { rule.text("ID").map(ids.contains) ?? false }
        let own = rules.filter(isOwn).sorted { left, right in
            let places = [left, right].map { rule in ids.firstIndex { $0 == rule.text("ID") } ?? 0 }
            return places[0] < places[1]
        }
        return (own, rules.filter { !isOwn($0) })
    }

    /// - Throws: `.notImplemented` by a store that has no such rules.
    package func cors(of bucket: String, stop: TransferStop) throws(S3Error) -> [S3CORSRule] {
        let root = try rules(of: bucket, "cors", "CORSConfiguration", "NoSuchCORSConfiguration", stop)
        return root?.all("CORSRule").map(S3CORSRule.init) ?? []
    }

    /// Replaces all that were there; none at all removes them.
    package func setCORS(of bucket: String, _ rules: [S3CORSRule], stop: TransferStop) throws(S3Error) {
        try setRules(of: bucket, "cors", "CORSConfiguration", rules.map(\.document), stop)
    }

    /// As `addLifecycle`. A store that forgets the rule's id is asked again whether it has one that says the same.
    package func addCORS(
        of bucket: String, _ rule: S3CORSRule, stop: TransferStop
    ) throws(S3Error) -> S3RuleChange {
        let root = try rules(of: bucket, "cors", "CORSConfiguration", "NoSuchCORSConfiguration", stop)
        let found = root?.all("CORSRule") ?? []
        let (own, others) = Self.split(found, ids: [rule.id])
        var nameless = rule
        nameless.id = ""
        if own.map(S3CORSRule.init) == [rule] || others.contains(where: { S3CORSRule($0) == nameless }) { return .none }
        let documents = others.map(XMLText.element) + [rule.document]
        try setRules(of: bucket, "cors", "CORSConfiguration", documents, stop)
        return .made(kept: others.count)
    }

    private func rules(
        of bucket: String, _ what: String, _ root: String, _ absence: String, _ stop: TransferStop
    ) throws(S3Error) -> AnswerElement? {
        var course = S3Course(settings)
        let request = S3Request("GET", S3Place(bucket: bucket), query: [(what, "")])
        do throws(S3Error) {
            return try send(request, into: .document(root), course: &course, stop: stop).document
        } catch {
            if error.serverCode == absence { return nil }
            throw error
        }
    }

    private func setRules(
        of bucket: String, _ what: String, _ root: String, _ rules: [String], _ stop: TransferStop
    ) throws(S3Error) {
        var course = S3Course(settings)
        var request = S3Request(rules.isEmpty ? "DELETE" : "PUT", S3Place(bucket: bucket), query: [(what, "")])
        guard !rules.isEmpty else {
            _ = try send(request, course: &course, stop: stop)
            return
        }
        let document = XMLText.document(root, rules)
        request.headers = [Self.contentMD5(document.withUnsafeBytes { ETag.of($0) })]
        _ = try send(request, .document(document), course: &course, stop: stop)
    }
}
