internal import CCurl
internal import CCurlShims
internal import Glibc
internal import WorkerCore

/// One request and its answer: what libcurl's callbacks work on, all on the transfer's own thread.
final class Exchange {
    /// Of all lines together; libcurl has a limit for each.
    private static let headerBytes = 256 << 10

    let address: WebAddress
    private let addressGuard: AddressGuard?
    private let body: TransferBody
    private let sink: TransferSink
    private let stop: TransferStop

    private(set) var head = TransferHead(status: 0, headers: [])
    private(set) var problem: [UInt8] = []
    private(set) var bodyBytesSent: Int64 = 0
    private(set) var error: TransferError?
    /// Of one address; a name may lead to others, too.
    private(set) var refusal: TransferError?
    /// All that was of use of an explanation has come.
    private(set) var hasEnough = false
    private var headerSize = 0
    private var hasBegun = false

    init(
        _ address: WebAddress, addressGuard: AddressGuard?, body: TransferBody, sink: TransferSink, stop: TransferStop
    ) {
        (self.address, self.addressGuard, self.body) = (address, addressGuard, body)
        (self.sink, self.stop) = (sink, stop)
    }

    /// For an answer without a body.
    func end() throws(TransferError) {
        guard head.isSuccess else { return }
        attempt { try begin() }
        if let error { throw error }
    }

    private func begin() throws {
        guard !hasBegun else { return }
        hasBegun = true
        try sink.begin(head)
    }

    /// Keeps the first error, which is the cause.
    @discardableResult
    private func attempt(_ body: () throws -> Void) -> Bool {
        guard error == nil, !stop.isRaised else { return false }
        do {
            try body()
            return true
        } catch {
            self.error = .handler(error)
            return false
        }
    }

    // MARK: What libcurl calls

    fileprivate func take(headerLine bytes: UnsafeRawBufferPointer) -> Bool {
        headerSize += bytes.count
        guard headerSize <= Self.headerBytes else {
            error = TransferError(.protocolViolation, "\(address.shown) sends too long a header")
            return false
        }
        let line = String(decoding: bytes, as: UTF8.self)
        if line.hasPrefix("HTTP/") {
            // The first, or the one after an interim answer.
            head = TransferHead(
                status: line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0, headers: [])
        } else if let colon = line.firstIndex(of: ":") {
            let value = line[line.index(after: colon)...]
            head.headers.append(TransferHeader(String(line[..<colon]), Self.trimmed(value)))
        }
        return !stop.isRaised
    }

    private static func trimmed(_ text: Substring) -> String {
        let start = text.drop { $0.isWhitespace }
        return String(start.reversed().drop { $0.isWhitespace }.reversed())
    }

    fileprivate func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard head.isSuccess else {
            let room = TransferSink.problemBytes - problem.count
            problem.append(contentsOf: bytes.prefix(room))
            hasEnough = bytes.count >= room
            return !hasEnough && !stop.isRaised
        }
        return attempt {
            try begin()
            try sink.take(bytes)
        }
    }

    /// - Returns: `nil` to end the transfer.
    fileprivate func give(_ room: UnsafeMutableRawBufferPointer) -> Int? {
        var count = 0
        let isFine = attempt {
            switch body {
            case .none: break
            case .bytes(let bytes):
                count = min(room.count, bytes.count - Int(bodyBytesSent))
                bytes.withUnsafeBytes { all in
                    let part = UnsafeRawBufferPointer(rebasing: all[Int(bodyBytesSent)..<Int(bodyBytesSent) + count])
                    room.copyMemory(from: part)
                }
            case .pull(let length, _, let pull):
                let wanted = Int(min(Int64(room.count), length - bodyBytesSent))
                guard wanted > 0 else { return }
                count = try pull(UnsafeMutableRawBufferPointer(rebasing: room.prefix(wanted)), bodyBytesSent)
                guard (1...wanted).contains(count) else {
                    throw TransferError(.library, "the body to send ended at \(bodyBytesSent) of \(length) bytes")
                }
            }
        }
        guard isFine else { return nil }
        bodyBytesSent += Int64(count)
        return count
    }

    fileprivate func rewind(to offset: Int64) -> Bool {
        switch body {
        case .none, .bytes: break
        case .pull(_, let isRepeatable, _): guard isRepeatable || offset == bodyBytesSent else { return false }
        }
        bodyBytesSent = offset
        return true
    }

    fileprivate func mayConnect(to address: IPAddress) -> Bool {
        guard let reason = addressGuard?.refusal(of: address, host: self.address.host) else { return true }
        refusal = TransferError(
            .refusedAddress, "\(self.address.shown) leads to an address that is \(reason.rawValue) and not allowed",
            detail: "\(address)")
        return false
    }

    /// Puts the callbacks in. The exchange must outlive the run.
    func attach(to easy: UnsafeMutableRawPointer) {
        let context = Unmanaged.passUnretained(self).toOpaque()
        rp_curl_set_writer(easy, CURLOPT_HEADERFUNCTION, headerCame)
        rp_curl_set_data(easy, CURLOPT_HEADERDATA, context)
        rp_curl_set_writer(easy, CURLOPT_WRITEFUNCTION, bytesCame)
        rp_curl_set_data(easy, CURLOPT_WRITEDATA, context)
        rp_curl_set_reader(easy, bytesWanted)
        rp_curl_set_data(easy, CURLOPT_READDATA, context)
        rp_curl_set_seeker(easy, rewindWanted)
        rp_curl_set_data(easy, CURLOPT_SEEKDATA, context)
        rp_curl_set_socket_opener(easy, socketWanted)
        rp_curl_set_data(easy, CURLOPT_OPENSOCKETDATA, context)
    }
}

/// SAFETY: `attach` gave libcurl the exchange, which lives until the run is over.
private func exchange(_ context: UnsafeMutableRawPointer?) -> Exchange? {
    context.map { Unmanaged<Exchange>.fromOpaque($0).takeUnretainedValue() }
}

private func headerCame(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
    return exchange(context)?.take(headerLine: line) == true ? line.count : 0
}

private func bytesCame(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    let part = UnsafeRawBufferPointer(start: bytes, count: size * count)
    // Another number than was given ends the transfer, and 0 is the same for an empty part.
    return exchange(context)?.take(part) == true ? part.count : part.count + 1
}

private func bytesWanted(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    exchange(context)?.give(UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
        ?? Int(CURL_READFUNC_ABORT)
}

private func rewindWanted(_ context: UnsafeMutableRawPointer?, _ offset: curl_off_t, _ origin: Int32) -> Int32 {
    guard origin == SEEK_SET, exchange(context)?.rewind(to: Int64(offset)) == true else { return CURL_SEEKFUNC_FAIL }
    return CURL_SEEKFUNC_OK
}

private func socketWanted(
    _ context: UnsafeMutableRawPointer?, _ purpose: curlsocktype, _ wanted: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
    guard let wanted, let exchange = exchange(context) else { return -1 }
    let offset = MemoryLayout<curl_sockaddr>.offset(of: \.addr) ?? 0
    // SAFETY: libcurl's structure goes on to `addrlen` bytes of address.
    let bytes = UnsafeRawBufferPointer(
        start: UnsafeRawPointer(wanted).advanced(by: offset), count: Int(wanted.pointee.addrlen))
    guard let address = IPAddress(socketAddress: bytes), exchange.mayConnect(to: address) else { return -1 }
    // Children of this process have no business with it.
    let kind = wanted.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue)
    return Glibc.socket(wanted.pointee.family, kind, wanted.pointee.protocol)
}
