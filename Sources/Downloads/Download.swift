internal import HTTPTransfer
internal import Model
internal import WorkerCore

/// One URL's way into one output, on the calling thread: the requests, and what comes after a broken connection.
struct Download {
    struct Bounds {
        /// By the clock.
        var deadline: Double
        var stallSeconds: Int
    }

    /// Broken connections in a row, with next to nothing between them.
    private static let mostBreaks = 5
    /// So many bytes are something.
    private static let progressBytes: Int64 = 1 << 20
    /// A server's wish for more patience than that is for the job's next attempt.
    private static let longestWish = 30.0

    let client: HTTPClient
    let address: WebAddress
    let body: DownloadBody
    let bounds: Bounds
    let pauses: Backoff
    /// Whether the URL's own time, or that of one it redirects to, is over.
    let hasExpired: (WebAddress) -> Bool
    let stop: TransferStop
    let clock: () -> Double

    func run() throws {
        var (breaks, mark) = (0, Int64(0))
        while true {
            var wish = 0.0
            let problem: TransferError
            do {
                try once(&wish)
                return
            } catch let error as TransferError {
                problem = error
            }
            // A little before, because libcurl counts whole milliseconds.
            guard clock() < bounds.deadline - 0.01 else {
                throw Failure(code: .wallTimeLimit, message: "the download took longer than allowed")
            }
            guard problem.mayPass else { throw problem }
            guard body.mayGoOn else {
                throw Failure(
                    code: problem.code,
                    message: "\(problem.message), and offers no way to go on from there: no strong ETag, or no ranges",
                    detail: problem.detail)
            }
            if body.receivedBytes - mark >= Self.progressBytes { breaks = 0 }
            mark = body.receivedBytes
            breaks += 1
            guard breaks <= Self.mostBreaks else { throw problem }
            let pause = max(wish, pauses.pauseSeconds(afterAttempt: breaks, unit: .random(in: 0.5..<1)))
            guard stop.sleep(seconds: min(pause, max(0, bounds.deadline - clock()))) else {
                throw TransferError(.cancelled, "the transfer was stopped")
            }
        }
    }

    /// - Parameter wish: what the server asks to wait for, in seconds.
    private func once(_ wish: inout Double) throws {
        var request = TransferRequest("GET", address, headers: body.conditions)
        // What is stored and hashed is the object itself.
        request.headers.append(TransferHeader("Accept-Encoding", "identity"))
        request.redirects = TransferRequest.mostRedirects
        request.limits.slowSeconds = bounds.stallSeconds
        request.limits.totalSeconds = max(0.001, bounds.deadline - clock())
        let response = try client.perform(request, into: TransferSink(begin: body.begin, take: body.take), stop: stop)
        guard !response.head.isSuccess else { return try body.end() }
        wish = min(Self.longestWish, response.head.retryAfterSeconds ?? 0)
        switch response.status {
        case 400, 401, 403:
            guard !hasExpired(response.address), !hasExpired(address) else {
                throw Failure(code: .urlExpired, message: "\(address.shown) has expired")
            }
        case 412, 416:
            guard body.receivedBytes == 0 else {
                throw Failure(code: .transferFailed, message: "\(address.shown) has changed while it was read")
            }
        default: break
        }
        try response.requireSuccess()
    }
}
