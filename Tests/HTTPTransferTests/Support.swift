import Foundation
import HTTPTransfer
import Synchronization
import TestSupport
import Testing
import WorkerCore

/// How long anything may take on a machine that does much else.
let patience = 60.0

/// What the test server's endless body has from `offset` on.
func pattern(_ offset: Int, _ count: Int) -> [UInt8] { (offset..<offset + count).map { UInt8($0 % 251) } }

func get(_ url: String, _ headers: [TransferHeader] = []) throws -> TransferRequest {
    TransferRequest("GET", try WebAddress(url), headers: headers)
}

/// A client for the servers of the tests, which are on this machine.
func openClient() -> HTTPClient { HTTPClient(.init(.open)) }

func guardedClient(allowing entries: [String] = []) -> HTTPClient {
    HTTPClient(.init(.guarded(AddressGuard(allowing: entries))))
}

func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await OwnThread.run(named: "test", body)
}

/// Why a transfer failed; `nil` if it did not.
func failure(_ body: () throws(TransferError) -> Void) -> TransferError? {
    do throws(TransferError) {
        try body()
        return nil
    } catch {
        return error
    }
}

func fetch(
    _ client: HTTPClient, _ request: TransferRequest, upTo limit: Int = 1 << 24, stop: TransferStop = TransferStop()
) throws(TransferError) -> TransferResponse {
    try client.perform(request, into: .collect(upTo: limit), stop: stop)
}

/// Calls a function from another thread when something holds, or when time is over.
func when(_ condition: @escaping @Sendable () -> Bool, _ action: @escaping @Sendable () -> Void) {
    let thread = Thread {
        let end = Date(timeIntervalSinceNow: patience)
        while !condition(), Date() < end { Thread.sleep(forTimeInterval: 0.01) }
        action()
    }
    thread.start()
}

/// A number that several threads count.
final class Counter: Sendable {
    private let value = Mutex(0)
    func add(_ number: Int = 1) { value.withLock { $0 += number } }
    var count: Int { value.withLock { $0 } }
}

struct ServerCounts: Decodable {
    var connections: Int
    var open: Int
    var requests: Int

    /// By a client of its own: one connection and one request more.
    init(of server: HTTPTestServer) throws {
        self = try JSONDecoder().decode(Self.self, from: Data(try server.get("/counts")))
    }
}

struct Echo: Decodable {
    var method: String
    var target: String
    var headers: [[String]]
    var size: Int
    var sha256: String

    init(_ response: TransferResponse) throws { self = try JSONDecoder().decode(Self.self, from: Data(response.body)) }

    subscript(_ name: String) -> String? { headers.first { $0.first == name }?.last }
}
