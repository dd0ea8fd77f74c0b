internal import CHiredis
internal import Glibc

/// One connection of hiredis. It belongs to one thread.
final class RedisConnection {
    private static let connectSeconds = 3
    private static let answerSeconds = 5

    private let context: UnsafeMutablePointer<redisContext>
    private(set) var digest: [UInt8] = []

    init(_ address: RedisAddress, name: String) throws(RedisError) {
        let patience = timeval(tv_sec: Self.connectSeconds, tv_usec: 0)
        let opened =
            switch address.place {
            case .tcp(let host, let port): redisConnectWithTimeout(host, Int32(port), patience)
            case .unix(let path): redisConnectUnixWithTimeout(path, patience)
            }
        guard let context = opened else { throw RedisError(.unavailable, "out of memory") }
        self.context = context
        guard context.pointee.err == 0 else { throw RedisError(.unavailable, "\(address): \(lastError)") }
        _ = fcntl(context.pointee.fd, F_SETFD, FD_CLOEXEC)
        redisSetTimeout(context, timeval(tv_sec: Self.answerSeconds, tv_usec: 0))
        redisEnableKeepAlive(context)
        try logIn(address, name: name)
        try loadScript()
    }

    deinit { redisFree(context) }

    private var lastError: String {
        withUnsafeBytes(of: context.pointee.errstr) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    private func logIn(_ address: RedisAddress, name: String) throws(RedisError) {
        if let password = address.password {
            let words = ["AUTH"] + (address.user.map { [$0] } ?? []) + [password]
            if case .error = try ask(words) { throw RedisError(.loginRefused, "\(address): the login was refused") }
        }
        if address.database != 0, case .error(let text) = try ask(["SELECT", "\(address.database)"]) {
            throw RedisError(.unavailable, text)
        }
        _ = try ask(["CLIENT", "SETNAME", name])
    }

    func loadScript() throws(RedisError) {
        let reply = try ask(["SCRIPT", "LOAD", FencedScript.text])
        guard case .bytes(let digest) = reply else {
            throw RedisError(.unavailable, "no script can be loaded: \(reply)")
        }
        self.digest = digest
    }

    func ask(_ words: [String]) throws(RedisError) -> RedisReply {
        try pipeline([words.map { Array($0.utf8) }]).first ?? .none
    }

    /// Sends all, then reads all answers. After an error the connection is of no more use.
    func pipeline(_ commands: [[[UInt8]]]) throws(RedisError) -> [RedisReply] {
        for command in commands { try append(command) }
        var replies: [RedisReply] = []
        for _ in commands {
            var raw: UnsafeMutableRawPointer?
            guard redisGetReply(context, &raw) == REDIS_OK, let raw else {
                throw RedisError(.unavailable, lastError)
            }
            replies.append(RedisReply(raw.assumingMemoryBound(to: redisReply.self).pointee))
            freeReplyObject(raw)
        }
        return replies
    }

    // MARK: Listening

    var descriptor: Int32 { context.pointee.fd }

    /// Sends without waiting for an answer: while it listens, what comes are messages.
    func send(_ words: [String]) throws(RedisError) {
        try append(words.map { Array($0.utf8) })
        var isDone: Int32 = 0
        while isDone == 0 {
            guard redisBufferWrite(context, &isDone) == REDIS_OK else { throw RedisError(.unavailable, lastError) }
        }
    }

    /// What has come; nothing when the socket has nothing.
    func received() throws(RedisError) -> [RedisReply] {
        var socket = pollfd(fd: context.pointee.fd, events: Int16(POLLIN), revents: 0)
        if poll(&socket, 1, 0) > 0, redisBufferRead(context) != REDIS_OK { throw RedisError(.unavailable, lastError) }
        var replies: [RedisReply] = []
        while true {
            var raw: UnsafeMutableRawPointer?
            guard redisGetReplyFromReader(context, &raw) == REDIS_OK else {
                throw RedisError(.unavailable, lastError)
            }
            guard let raw else { return replies }
            replies.append(RedisReply(raw.assumingMemoryBound(to: redisReply.self).pointee))
            freeReplyObject(raw)
        }
    }

    private func append(_ command: [[UInt8]]) throws(RedisError) {
        let flat = command.flatMap { $0 }
        let lengths = command.map(\.count)
        let status = flat.withUnsafeBytes { bytes in
            // An empty argument needs an address, too.
            var offset = 0
            let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            var addresses: [UnsafePointer<CChar>?] = []
            for length in lengths {
                addresses.append(start.map { $0 + offset })
                offset += length
            }
            return redisAppendCommandArgv(context, Int32(command.count), &addresses, lengths)
        }
        guard status == REDIS_OK else { throw RedisError(.unavailable, lastError) }
    }
}

extension RedisReply {
    fileprivate init(_ raw: redisReply) {
        func bytes() -> [UInt8] { Array(UnsafeRawBufferPointer(start: raw.str, count: raw.str == nil ? 0 : raw.len)) }
        switch raw.type {
        case REDIS_REPLY_INTEGER: self = .integer(raw.integer)
        case REDIS_REPLY_STRING, REDIS_REPLY_STATUS: self = .bytes(bytes())
        case REDIS_REPLY_ERROR: self = .error(String(decoding: bytes(), as: UTF8.self))
        case REDIS_REPLY_ARRAY:
            self = .array(
                UnsafeBufferPointer(start: raw.element, count: raw.elements).map { element in
                    element.map { RedisReply($0.pointee) } ?? .none
                })
        default: self = .none
        }
    }
}
