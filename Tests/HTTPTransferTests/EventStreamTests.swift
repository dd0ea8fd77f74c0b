import HTTPTransfer
import Testing

@Suite("A stream of events")
struct EventStreamTests {
    private typealias Event = EventStream.Event

    private static let text = """
        : a comment\n\nevent: job\ndata: {"a":1}\n\ndata:one\ndata: two\ndata\n\nevent: lost\n\nid: 7\nretry: 9\n\
        data:  spaced\n\nevent: progress\r\ndata: ü\r\n\r\nevent:x\rdata:y\r\rdata: unfinished
        """
    private static let events = [
        Event(name: "job", data: #"{"a":1}"#), Event(name: "message", data: "one\ntwo\n"),
        Event(name: "message", data: " spaced"), Event(name: "progress", data: "ü"), Event(name: "x", data: "y"),
    ]

    @Test("is read the same in pieces of any size", arguments: [1, 2, 3, 5, 7, 64, 10_000])
    func pieces(size: Int) throws {
        var stream = EventStream()
        var events: [EventStream.Event] = []
        let bytes = Array(Self.text.utf8)
        for start in stride(from: 0, to: bytes.count, by: size) {
            events += try stream.take(bytes[start..<min(bytes.count, start + size)])
        }
        #expect(events == Self.events)
    }

    @Test("has lines of any length, up to a limit that no event has")
    func limit() throws {
        var stream = EventStream()
        let long = String(repeating: "x", count: 300_000)
        #expect(try stream.take("data: \(long)\n\n".utf8) == [Event(name: "message", data: long)])
        var endless = EventStream()
        #expect(throws: TransferError.self) {
            for _ in 0..<70 { _ = try endless.take([UInt8](repeating: 0x78, count: 1 << 20)) }
        }
    }
}
