internal import Glibc
internal import Synchronization

/// Orders for a thread that may wait for a socket at the same time.
package final class Mailbox<Order: Sendable>: Sendable {
    private struct State {
        var orders: [Order] = []
        var isShut = false
    }

    private let state = Mutex(State())
    /// A byte in this pipe says that there are orders.
    private let (bell, rope): (Int32, Int32)

    package init() {
        var ends: [Int32] = [-1, -1]
        precondition(pipe(&ends) == 0, "no file descriptor is left")
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        (bell, rope) = (ends[0], ends[1])
    }

    deinit {
        close(bell)
        close(rope)
    }

    /// `false` when nobody reads orders any more.
    @discardableResult
    package func post(_ order: Order) -> Bool {
        let (isTaken, isFirst) = state.withLock { state in
            let isFirst = state.orders.isEmpty
            if !state.isShut { state.orders.append(order) }
            return (!state.isShut, isFirst)
        }
        var byte: UInt8 = 1
        if isTaken, isFirst { _ = write(rope, &byte, 1) }
        return isTaken
    }

    package func takeAll() -> [Order] {
        withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { bytes in
            while read(bell, bytes.baseAddress, bytes.count) == bytes.count {}
        }
        return state.withLock { state in
            let taken = state.orders
            state.orders = []
            return taken
        }
    }

    /// Takes no more orders; the last ones are the answer.
    package func shut() -> [Order] {
        state.withLock { $0.isShut = true }
        return takeAll()
    }

    /// Returns when there are orders, when the socket has something, or when the time is over.
    ///
    /// - Parameter milliseconds: 0 only looks; below is for ever.
    package func wait(socket: Int32 = -1, milliseconds: Int) {
        var watched = [
            pollfd(fd: bell, events: Int16(POLLIN), revents: 0),
            pollfd(fd: socket, events: Int16(POLLIN), revents: 0),
        ]
        _ = poll(&watched, nfds_t(watched.count), Int32(clamping: milliseconds))
    }
}
