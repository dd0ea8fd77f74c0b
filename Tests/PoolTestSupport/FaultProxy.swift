internal import Foundation
internal import TestSupport

/// `Tests/HTTPServer/fault_proxy.py` before a store: real requests, and answers that go wrong as they are told.
package final class FaultProxy: Sendable {
    /// A request that came.
    package struct Seen: Sendable, Decodable {
        package var method: String
        package var target: String
        package var fault: String
        /// What the store answered; 0 when it was not asked.
        package var status: Int
        /// In seconds, of a clock that nobody sets.
        package var at: Double
    }

    private let server: HTTPTestServer

    package init(_ store: ObjectStore) throws {
        let address = try store.url.replacingOccurrences(of: "http://", with: "")
        server = try HTTPTestServer(program: [
            "python3", "\(Fixture.repository)/Tests/HTTPServer/fault_proxy.py", address,
        ])
    }

    package var url: String { server.url("") }

    /// What becomes of the next requests, one for each; and forgets what came before.
    package func next(_ faults: [String]) throws {
        try server.post("/.faults", Array(try JSONEncoder().encode(faults)))
    }

    /// From now on it refuses what is signed for another region.
    ///
    /// - Parameter telling: whether the refusal says which it should be.
    package func require(region: String, telling: Bool) throws {
        try server.post("/.region", Array(#"{"region": "\#(region)", "tells": \#(telling)}"#.utf8))
    }

    /// Since `next`.
    package var seen: [Seen] {
        get throws { try JSONDecoder().decode([Seen].self, from: Data(try server.get("/.seen"))) }
    }
}
