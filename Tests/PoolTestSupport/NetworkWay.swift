internal import Glibc
internal import Synchronization
internal import WorkerCore

/// A way to a server on this machine that can be cut and mended: what lies between a worker and its pool.
package final class NetworkWay: Sendable {
    private struct State {
        var target = 0
        var isCut = false
        var sockets: Set<Int32> = []
    }

    private let listener: Int32
    package let port: Int
    private let state = Mutex(State())

    package init(to target: Int) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = Self.loopback(port: 0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let isThere = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && listen(descriptor, 64) == 0
                    && getsockname(descriptor, $0, &size) == 0
            }
        }
        guard isThere else { throw NotInTime(description: "nothing can be listened on") }
        port = Int(UInt16(bigEndian: address.sin_port))
        state.withLock { $0.target = target }
        OwnThread.start(named: "way") { [self] in
            while true {
                let peer = accept(descriptor, nil, nil)
                guard peer >= 0 else { return }
                // Daemons that are started meanwhile have no business with it.
                _ = fcntl(peer, F_SETFD, FD_CLOEXEC)
                OwnThread.start(named: "way") { [self] in relay(peer) }
            }
        }
    }

    /// Ends all connections, and lets no new one through.
    package func cut() {
        state.withLock { state in
            state.isCut = true
            for socket in state.sockets { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }

    /// Lets connections through again, perhaps to another port than before.
    package func mend(to target: Int? = nil) {
        state.withLock { state in
            state.isCut = false
            if let target { state.target = target }
        }
    }

    package func close() {
        cut()
        shutdown(listener, Int32(SHUT_RDWR))
    }

    private static func loopback(port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        return address
    }

    private func relay(_ peer: Int32) {
        defer { Glibc.close(peer) }
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { Glibc.close(server) }
        let target = state.withLock { state -> Int? in
            guard !state.isCut else { return nil }
            state.sockets.formUnion([peer, server])
            return state.target
        }
        defer { state.withLock { $0.sockets.subtract([peer, server]) } }
        guard let target else { return }
        var address = Self.loopback(port: target)
        let isThere = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isThere else { return }
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var watched = [
            pollfd(fd: peer, events: Int16(POLLIN), revents: 0), pollfd(fd: server, events: Int16(POLLIN), revents: 0),
        ]
        while poll(&watched, 2, -1) > 0 {
            for index in 0..<2 where watched[index].revents != 0 {
                let count = recv(watched[index].fd, &buffer, buffer.count, 0)
                guard count > 0 else { return }
                var sent = 0
                while sent < count {
                    let part = buffer[sent..<count].withUnsafeBytes {
                        send(watched[1 - index].fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                    }
                    guard part > 0 else { return }
                    sent += part
                }
            }
        }
    }
}
