internal import CRabbitMQ
internal import CRabbitMQShims
internal import Glibc
internal import WorkerCore

/// One connection of librabbitmq. It belongs to the thread that made it; heartbeats are sent and checked within
/// `nextEvent`, so that has to be called more often than they are due.
final class AMQPConnection {
    static let connectSeconds = 5
    /// For logging in and for each question to the broker.
    static let answerSeconds = 10

    let handle: amqp_connection_state_t
    var partials: [amqp_channel_t: PartialMessage] = [:]
    /// More of a body is not kept.
    let maximumBodyBytes: Int

    init(
        _ address: RabbitMQAddress, name: String, heartbeatSeconds: Int, maximumBodyBytes: Int = 4 << 20
    ) throws(QueueError) {
        guard let handle = amqp_new_connection() else { throw QueueError(.unreachable, "out of memory") }
        self.handle = handle
        self.maximumBodyBytes = maximumBodyBytes
        var patience = timeval(tv_sec: Self.answerSeconds, tv_usec: 0)
        amqp_set_handshake_timeout(handle, &patience)
        amqp_set_rpc_timeout(handle, &patience)
        try open(address)
        let reply = rp_amqp_login(
            handle, address.virtualHost, Int32(heartbeatSeconds), address.user, address.password, name)
        do {
            try check(reply, "logging in")
        } catch {
            // 403 is ACCESS_REFUSED, 530 NOT_ALLOWED: a virtual host that is not there.
            throw [.channelClosed(403), .channelClosed(530)].contains(error.kind)
                ? QueueError(.loginRefused, error.message) : QueueError(.unreachable, error.message)
        }
    }

    deinit { amqp_destroy_connection(handle) }

    private func open(_ address: RabbitMQAddress) throws(QueueError) {
        var patience = timeval(tv_sec: Self.connectSeconds, tv_usec: 0)
        guard let tls = address.tls else {
            let socket = amqp_tcp_socket_new(handle)
            let status = amqp_socket_open_noblock(socket, address.host, Int32(address.port), &patience)
            guard status == AMQP_STATUS_OK.rawValue else {
                throw QueueError(.unreachable, "\(address.host):\(address.port): \(Self.text(status))")
            }
            return
        }
        guard let socket = amqp_ssl_socket_new(handle) else { throw QueueError(.tls, "TLS cannot be set up") }
        amqp_ssl_socket_set_verify_peer(socket, tls.verifiesPeer ? 1 : 0)
        amqp_ssl_socket_set_verify_hostname(socket, tls.verifiesPeer ? 1 : 0)
        amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST)
        let authorities = tls.authorities ?? "/etc/ssl/certs/ca-certificates.crt"
        if tls.verifiesPeer || tls.authorities != nil {
            guard amqp_ssl_socket_set_cacert(socket, authorities) == AMQP_STATUS_OK.rawValue else {
                throw QueueError(.tls, "the authorities in \(authorities) cannot be read")
            }
        }
        if let certificate = tls.certificate {
            let status = amqp_ssl_socket_set_key(socket, certificate.chain, certificate.key)
            guard status == AMQP_STATUS_OK.rawValue else {
                throw QueueError(.tls, "the certificate in \(certificate.chain) or its key cannot be read")
            }
        }
        let status = amqp_socket_open_noblock(socket, address.host, Int32(address.port), &patience)
        guard status == AMQP_STATUS_OK.rawValue else {
            let kind: QueueError.Kind = status <= AMQP_STATUS_SSL_ERROR.rawValue ? .tls : .unreachable
            throw QueueError(kind, "\(address.host):\(address.port): \(Self.text(status))")
        }
    }

    var descriptor: Int32 { amqp_get_sockfd(handle) }

    static func text(_ status: Int32) -> String { String(cString: amqp_error_string2(status)) }

    /// A sending function's status. 0 does not mean that the broker has got it.
    func sent(_ status: Int32, _ what: String) throws(QueueError) {
        guard status == AMQP_STATUS_OK.rawValue else {
            throw QueueError(.connectionLost, "\(what): \(Self.text(status))")
        }
    }

    /// An answer of the broker, or why there is none.
    func check(_ reply: amqp_rpc_reply_t, channel: amqp_channel_t = 0, _ what: String) throws(QueueError) {
        switch reply.reply_type {
        case AMQP_RESPONSE_NORMAL: return
        case AMQP_RESPONSE_LIBRARY_EXCEPTION:
            let kind: QueueError.Kind =
                reply.library_error == AMQP_STATUS_TIMEOUT.rawValue ? .timedOut : .connectionLost
            throw QueueError(kind, "\(what): \(Self.text(reply.library_error))")
        case AMQP_RESPONSE_SERVER_EXCEPTION:
            // The two methods that close have the same fields.
            guard let decoded = reply.reply.decoded else { break }
            let close = decoded.assumingMemoryBound(to: amqp_channel_close_t.self).pointee
            let text = "\(what): \(close.reply_code) \(String(close.reply_text))"
            if reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD {
                acceptChannelClose(channel)
                throw QueueError(.channelClosed(Int(close.reply_code)), text)
            }
            // While logging in there is no channel; the caller tells a refusal by the code.
            throw QueueError(
                what == "logging in" ? .channelClosed(Int(close.reply_code)) : .connectionLost, text)
        default: break
        }
        throw QueueError(.connectionLost, "\(what): the broker closed the connection")
    }

    func checkLast(channel: amqp_channel_t, _ what: String) throws(QueueError) {
        try check(amqp_get_rpc_reply(handle), channel: channel, what)
    }

    func acceptChannelClose(_ channel: amqp_channel_t) {
        var method = amqp_channel_close_ok_t()
        _ = amqp_send_method(handle, channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &method)
    }

    // MARK: Questions

    func openChannel(_ channel: amqp_channel_t) throws(QueueError) {
        partials[channel] = nil
        _ = amqp_channel_open(handle, channel)
        try checkLast(channel: channel, "opening a channel")
    }

    /// Returns when the broker has handled everything sent on the channel before: the one proof of acknowledgements.
    func closeChannel(_ channel: amqp_channel_t) throws(QueueError) {
        try check(amqp_channel_close(handle, channel, AMQP_REPLY_SUCCESS), channel: channel, "closing a channel")
    }

    func close() throws(QueueError) {
        try check(amqp_connection_close(handle, AMQP_REPLY_SUCCESS), "closing the connection")
    }

    func declare(_ declaration: Declaration, channel: amqp_channel_t) throws(QueueError) {
        var arena = Arena()
        let nothing = amqp_table_t(num_entries: 0, entries: nil)
        switch declaration {
        case .exchange(let name, let type):
            amqp_exchange_declare(handle, channel, arena.text(name), arena.text(type), 0, 1, 0, 0, nothing)
            try checkLast(channel: channel, "declaring the exchange \(name)")
        case .queue(let name, let arguments):
            amqp_queue_declare(handle, channel, arena.text(name), 0, 1, 0, 0, arena.table(arguments))
            try checkLast(channel: channel, "declaring the queue \(name)")
        case .existingQueue(let name):
            amqp_queue_declare(handle, channel, arena.text(name), 1, 0, 0, 0, nothing)
            try checkLast(channel: channel, "looking for the queue \(name)")
        case .binding(let queue, let exchange, let routingKey):
            amqp_queue_bind(
                handle, channel, arena.text(queue), arena.text(exchange), arena.text(routingKey), nothing)
            try checkLast(channel: channel, "binding the queue \(queue)")
        }
    }

    /// At most `prefetch` deliveries are unacknowledged on the channel.
    func consume(_ queue: String, channel: amqp_channel_t, prefetch: Int, tag: String) throws(QueueError) {
        var arena = Arena()
        amqp_basic_qos(handle, channel, 0, UInt16(clamping: prefetch), 0)
        try checkLast(channel: channel, "setting the prefetch")
        let nothing = amqp_table_t(num_entries: 0, entries: nil)
        amqp_basic_consume(handle, channel, arena.text(queue), arena.text(tag), 0, 0, 0, nothing)
        try checkLast(channel: channel, "consuming \(queue)")
    }

    func cancelConsumer(channel: amqp_channel_t, tag: String) throws(QueueError) {
        var arena = Arena()
        amqp_basic_cancel(handle, channel, arena.text(tag))
        try checkLast(channel: channel, "cancelling a consumer")
    }

    func confirmPublishes(channel: amqp_channel_t) throws(QueueError) {
        amqp_confirm_select(handle, channel)
        try checkLast(channel: channel, "asking for confirms")
    }

    // MARK: Messages

    func acknowledge(channel: amqp_channel_t, tag: UInt64, multiple: Bool) throws(QueueError) {
        try sent(amqp_basic_ack(handle, channel, tag, multiple ? 1 : 0), "acknowledging")
    }

    func publish(_ message: OutgoingMessage, channel: amqp_channel_t) throws(QueueError) {
        var arena = Arena()
        var properties = arena.properties(message.properties)
        let status = amqp_basic_publish(
            handle, channel, arena.text(message.exchange), arena.text(message.routingKey), 1, 0, &properties,
            arena.bytes(message.body))
        try sent(status, "publishing")
    }
}
