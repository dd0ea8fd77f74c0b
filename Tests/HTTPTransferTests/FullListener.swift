import Glibc
import TestSupport

/// A port at which connections are neither accepted nor refused: its queue is full of ones that nobody takes.
final class FullListener {
    let port: Int
    private var sockets: [Int32] = []

    init() throws {
        func open() -> Int32 { socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0) }
        let listener = open()
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        sockets = [listener]
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(listener, generic, length) == 0 && listen(listener, 0) == 0
                    && getsockname(listener, generic, &length) == 0
            }
        }
        guard isBound else { throw CommandFailure(description: "no listener: \(errno)") }
        port = Int(UInt16(bigEndian: address.sin_port))
        for _ in 0..<4 {
            let client = open()
            sockets.append(client)
            withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = connect(client, $0, length) }
            }
        }
    }

    deinit { for socket in sockets { close(socket) } }
}
