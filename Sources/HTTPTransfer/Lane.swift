internal import CCurl
internal import CCurlShims
internal import Glibc

/// Names and TLS sessions that the lanes of a client have in common.
///
/// SAFETY: libcurl calls the locks that the shims put in; it is destroyed after the last lane, which refers to it.
final class SharedNames: @unchecked Sendable {
    fileprivate let share: OpaquePointer?

    init() { share = rp_curl_share_create() }
    deinit { rp_curl_share_destroy(share) }
}

/// A handle of libcurl with its connections, for one transfer at a time.
///
/// It is an easy handle in a multi handle of its own, because that can be woken: `curl_easy_perform` looks up only once a
/// second. The caller's thread does the work, so that a consumer may block, and TLS of several transfers uses several
/// cores; one thread for all, as a multi handle is meant, could do neither.
///
/// SAFETY: a client hands it to one transfer at a time; `wake` alone is called by others, which libcurl allows.
final class Lane: @unchecked Sendable {
    private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK
    /// How often a transfer that nobody wakes looks at the clock.
    private static let pollMilliseconds: Int32 = 500
    /// Idle connections of a lane, each to another server.
    private static let keptConnections = 4

    let easy: UnsafeMutableRawPointer
    private let multi: UnsafeMutableRawPointer
    private let names: SharedNames
    /// Where its last connection leads.
    var origin = ""

    init(_ names: SharedNames) throws(TransferError) {
        guard Self.isReady, let easy = curl_easy_init() else { throw TransferError(.library, "libcurl cannot start") }
        guard let multi = curl_multi_init() else {
            curl_easy_cleanup(easy)
            throw TransferError(.library, "libcurl cannot start")
        }
        (self.easy, self.multi, self.names) = (easy, multi, names)
        rp_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, Self.keptConnections)
        if let share = names.share { rp_curl_set_share(easy, rp_curl_share_handle(share)) }
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_multi_cleanup(multi)
    }

    func wake() { curl_multi_wakeup(multi) }

    /// Does what the easy handle's options say.
    ///
    /// - Returns: `nil` when the stop was raised.
    func run(until stop: TransferStop) -> CURLcode? {
        let listening = stop.listen { [self] in wake() }
        defer { stop.stopListening(listening) }
        return withoutBrokenPipes {
            guard curl_multi_add_handle(multi, easy) == CURLM_OK else { return CURLE_FAILED_INIT }
            // Taking it out in the middle closes its connection.
            defer { curl_multi_remove_handle(multi, easy) }
            var running: Int32 = 1
            while !stop.isRaised {
                guard curl_multi_perform(multi, &running) == CURLM_OK else { return CURLE_FAILED_INIT }
                guard running > 0 else { return outcome() }
                guard curl_multi_poll(multi, nil, 0, Self.pollMilliseconds, nil) == CURLM_OK else {
                    return CURLE_FAILED_INIT
                }
            }
            return nil
        }
    }

    private func outcome() -> CURLcode {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            if message.pointee.msg == CURLMSG_DONE { return message.pointee.data.result }
        }
        return CURLE_FAILED_INIT
    }
}

/// A peer that goes away while it is written to is an error, and no signal that ends the process: OpenSSL writes without
/// MSG_NOSIGNAL, and the calling thread is not ours.
private func withoutBrokenPipes<Value>(_ body: () -> Value) -> Value {
    var (pipes, before, pending) = (sigset_t(), sigset_t(), sigset_t())
    sigemptyset(&pipes)
    sigaddset(&pipes, SIGPIPE)
    sigpending(&pending)
    let wasPending = sigismember(&pending, SIGPIPE) == 1
    pthread_sigmask(SIG_BLOCK, &pipes, &before)
    let value = body()
    if !wasPending {
        var now = timespec()
        while sigtimedwait(&pipes, nil, &now) == SIGPIPE {}
    }
    pthread_sigmask(SIG_SETMASK, &before, nil)
    return value
}
