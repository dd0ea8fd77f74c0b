internal import Foundation
internal import HTTPTransfer
package import S3
internal import Synchronization
internal import TestSupport

/// The object stores that `scripts/servers.sh` started: both check signatures.
package enum ObjectStore: String, Sendable, CaseIterable {
    case seaweedfs
    case juicefs

    package static let areThere = allCases.allSatisfy { Servers.shared.environment[$0.variable] != nil }
    package static let absence = "REELPOOL_TEST_S3_SEAWEEDFS or REELPOOL_TEST_S3_JUICEFS names no server"

    private var variable: String { "REELPOOL_TEST_S3_\(rawValue.uppercased())" }

    package var url: String {
        get throws { try Servers.shared.variable(variable) }
    }

    package static var credentials: S3Credentials {
        get throws {
            S3Credentials(
                accessKey: try Servers.shared.variable("REELPOOL_TEST_S3_KEY"),
                secretKey: try Servers.shared.variable("REELPOOL_TEST_S3_SECRET"))
        }
    }

    /// - Parameter url: of something that stands between, such as a `FaultProxy`.
    package func endpoint(
        url: String? = nil, region: String = "us-east-1", style: S3Endpoint.Style = .path
    ) throws -> S3Endpoint {
        let text = try url ?? self.url
        guard let endpoint = S3Endpoint(url: text, region: region, style: style) else {
            throw CommandFailure(description: "\(text) is no store's URL")
        }
        return endpoint
    }

    package func client(
        url: String? = nil, region: String = "us-east-1", style: S3Endpoint.Style = .path,
        credentials: S3Credentials? = nil, settings: S3ClientSettings = S3ClientSettings(), authority: String? = nil
    ) throws -> S3Client {
        var http = HTTPClient.Settings(.open)
        http.authorityFile = authority
        return S3Client(
            endpoint: try endpoint(url: url, region: region, style: style),
            credentials: try credentials ?? Self.credentials, http: HTTPClient(http), settings: settings)
    }

    private static let made = Mutex<Set<ObjectStore>>([])

    /// One bucket for all tests, in which each has prefixes of its own: to make one takes SeaweedFS a moment.
    package func bucket() throws -> String {
        let name = "reelpool-tests"
        try Self.made.withLock { made in
            guard !made.contains(self) else { return }
            _ = try client().createBucket(name, stop: TransferStop())
            made.insert(self)
        }
        return name
    }

    /// Where no other test has anything.
    package func place(_ name: String = "object") throws -> S3Place {
        S3Place(bucket: try bucket(), key: "\(UUID().uuidString.lowercased())/\(name)")
    }
}
