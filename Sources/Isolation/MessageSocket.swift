internal import CLinux
internal import Glibc

/// One end of a connection that keeps messages apart.
package final class MessageSocket: Sendable {
    private let descriptor: Descriptor

    package init(owning descriptor: Descriptor) { self.descriptor = descriptor }

    package var number: Int32 { descriptor.number }

    /// Two ends that are connected to each other; closed in programs that this one starts.
    package static func pair() throws(IsolationError) -> (MessageSocket, MessageSocket) {
        var (first, second): (Int32, Int32) = (-1, -1)
        let status = rp_socket_pair(&first, &second)
        guard status == 0 else { throw IsolationError("no channel can be made", reason: -status) }
        return (MessageSocket(owning: Descriptor(owning: first)), MessageSocket(owning: Descriptor(owning: second)))
    }

    package enum Received {
        case message(ChannelMessage)
        case closed
        /// Not a message of ours: the peer does not keep to the protocol.
        case nonsense
    }

    /// Waits for the next message. Descriptors that come with it are not taken.
    package func receive() -> Received {
        withUnsafeTemporaryAllocation(byteCount: ChannelMessage.byteCount, alignment: 8) { buffer in
            let count = rp_receive(number, buffer.baseAddress, buffer.count, nil, nil)
            switch count {
            case ChannelMessage.byteCount:
                return ChannelMessage(UnsafeRawBufferPointer(buffer)).map { .message($0) } ?? .nonsense
            case 0, -Int(ECONNRESET), -Int(EPIPE): return .closed
            default: return .nonsense
            }
        }
    }

    package enum Sent {
        case delivered
        /// The peer has not taken what was sent before.
        case refused
        case closed
    }

    /// Sends without waiting.
    package func sendAtOnce(_ message: ChannelMessage) -> Sent {
        switch message.withBytes({ rp_send_at_once(number, $0.baseAddress, $0.count) }) {
        case ChannelMessage.byteCount: .delivered
        case -Int(EAGAIN): .refused
        default: .closed
        }
    }

    /// Makes every end of this connection see its close, whoever else holds it.
    package func shutDown() { shutdown(number, Int32(SHUT_RDWR)) }
}
