internal import Foundation
internal import Glibc
internal import HTTPTransfer

/// `Tests/HTTPServer/server.py` on a port of its own: does well, and badly, what a path says.
package final class HTTPTestServer: Sendable {
    package let port: Int
    package let scheme: String
    private let process: Int32

    package static func start(certificate: String? = nil, key: String? = nil) throws -> HTTPTestServer {
        let tls = certificate.flatMap { certificate in key.map { ["--tls", certificate, $0] } } ?? []
        return try HTTPTestServer(
            program: ["python3", "\(Fixture.repository)/Tests/HTTPServer/server.py"] + tls,
            scheme: tls.isEmpty ? "http" : "https")
    }

    /// - Parameter program: prints its port as its first line, and ends when it is told to or its parent is gone.
    package init(program: [String], scheme: String = "http") throws {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = program
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        try process.run()
        self.process = process.processIdentifier
        self.scheme = scheme
        var line = ""
        while let byte = try output.fileHandleForReading.read(upToCount: 1)?.first, byte != UInt8(ascii: "\n") {
            line.append(Character(UnicodeScalar(byte)))
        }
        guard let port = Int(line) else { throw CommandFailure(description: "the server says \"\(line)\"") }
        self.port = port
    }

    package func stop() { kill(process, SIGKILL) }

    deinit { stop() }

    /// What it says of itself: `/counts` or `/received`.
    package func get(_ path: String) throws -> [UInt8] {
        let request = TransferRequest("GET", try WebAddress(url(path)))
        return try HTTPClient(.init(.open)).perform(request, into: .collect(upTo: 1 << 24)).body
    }

    /// Gives it orders.
    package func post(_ path: String, _ body: [UInt8]) throws {
        let request = TransferRequest("POST", try WebAddress(url(path)))
        try HTTPClient(.init(.open)).perform(request, body: .bytes(body), into: .collect(upTo: 1 << 24))
            .requireSuccess()
    }

    /// - Parameter host: as the server's certificate names it.
    package func url(_ path: String, host: String = "127.0.0.1") -> String { "\(scheme)://\(host):\(port)\(path)" }
}
