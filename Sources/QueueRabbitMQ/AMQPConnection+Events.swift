internal import CRabbitMQ
internal import Glibc
internal import WorkerCore

/// What comes from the broker unasked.
enum AMQPEvent {
    case delivered(channel: amqp_channel_t, tag: UInt64, Delivery)
    /// No queue took a message of ours.
    case returned(reason: String, MessageProperties)
    case confirmed(tag: UInt64, multiple: Bool, isTaken: Bool)
    /// A queue is gone, and its consumer with it.
    case consumerCancelled(channel: amqp_channel_t)
    case channelClosed(channel: amqp_channel_t, QueueError)
    case blocked(String)
    case unblocked
}

/// A message whose frames are still coming: a method, a header, and the body in pieces.
struct PartialMessage {
    enum Origin {
        case delivery(tag: UInt64, exchange: String, routingKey: String, isRedelivered: Bool)
        case returned(reason: String)
    }

    let origin: Origin
    var properties = MessageProperties()
    var size = 0
    var seen = 0
    var body: [UInt8] = []
}

extension AMQPConnection {
    /// What is there; `nil` when nothing more has come yet.
    func nextEvent() throws(QueueError) -> AMQPEvent? {
        while true {
            var frame = amqp_frame_t()
            var patience = timeval(tv_sec: 0, tv_usec: 0)
            let status = amqp_simple_wait_frame_noblock(handle, &frame, &patience)
            if status == AMQP_STATUS_TIMEOUT.rawValue { return nil }
            try sent(status, "waiting for the broker")
            let event = try event(frame)
            // Everything was copied.
            amqp_maybe_release_buffers_on_channel(handle, frame.channel)
            if let event { return event }
        }
    }

    private func event(_ frame: amqp_frame_t) throws(QueueError) -> AMQPEvent? {
        switch Int32(frame.frame_type) {
        case AMQP_FRAME_METHOD: return try event(frame.payload.method, channel: frame.channel)
        case AMQP_FRAME_HEADER: return header(frame)
        case AMQP_FRAME_BODY: return fragment(frame)
        default: return nil
        }
    }

    private func event(_ method: amqp_method_t, channel: amqp_channel_t) throws(QueueError) -> AMQPEvent? {
        guard let decoded = method.decoded else {
            return method.id == AMQP_CONNECTION_UNBLOCKED_METHOD ? .unblocked : nil
        }
        switch method.id {
        case AMQP_BASIC_DELIVER_METHOD:
            let fields = decoded.assumingMemoryBound(to: amqp_basic_deliver_t.self).pointee
            partials[channel] = PartialMessage(
                origin: .delivery(
                    tag: fields.delivery_tag, exchange: String(fields.exchange),
                    routingKey: String(fields.routing_key), isRedelivered: fields.redelivered != 0))
            return nil
        case AMQP_BASIC_RETURN_METHOD:
            let fields = decoded.assumingMemoryBound(to: amqp_basic_return_t.self).pointee
            partials[channel] = PartialMessage(
                origin: .returned(reason: "\(fields.reply_code) \(String(fields.reply_text))"))
            return nil
        case AMQP_BASIC_ACK_METHOD:
            let fields = decoded.assumingMemoryBound(to: amqp_basic_ack_t.self).pointee
            return .confirmed(tag: fields.delivery_tag, multiple: fields.multiple != 0, isTaken: true)
        case AMQP_BASIC_NACK_METHOD:
            let fields = decoded.assumingMemoryBound(to: amqp_basic_nack_t.self).pointee
            return .confirmed(tag: fields.delivery_tag, multiple: fields.multiple != 0, isTaken: false)
        case AMQP_BASIC_CANCEL_METHOD:
            return .consumerCancelled(channel: channel)
        case AMQP_CHANNEL_CLOSE_METHOD:
            let fields = decoded.assumingMemoryBound(to: amqp_channel_close_t.self).pointee
            let error = QueueError(
                .channelClosed(Int(fields.reply_code)), "\(fields.reply_code) \(String(fields.reply_text))")
            acceptChannelClose(channel)
            partials[channel] = nil
            return .channelClosed(channel: channel, error)
        case AMQP_CONNECTION_CLOSE_METHOD:
            let fields = decoded.assumingMemoryBound(to: amqp_connection_close_t.self).pointee
            let error = QueueError(.connectionLost, "\(fields.reply_code) \(String(fields.reply_text))")
            var answer = amqp_connection_close_ok_t()
            _ = amqp_send_method(handle, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &answer)
            throw error
        case AMQP_CONNECTION_BLOCKED_METHOD:
            return .blocked(String(decoded.assumingMemoryBound(to: amqp_connection_blocked_t.self).pointee.reason))
        case AMQP_CONNECTION_UNBLOCKED_METHOD:
            return .unblocked
        default:
            return nil
        }
    }

    private func header(_ frame: amqp_frame_t) -> AMQPEvent? {
        guard var partial = partials[frame.channel], let decoded = frame.payload.properties.decoded else { return nil }
        partial.properties = MessageProperties(
            decoded.assumingMemoryBound(to: amqp_basic_properties_t.self).pointee)
        partial.size = Int(clamping: frame.payload.properties.body_size)
        return advance(partial, channel: frame.channel)
    }

    private func fragment(_ frame: amqp_frame_t) -> AMQPEvent? {
        guard var partial = partials[frame.channel] else { return nil }
        // One reference, so that the body grows in place.
        partials[frame.channel] = nil
        let bytes = frame.payload.body_fragment
        let kept = min(bytes.len, max(0, maximumBodyBytes - partial.body.count))
        if kept > 0 { partial.body.append(contentsOf: UnsafeRawBufferPointer(start: bytes.bytes, count: kept)) }
        partial.seen += bytes.len
        return advance(partial, channel: frame.channel)
    }

    private func advance(_ partial: PartialMessage, channel: amqp_channel_t) -> AMQPEvent? {
        guard partial.seen >= partial.size else {
            partials[channel] = partial
            return nil
        }
        partials[channel] = nil
        switch partial.origin {
        case .delivery(let tag, let exchange, let routingKey, let isRedelivered):
            let delivery = Delivery(
                queue: "", exchange: exchange, routingKey: routingKey, isRedelivered: isRedelivered,
                properties: partial.properties, body: partial.body, bodySize: partial.size)
            return .delivered(channel: channel, tag: tag, delivery)
        case .returned(let reason):
            return .returned(reason: reason, partial.properties)
        }
    }
}
