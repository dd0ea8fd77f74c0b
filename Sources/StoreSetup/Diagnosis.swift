internal import HTTPTransfer
internal import S3

/// From what a store says to what is set wrongly: where one answer has several causes, the other ways are tried.
struct Diagnosis {
    private let check: StoreCheck

    init(_ check: StoreCheck) { self.check = check }

    /// As it was said, for what is nobody's setting.
    static func plain(_ error: S3Error) -> CheckProblem {
        let words = [error.message, error.detail].compactMap(\.self).joined(separator: ": ")
        switch error.kind {
        case .accessDenied:
            return .wrong("the key may not do this: \(error.detail ?? error.message)", fix: permissions)
        case .notImplemented: return .lacking("the store does not know how")
        default: return .wrong(words)
        }
    }

    static let permissions =
        "let the key read, write, delete and list in this bucket (R2: a token with Object Read & Write)"

    // MARK: No answer

    func problem(of error: TransferError, _ stop: TransferStop) -> CheckProblem {
        let (url, detail) = (check.connection.endpoint.url, error.detail.map { " (\($0))" } ?? "")
        switch error.kind {
        case .unresolved:
            return .wrong(
                "there is no host of this name: \(url)\(detail)",
                fix: "REELPOOL_S3_ENDPOINT is the store's address without a bucket, such as https://s3.example.com")
        case .tls, .protocolViolation, .reset:
            if let scheme = otherScheme(stop) {
                return .wrong(
                    "\(url) does not speak \(check.connection.endpoint.scheme.rawValue)\(detail)",
                    fix: "REELPOOL_S3_ENDPOINT=\(scheme)://\(check.connection.endpoint.host)")
            }
            guard error.kind == .tls else { break }
            return .wrong(
                "the certificate of \(url) is by no authority that is trusted here, or of another name\(detail)",
                fix: "REELPOOL_S3_CA_FILE names a PEM file with the authority; the host in REELPOOL_S3_ENDPOINT is as "
                    + "the certificate has it")
        default: break
        }
        return .wrong(
            "\(url) does not answer\(detail.isEmpty ? ": \(error.message)" : detail)",
            fix: "see host and port of REELPOOL_S3_ENDPOINT, whether the store runs, and firewalls in between")
    }

    /// In which the same host and port do answer.
    private func otherScheme(_ stop: TransferStop) -> String? {
        let endpoint = check.connection.endpoint
        let other = endpoint.scheme == .http ? "https" : "http"
        do {
            _ = try check.ask("\(other)://\(endpoint.host)", stop)
            return other
        } catch {
            return nil
        }
    }

    // MARK: An answer that is no

    func problem(of error: S3Error, in bucket: String, _ stop: TransferStop) -> CheckProblem {
        let endpoint = check.connection.endpoint
        if endpoint.host.hasPrefix("\(bucket.lowercased()).") {
            let host = endpoint.host.dropFirst(bucket.utf8.count + 1)
            return .wrong(
                "the bucket's name is in the endpoint, where the style puts it",
                fix: "REELPOOL_S3_ENDPOINT=\(endpoint.scheme.rawValue)://\(host)")
        }
        switch error.kind {
        case .accessDenied: return keyProblem(error)
        case .signatureRefused:
            if let region = region(bucket, error.serverRegion, stop) {
                return .wrong(
                    "requests are signed for the region \(check.connection.endpoint.region), and the store wants "
                        + region, fix: "REELPOOL_S3_REGION=\(region)")
            }
            return .wrong(
                "the secret key is not the one of this access key",
                fix: "copy REELPOOL_S3_SECRET_KEY again, whole and without spaces; R2 and others show it once only")
        case .clockSkew:
            return .wrong(error.message, fix: "set this machine's clock by the network's time")
        case .noSuchBucket, .malformedAnswer, .transfer(.unresolved):
            if let style = style(bucket, stop) {
                return .wrong(
                    "the store takes the bucket's name in the \(style == .path ? "path" : "host's name") only",
                    fix: "REELPOOL_S3_STYLE=\(style.rawValue)")
            }
            // A store has its own word for it; any server says 404.
            return error.serverCode == nil ? noInterface(error, stop) : noBucket(bucket)
        case .invalidRequest: return noInterface(error, stop)
        default: return Self.plain(error)
        }
    }

    private func noBucket(_ bucket: String) -> CheckProblem {
        .wrong(
            "there is no bucket \(bucket)",
            fix: "`reelpool storage init` makes it; if it should be there, see REELPOOL_S3_BUCKET_RAW and the others")
    }

    private func noInterface(_ error: S3Error, _ stop: TransferStop) -> CheckProblem {
        if let scheme = otherScheme(stop) {
            return .wrong(
                "the store speaks \(scheme)", fix: "REELPOOL_S3_ENDPOINT=\(scheme)://\(check.connection.endpoint.host)")
        }
        guard error.serverCode == nil else { return Self.plain(error) }
        return .wrong(
            "what answers is no S3 interface: \(error.detail ?? error.message)",
            fix: "REELPOOL_S3_ENDPOINT is the port of the interface, not of a console (MinIO: 9000, not 9001)")
    }

    private func keyProblem(_ error: S3Error) -> CheckProblem {
        let codes = ["ExpiredToken", "InvalidToken", "InvalidTokenId", "InvalidSecurity", "TokenRefreshRequired"]
        // MinIO calls it an unknown key, too.
        let mayBeToken = check.connection.credentials.sessionToken != nil && error.serverCode == "InvalidAccessKeyId"
        if mayBeToken || codes.contains(error.serverCode ?? "") {
            return .wrong(
                "the session token is not good, or no more: \(error.detail ?? "")",
                fix:
                    "REELPOOL_S3_SESSION_TOKEN belongs to temporary keys, with its own REELPOOL_S3_ACCESS_KEY, and ends "
                    + "with them")
        }
        switch error.serverCode {
        case "InvalidAccessKeyId", "Unauthorized":
            return .wrong(
                "the store does not know the access key",
                fix: "REELPOOL_S3_ACCESS_KEY is the key's id, of this store and not deleted since")
        default: return Self.plain(error)
        }
    }

    /// A region with which the store accepts the signature.
    private func region(_ bucket: String, _ told: String?, _ stop: TransferStop) -> String? {
        let given = check.connection.endpoint.region
        return [told, "us-east-1", "auto"].compactMap(\.self).first { region in
            guard region != given else { return false }
            var other = check.connection
            other.endpoint.region = region
            return isUnderstood(other, bucket, stop)
        }
    }

    /// A style in which the bucket is found.
    private func style(_ bucket: String, _ stop: TransferStop) -> S3Endpoint.Style? {
        var other = check.connection
        other.endpoint.style = other.endpoint.style == .path ? .virtualHost : .path
        do throws(S3Error) {
            _ = try other.client(settings: check.settings).objects(in: bucket, limit: 1, stop: stop)
            return other.endpoint.style
        } catch {
            return nil
        }
    }

    private func isUnderstood(_ connection: StoreConnection, _ bucket: String, _ stop: TransferStop) -> Bool {
        do throws(S3Error) {
            _ = try connection.client(settings: check.settings).objects(in: bucket, limit: 1, stop: stop)
            return true
        } catch {
            return error.kind == .noSuchBucket || error.serverCode == "AccessDenied"
        }
    }
}
