internal import HTTPTransfer
package import Model
package import PoolConfig
package import S3

/// The store that settings name, for whoever has work there: daemons and the command line.
package struct StoreConnection: Sendable {
    package var endpoint: S3Endpoint
    /// For URLs that others are given.
    package var publicEndpoint: S3Endpoint
    package var credentials: S3Credentials
    private let authorityFile: String?
    private let userAgent: String

    package init(_ store: PoolSettings.ObjectStore, userAgent: String) throws(Failure) {
        let style: S3Endpoint.Style =
            switch store.style {
            case .path: .path
            case .virtual: .virtualHost
            }
        func endpoint(_ url: String, _ name: String) throws(Failure) -> S3Endpoint {
            if let endpoint = S3Endpoint(url: url, region: store.region, style: style) { return endpoint }
            throw Failure(
                code: .storageRefused,
                message: "\(name) is not the URL of a store: a scheme, a host, and nothing behind them")
        }
        self.endpoint = try endpoint(store.endpoint, "REELPOOL_S3_ENDPOINT")
        publicEndpoint = try endpoint(store.publicEndpoint ?? store.endpoint, "REELPOOL_S3_PUBLIC_ENDPOINT")
        credentials = S3Credentials(
            accessKey: store.accessKey, secretKey: store.secretKey, sessionToken: store.sessionToken)
        (authorityFile, self.userAgent) = (store.authorityFile, userAgent)
    }

    /// As people write it.
    package var url: String { endpoint.url }

    /// - Parameter keptConnections: that stay open when nothing is transferred.
    package func client(
        settings: S3ClientSettings = S3ClientSettings(), keptConnections: Int = 16
    ) -> S3Client {
        S3Client(
            endpoint: endpoint, credentials: credentials, http: http(keptConnections: keptConnections),
            settings: settings)
    }

    /// For requests that are not signed, or signed in their URL.
    func http(keptConnections: Int = 16) -> HTTPClient {
        var settings = HTTPClient.Settings(.open, userAgent: userAgent)
        settings.authorityFile = authorityFile
        settings.keptLanes = keptConnections
        return HTTPClient(settings)
    }
}
