import Foundation
import HTTPTransfer
import Model
import TestSupport
import Testing

@Suite("A transfer")
struct TransferTests {
    private let server: HTTPTestServer
    private let client = openClient()

    init() throws { server = try HTTPTestServer.start() }

    @Test(
        "brings bodies of any length, announced or in chunks", arguments: ["bytes", "chunked"],
        [0, 1, 70_001, 3_000_017])
    func bodies(path: String, count: Int) throws {
        let response = try fetch(client, get(server.url("/\(path)?n=\(count)")))
        #expect(response.status == 200)
        #expect(response.body == pattern(0, count))
        #expect(response.timing.bytesReceived == Int64(count))
        #expect(response.timing.firstByteSeconds > 0)
        #expect(response.timing.totalSeconds >= response.timing.firstByteSeconds)
    }

    @Test("tells status, headers in any case, and an explanation apart from a body")
    func refusal() throws {
        let response = try fetch(client, get(server.url("/status/503")))
        #expect(response.status == 503 && response.body == Array("because of it".utf8))
        #expect(response.head["retry-after"] == "7" && response.head["RETRY-AFTER"] == "7")
        let error = try #require(failure { () throws(TransferError) in try response.requireSuccess() })
        #expect(error.kind == .status(503) && error.code == .transferFailed)
        #expect(error.detail == "because of it")
    }

    @Test("gives statuses the codes that decide about another try")
    func codes() throws {
        let expected: [Int: FailureCode] = [
            400: .notReadable, 401: .notReadable, 403: .notReadable, 404: .fileNotFound, 408: .transferFailed,
            410: .fileNotFound, 412: .notReadable, 429: .transferFailed, 500: .transferFailed, 503: .transferFailed,
        ]
        for (status, code) in expected {
            let response = try fetch(client, get(server.url("/status/\(status)")))
            #expect(failure { () throws(TransferError) in try response.requireSuccess() }?.code == code, "\(status)")
        }
    }

    @Test("skips interim answers")
    func interim() throws {
        let response = try fetch(client, get(server.url("/interim")))
        #expect(response.status == 200 && response.body == Array("at last".utf8))
        #expect(response.head["X-Final"] == "1" && response.head["X-Interim"] == nil)
    }

    @Test("asks for a head without a body")
    func head() throws {
        let response = try fetch(client, TransferRequest("HEAD", try WebAddress(server.url("/bytes?n=1000"))))
        #expect(response.head.contentLength == 1000 && response.body.isEmpty)
    }

    @Test("sends method, path and headers as they are, and nothing of its own that could give something away")
    func echo() throws {
        let path = "/echo/a/../b/./c//d%2F%20e?x=1&y=%2B"
        let headers = [TransferHeader("X-One", "1"), TransferHeader("X-Empty", "")]
        let echo = try Echo(try fetch(client, get(server.url(path), headers)))
        #expect(echo.target == path, "dots and slashes are a part of an object's name")
        #expect(echo["x-one"] == "1" && echo["x-empty"] == "")
        #expect(Set(echo.headers.compactMap(\.first)) == ["host", "user-agent", "accept", "x-one", "x-empty"])
    }

    @Test("sends bodies from memory and from a function", arguments: ["POST", "PUT", "PATCH"], [0, 5, 2_500_003])
    func upload(method: String, count: Int) throws {
        let bytes = pattern(0, count)
        let request = TransferRequest(method, try WebAddress(server.url("/echo")))
        let first = try client.perform(request, body: .bytes(bytes), into: .collect(upTo: 1 << 16))
        let pull = TransferBody.pull(length: Int64(count), isRepeatable: true) { room, offset in
            let part = bytes[Int(offset)..<min(count, Int(offset) + min(room.count, 10_007))]
            room.copyBytes(from: part)
            return part.count
        }
        let second = try client.perform(request, body: pull, into: .collect(upTo: 1 << 16))
        for response in [first, second] {
            let echo = try Echo(response)
            #expect(echo.method == method && echo.size == count)
            #expect(echo["content-length"] == "\(count)" && echo["transfer-encoding"] == nil && echo["expect"] == nil)
            #expect(echo["content-type"] == nil)
            #expect(response.timing.bytesSent == Int64(count))
        }
        #expect(try Echo(first).sha256 == Echo(second).sha256)
    }

    @Test("takes no more than the limit")
    func limit() throws {
        for path in ["/bytes?n=100001", "/chunked?n=100001"] {
            let request = try get(server.url(path))
            let error = failure { () throws(TransferError) in _ = try fetch(client, request, upTo: 100_000) }
            #expect(error?.kind == .tooLarge && error?.code == .sourceTooLarge)
        }
        #expect(try fetch(client, get(server.url("/bytes?n=100000")), upTo: 100_000).body.count == 100_000)
    }

    @Test("reads no explanation to its end that has none")
    func endlessProblem() throws {
        let response = try fetch(client, get(server.url("/problem")))
        #expect(response.status == 500 && response.body.count == TransferSink.problemBytes)
    }

    @Test("ends with the error of who takes or gives the bytes")
    func handlers() throws {
        let stopping = TransferSink { _ in throw Failure(code: .diskFull, message: "no room") }
        let request = try get(server.url("/bytes?n=100000"))
        var error = failure { () throws(TransferError) in _ = try client.perform(request, into: stopping) }
        #expect(error?.kind == .handler(.diskFull) && error?.message == "no room" && error?.code == .diskFull)

        let early = TransferSink(begin: { _ in throw Failure(code: .unknownTask, message: "no") }, take: { _ in })
        let empty = try get(server.url("/bytes?n=0"))
        error = failure { () throws(TransferError) in _ = try client.perform(empty, into: early) }
        #expect(error?.code == .unknownTask, "also without a body")

        let put = TransferRequest("PUT", try WebAddress(server.url("/echo")))
        let failing = TransferBody.pull(length: 1000, isRepeatable: true) { _, _ in
            throw Failure(code: .readFailed, message: "gone")
        }
        error = failure { () throws(TransferError) in
            _ = try client.perform(put, body: failing, into: .collect(upTo: 1000))
        }
        #expect(error?.kind == .handler(.readFailed))
        let short = TransferBody.pull(length: 1000, isRepeatable: true) { _, offset in offset < 500 ? 250 : 0 }
        error = failure { () throws(TransferError) in
            _ = try client.perform(put, body: short, into: .collect(upTo: 1000))
        }
        #expect(error?.code == .internalFault, "a body that ends early is a fault here")
    }

    @Test("refuses headers that would be several, and too long ones")
    func headers() throws {
        for value in ["a\r\nX-Evil: 1", "a\nb", "a\0b"] {
            let request = try get(server.url("/echo"), [TransferHeader("X-One", value)])
            let error = failure { () throws(TransferError) in _ = try fetch(client, request) }
            #expect(error?.kind == .protocolViolation)
        }
        #expect(try fetch(client, get(server.url("/header?n=200"))).status == 200)
        let request = try get(server.url("/header?n=4000"))
        #expect(failure { () throws(TransferError) in _ = try fetch(client, request) } != nil)
    }

    @Test("streams a gigabyte in bounded memory")
    func gigabyte() throws {
        func residentBytes() throws -> Int {
            let text = String(decoding: try bytes(ofFile: "/proc/self/statm"), as: UTF8.self)
            return 4096 * (try #require(text.split(separator: " ").dropFirst().first.flatMap { Int($0) }))
        }
        let before = try residentBytes()
        var (count, largest, isRight) = (0, 0, true)
        var most = before
        let sink = TransferSink { bytes in
            isRight =
                isRight && bytes.first == UInt8(count % 251) && bytes.last == UInt8((count + bytes.count - 1) % 251)
            if count >> 26 != (count + bytes.count) >> 26 { most = max(most, try residentBytes()) }
            count += bytes.count
            largest = max(largest, bytes.count)
        }
        let response = try client.perform(get(server.url("/bytes?n=\(1 << 30)")), into: sink)
        #expect(response.status == 200 && count == 1 << 30 && isRight)
        #expect(largest <= 1 << 20)
        // Other tests of this process take memory meanwhile, too.
        #expect(most - before < 600 << 20, "\((most - before) >> 20) MB more")
    }
}
