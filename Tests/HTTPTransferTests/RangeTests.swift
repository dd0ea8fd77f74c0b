import Foundation
import HTTPTransfer
import Model
import TestSupport
import Testing

@Suite("A read of a range")
struct RangeTests {
    private let server: HTTPTestServer
    private let client = openClient()

    init() throws { server = try HTTPTestServer.start() }

    private func read(
        _ query: String, at offset: Int64, count: Int, headers: [TransferHeader] = []
    ) throws(TransferError) -> (RangeRead, [UInt8]) {
        var bytes = [UInt8](repeating: 0xEE, count: count)
        let request = TransferRequest("GET", try WebAddress(server.url("/bytes?\(query)")), headers: headers)
        var read: RangeRead?
        var failure: TransferError?
        bytes.withUnsafeMutableBytes { buffer in
            do throws(TransferError) {
                read = try client.read(request, at: offset, into: buffer)
            } catch {
                failure = error
            }
        }
        if let read { return (read, Array(bytes.prefix(read.count))) }
        throw failure ?? TransferError(.library, "neither")
    }

    @Test("puts exactly the bytes asked for into the caller's memory")
    func ranges() throws {
        var random = SystemRandomNumberGenerator()
        let seed = random.next()
        for index in 0..<40 {
            let offset = Int((seed &+ UInt64(index) &* 0x9E37_79B9_7F4A_7C15) % 2_000_000)
            let count = Int((seed >> 7 &+ UInt64(index) &* 0xD1B5_4A32_D192_ED03) % 300_000) + 1
            let (read, bytes) = try read("n=2000000", at: Int64(offset), count: count)
            let expected = min(count, 2_000_000 - offset)
            #expect(read.count == expected && read.sizeBytes == 2_000_000, "seed \(seed), \(offset) + \(count)")
            #expect(bytes == pattern(offset, expected), "seed \(seed), \(offset) + \(count)")
        }
    }

    @Test("is short at the end and empty behind it")
    func end() throws {
        let (last, bytes) = try read("n=1000", at: 990, count: 100)
        #expect(last.count == 10 && bytes == pattern(990, 10) && last.sizeBytes == 1000)
        let (behind, _) = try read("n=1000", at: 1000, count: 100)
        #expect(behind.count == 0 && behind.sizeBytes == 1000)
        let (empty, _) = try read("n=0", at: 0, count: 100)
        #expect(empty.count == 0 && empty.sizeBytes == 0)
    }

    @Test("takes a whole small object from a server without ranges, and nothing else")
    func withoutRanges() throws {
        let (read, bytes) = try read("n=1000&noranges=1", at: 0, count: 1000)
        #expect(read.count == 1000 && read.sizeBytes == 1000 && bytes == pattern(0, 1000))
        for (offset, count) in [(Int64(0), 999), (1, 1000)] {
            let error = failure { () throws(TransferError) in
                _ = try self.read("n=1000&noranges=1", at: offset, count: count)
            }
            #expect(error?.kind == .protocolViolation)
        }
    }

    @Test("does not take another range for the one asked for")
    func wrongRange() {
        let error = failure { () throws(TransferError) in _ = try read("n=1000&shift=1", at: 10, count: 10) }
        #expect(error?.kind == .protocolViolation && error?.code == .transferFailed)
    }

    @Test("notices that an object was replaced")
    func replaced() throws {
        let (read, _) = try read("n=1000", at: 0, count: 10, headers: [TransferHeader("If-Match", "\"of-1000\"")])
        #expect(read.response.head["ETag"] == "\"of-1000\"")
        let error = failure { () throws(TransferError) in
            _ = try self.read("n=1000", at: 0, count: 10, headers: [TransferHeader("If-Match", "\"of-999\"")])
        }
        #expect(error?.kind == .status(412))
    }
}
