internal import CCurl
internal import CCurlShims
internal import Glibc
internal import Model

/// A request in libcurl's words.
struct TransferOptions {
    private static let receiveBytes = 256 << 10
    private static let sendBytes = 512 << 10

    let request: TransferRequest
    let body: TransferBody
    let settings: HTTPClient.Settings

    /// - Returns: how it went, whatever the answer's status.
    func run(_ exchange: Exchange, on lane: Lane, until stop: TransferStop) throws(TransferError) -> TransferTiming {
        let easy = lane.easy
        // Connections, names and sessions stay.
        curl_easy_reset(easy)
        defer { curl_easy_reset(easy) }
        guard let headers = HeaderList(lines), let words = ErrorWords() else {
            throw TransferError(.protocolViolation, "a header has a line break in it, or memory is short")
        }
        set(easy)
        rp_curl_set_list(easy, CURLOPT_HTTPHEADER, headers.first)
        rp_curl_set_data(easy, CURLOPT_ERRORBUFFER, words.bytes)
        exchange.attach(to: easy)
        let result = withExtendedLifetime((exchange, headers)) { lane.run(until: stop) }
        let timing = TransferTiming(easy, exchange)
        if let failure = failure(result, exchange, detail: words.text, timing: timing, stop: stop) { throw failure }
        return timing
    }

    private var lines: [String] {
        var lines = request.headers.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
        // Waiting for permission to send costs a second where a server does not know of it.
        lines.append("Expect:")
        if case .none = body {
        } else if !request.headers.contains(where: { $0.name.lowercased() == "content-type" }) {
            lines.append("Content-Type:")
        }
        return lines
    }

    private func set(_ easy: UnsafeMutableRawPointer) {
        let limits = request.limits
        rp_curl_set_text(easy, CURLOPT_URL, request.address.text)
        rp_curl_set_long(easy, CURLOPT_PATH_AS_IS, 1)
        rp_curl_set_text(easy, CURLOPT_PROTOCOLS_STR, "http,https")
        rp_curl_set_long(easy, CURLOPT_FOLLOWLOCATION, 0)
        if request.wantsNewConnection { rp_curl_set_long(easy, CURLOPT_FRESH_CONNECT, 1) }
        // One connection for each transfer; streams within one are slower for large bodies.
        rp_curl_set_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        rp_curl_set_text(easy, CURLOPT_USERAGENT, settings.userAgent)
        rp_curl_set_long(easy, CURLOPT_NOSIGNAL, 1)
        // A name that is being looked up does not hold up who gave up.
        rp_curl_set_long(easy, CURLOPT_QUICK_EXIT, 1)
        rp_curl_set_long(easy, CURLOPT_TCP_KEEPALIVE, 1)
        rp_curl_set_long(easy, CURLOPT_BUFFERSIZE, Self.receiveBytes)
        rp_curl_set_long(easy, CURLOPT_UPLOAD_BUFFERSIZE, Self.sendBytes)
        rp_curl_set_long(easy, CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        if let file = settings.authorityFile { rp_curl_set_text(easy, CURLOPT_CAINFO, file) }
        switch settings.route {
        case .open, .guarded: rp_curl_set_text(easy, CURLOPT_PROXY, "")
        case .environmentProxy: break
        }
        rp_curl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, max(1, Int(limits.connectSeconds * 1000)))
        if let total = limits.totalSeconds { rp_curl_set_long(easy, CURLOPT_TIMEOUT_MS, max(1, Int(total * 1000))) }
        rp_curl_set_long(easy, CURLOPT_LOW_SPEED_LIMIT, limits.slowBytesPerSecond)
        rp_curl_set_long(easy, CURLOPT_LOW_SPEED_TIME, limits.slowSeconds)
        setMethod(easy)
    }

    private func setMethod(_ easy: UnsafeMutableRawPointer) {
        var length: Int64?
        switch body {
        case .none: if ["POST", "PUT", "PATCH"].contains(request.method) { length = 0 }
        case .bytes(let bytes): length = Int64(bytes.count)
        case .pull(let given, _, _): length = given
        }
        if let length {
            rp_curl_set_long(easy, CURLOPT_UPLOAD, 1)
            rp_curl_set_offset(easy, CURLOPT_INFILESIZE_LARGE, curl_off_t(length))
        } else if request.method == "HEAD" {
            rp_curl_set_long(easy, CURLOPT_NOBODY, 1)
            return
        }
        rp_curl_set_text(easy, CURLOPT_CUSTOMREQUEST, request.method)
    }

    // MARK: What became of it

    private func failure(
        _ result: CURLcode?, _ exchange: Exchange, detail: String, timing: TransferTiming, stop: TransferStop
    ) -> TransferError? {
        let place = request.address.shown
        guard let result, !stop.isRaised else {
            return TransferError(.cancelled, "the transfer was stopped")
        }
        if let error = exchange.error { return error }
        if result == CURLE_OK || exchange.hasEnough { return nil }
        if result == CURLE_COULDNT_CONNECT, let refusal = exchange.refusal { return refusal }
        func error(_ kind: TransferError.Kind, _ what: String) -> TransferError {
            TransferError(kind, "\(place) \(what)", detail: detail.isEmpty ? nil : detail)
        }
        switch result {
        case CURLE_URL_MALFORMAT: return error(.invalidAddress, "cannot be understood")
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: return error(.unresolved, "has no address")
        case CURLE_COULDNT_CONNECT: return error(.unreachable, "cannot be reached")
        case CURLE_OPERATION_TIMEDOUT:
            if !timing.hasConnected { return error(.timedOut, "cannot be reached in time") }
            if let total = request.limits.totalSeconds, timing.totalSeconds >= total - 0.05 {
                return error(.timedOut, "took longer than allowed")
            }
            return error(.stalled, "sends and takes nothing, or next to nothing")
        case CURLE_PARTIAL_FILE: return error(.truncated, "ended before its announced length")
        case CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_SEND_FAIL_REWIND:
            return error(.reset, "broke off the connection")
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR:
            return error(.tls, "has no connection that can be trusted")
        case CURLE_SSL_CACERT_BADFILE: return error(.tls, "needs a file of authorities that cannot be read")
        case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_HTTP2, CURLE_BAD_CONTENT_ENCODING:
            return error(.protocolViolation, "does not speak HTTP as it should")
        default: return error(.library, "cannot be transferred: \(String(cString: curl_easy_strerror(result)))")
        }
    }
}

/// Header lines as libcurl wants them.
private final class HeaderList {
    private(set) var first: UnsafeMutablePointer<curl_slist>?

    /// `nil` for a line that would be two, or end early.
    init?(_ lines: [String]) {
        for line in lines {
            guard !line.utf8.contains(where: { $0 == 0x0D || $0 == 0x0A || $0 == 0 }),
                let longer = curl_slist_append(first, line)
            else { return nil }
            first = longer
        }
    }

    deinit { curl_slist_free_all(first) }
}

/// Where libcurl puts a failure into words.
private final class ErrorWords {
    let bytes: UnsafeMutableRawPointer

    init?() {
        guard let bytes = calloc(1, Int(CURL_ERROR_SIZE)) else { return nil }
        self.bytes = bytes
    }

    deinit { free(bytes) }

    var text: String { String(cString: bytes.assumingMemoryBound(to: CChar.self)) }
}

extension TransferTiming {
    /// Source: curl_easy_getinfo(3), "TIMES".
    fileprivate init(_ easy: UnsafeMutableRawPointer, _ exchange: Exchange) {
        self.init()
        func seconds(_ info: CURLINFO) -> Double { Double(rp_curl_get_offset(easy, info)) / 1e6 }
        connectSeconds = max(seconds(CURLINFO_CONNECT_TIME_T), seconds(CURLINFO_APPCONNECT_TIME_T))
        hasConnected = seconds(CURLINFO_PRETRANSFER_TIME_T) > 0
        firstByteSeconds = seconds(CURLINFO_STARTTRANSFER_TIME_T)
        totalSeconds = seconds(CURLINFO_TOTAL_TIME_T)
        bytesReceived = Int64(rp_curl_get_offset(easy, CURLINFO_SIZE_DOWNLOAD_T))
        bytesSent = exchange.bodyBytesSent
        usedOlderConnection = hasConnected && rp_curl_get_long(easy, CURLINFO_NUM_CONNECTS) == 0
        if usedOlderConnection { connectSeconds = 0 }
    }
}

enum Monotonic {
    /// Of a clock that nobody sets. Source: clock_gettime(2), CLOCK_MONOTONIC.
    static func seconds() -> Double {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }
}
