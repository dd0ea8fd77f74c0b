import CEscape
import Foundation
import Glibc
import Isolation
import Model

/// What a process that was taken over might send.
///
/// Messages are put together by hand: 64 bytes, little-endian, the kind first, then at 2 the slot, at 4 the resource, at
/// 8 the offset, at 16 the count, from 32 on four doubles.
final class Lies {
    private let memory: SharedMemory
    /// Where the next bytes go.
    private var position: Int64 = 0

    init(_ memory: SharedMemory) { self.memory = memory }

    private static let (read, write, create, progress, end): (UInt8, UInt8, UInt8, UInt8, UInt8) = (3, 5, 7, 9, 10)

    private static func message(
        _ kind: UInt8, slot: UInt16 = 0, resource: UInt32 = 0, offset: Int64 = 0, count: Int64 = 0,
        values: [Double] = [0, 0, 0, -1]
    ) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 64)
        bytes[0] = kind
        bytes.withUnsafeMutableBytes { buffer in
            buffer.storeBytes(of: slot, toByteOffset: 2, as: UInt16.self)
            buffer.storeBytes(of: resource, toByteOffset: 4, as: UInt32.self)
            buffer.storeBytes(of: offset, toByteOffset: 8, as: Int64.self)
            buffer.storeBytes(of: count, toByteOffset: 16, as: Int64.self)
            for (index, value) in values.enumerated() {
                buffer.storeBytes(of: value, toByteOffset: 32 + 8 * index, as: Double.self)
            }
        }
        return bytes
    }

    private static func send(_ bytes: [UInt8]) {
        // Whoever is not heard any more is about to be killed.
        if escape_send_raw(3, bytes, Int32(bytes.count)) < 0 { escape_sleep_for_ever() }
    }

    /// Waits for an answer, whatever it is.
    private static func listen() {
        var answer = [UInt8](repeating: 0, count: 64)
        if Glibc.read(3, &answer, answer.count) <= 0 { escape_sleep_for_ever() }
    }

    func tell(_ mode: String) -> Never {
        switch mode {
        case "end-outputs-not-made": end(Array("{}".utf8), outputs: -1)
        case "end-garbage": end([0xFF, 0xFE, 0x00])
        case "end-other-json": end(Array(#"{"file":7}"#.utf8))
        case "end-deep-json": end([UInt8](repeating: UInt8(ascii: "["), count: 200_000))
        case "fail-garbage": end([1, 2, 3], slot: 1)
        case "flood-result": while true { hand(over: 1 << 18, to: .max) }
        case "huge-offset":
            begin()
            Self.send(Self.message(Self.write, slot: 8, offset: 1 << 60, count: 10))
        case "many-writes":
            begin()
            while true { hand(over: 1 << 18, to: 0) }
        case "many-reads":
            while true {
                Self.send(Self.message(Self.read, count: 1 << 18))
                Self.listen()
            }
        case "changing-memory": changeMemory()
        case "close": Glibc.close(3)
        default: Self.tellSimple(mode)
        }
        // The daemon must not wait for anything more.
        escape_sleep_for_ever()
        endProcess(status: 0)
    }

    private static func tellSimple(_ mode: String) {
        switch mode {
        case "flood-progress": while true { send(message(progress, count: .random(in: 0..<1000))) }
        case "flood-create": while true { send(message(create)) }
        case "flood-reads": while true { send(message(read, count: 1 << 18)) }
        default:
            guard let bytes = single[mode] else { endProcess(status: 64) }
            send(bytes)
        }
    }

    /// What one message can be wrong in.
    private static let single: [String: [UInt8]] = [
        "short": [3, 1, 2], "long": [UInt8](repeating: 3, count: 4000), "empty": [], "weak": message(1),
        "unknown-kind": message(200), "hello-again": message(1), "begin": message(2), "filled": message(4),
        "read-slot": message(read, slot: 9, count: 10), "read-far-slot": message(read, slot: .max, count: 10),
        "read-too-much": message(read, count: 1 << 30), "read-nothing": message(read, count: 0),
        "read-negative-count": message(read, count: -5), "read-negative-offset": message(read, offset: -1, count: 10),
        "read-overflow": message(read, offset: .max - 3, count: 10),
        "read-other-source": message(read, resource: 7, count: 10),
        "read-output-not-begun": message(read, resource: 1 << 31, count: 10),
        "write-read-slot": message(write, slot: 0, count: 10), "write-far-slot": message(write, slot: 16, count: 10),
        "write-too-much": message(write, slot: 8, count: 1 << 20),
        "write-negative": message(write, slot: 8, offset: .min, count: 10),
        "write-overflow": message(write, slot: 8, offset: .max, count: 10),
        "write-not-begun": message(write, slot: 8, resource: 0, count: 10),
        "write-source": message(write, slot: 8, resource: 1 << 31, count: 10),
        "write-result-hole": message(write, slot: 8, resource: .max, offset: 100, count: 10),
        "create-other": message(create, resource: 1), "create-far": message(create, resource: .max),
        "create-head": message(create, resource: 0, count: 1 << 40),
        "create-negative-head": message(create, resource: 0, count: -1),
        "progress-nan": message(progress, values: [.nan, 0, 0, 0]),
        "progress-beyond": message(progress, values: [1.5, 0, 0, 0]),
        "progress-infinite": message(progress, values: [0, .infinity, 0, 0]),
        "progress-phase": message(progress, slot: 77), "progress-frames": message(progress, count: .min),
        "end-count": message(end, count: 5), "end-nothing": message(end),
        "end-beyond": message(end, slot: 2, count: -1),
    ]

    // MARK: Longer stories

    private func begin() {
        Self.send(Self.message(Self.create))
        Self.listen()
    }

    private func hand(over count: Int, to output: UInt32) {
        Self.send(
            Self.message(
                Self.write, slot: 8, resource: output, offset: position, count: Int64(count)))
        position += Int64(count)
        Self.listen()
    }

    private func end(_ result: [UInt8], slot: UInt16 = 0, outputs: Int64 = 0) {
        memory.slot(8)?.copyBytes(from: result)
        hand(over: result.count, to: .max)
        Self.send(Self.message(Self.end, slot: slot, offset: outputs, count: Int64(result.count)))
    }

    /// Writes while another thread goes on changing the bytes.
    private func changeMemory() {
        let memory = memory
        try? DedicatedThread.start {
            var value: UInt8 = 0
            while true {
                memory.slot(8)?.initializeMemory(as: UInt8.self, repeating: value)
                value &+= 1
            }
        }
        begin()
        for _ in 0..<200 { hand(over: 1 << 18, to: 0) }
        let failure = try? JSONEncoder().encode(Failure(code: .internalFault, message: "0"))
        position = 0
        // The slot changes under the failure, too, unless it is another one.
        memory.slot(9)?.copyBytes(from: Array(failure ?? Data()))
        let count = Int64(failure?.count ?? 0)
        Self.send(Self.message(Self.write, slot: 9, resource: .max, count: count))
        Self.listen()
        Self.send(Self.message(Self.end, slot: 1, count: count))
    }
}
