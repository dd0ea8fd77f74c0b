/// Server-sent events out of pieces of bytes. Source: HTML Living Standard, "Server-sent events".
package struct EventStream {
    package struct Event: Sendable, Equatable {
        package var name: String
        package var data: String

        package init(name: String, data: String) { (self.name, self.data) = (name, data) }
    }

    /// Far above what a job with its result has; a longer line is no such stream.
    private static let longestLine = 64 << 20

    private var line: [UInt8] = []
    private var name = ""
    private var data: [String] = []
    private var followsReturn = false

    package init() {}

    /// - Throws: for what cannot be such a stream.
    package mutating func take(_ bytes: some Sequence<UInt8>) throws(TransferError) -> [Event] {
        var events: [Event] = []
        for byte in bytes {
            // A line ends with either of these or with both.
            let completesPair = followsReturn && byte == UInt8(ascii: "\n")
            followsReturn = byte == UInt8(ascii: "\r")
            if completesPair { continue }
            guard byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") else {
                line.append(byte)
                guard line.count < Self.longestLine else {
                    throw TransferError(.protocolViolation, "the service sends no events")
                }
                continue
            }
            if let event = endLine() { events.append(event) }
        }
        return events
    }

    private mutating func endLine() -> Event? {
        defer { line.removeAll(keepingCapacity: true) }
        guard !line.isEmpty else {
            defer { (name, data) = ("", []) }
            return data.isEmpty ? nil : Event(name: name.isEmpty ? "message" : name, data: data.joined(separator: "\n"))
        }
        let text = String(decoding: line, as: UTF8.self)
        let colon = text.firstIndex(of: ":") ?? text.endIndex
        var value = text[colon...].dropFirst()
        if value.first == " " { value.removeFirst() }
        switch text[..<colon] {
        case "event": name = String(value)
        case "data": data.append(String(value))
        default: break
        }
        return nil
    }
}
