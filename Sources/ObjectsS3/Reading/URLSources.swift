package import HTTPTransfer
package import Model
package import WorkerCore

/// Sources that tasks name by URLs, presigned ones among them.
package struct URLSources: Sendable {
    private let client: HTTPClient
    private let now: @Sendable () -> StoreTime

    /// - Parameters:
    ///   - client: guarded, because strangers name the URLs.
    ///   - now: the time of day, in milliseconds since 1970.
    package init(_ client: HTTPClient, now: @escaping @Sendable () -> StoreTime) {
        (self.client, self.now) = (client, now)
    }

    package static func isURL(_ uri: String) -> Bool {
        let start = uri.prefix(8).lowercased()
        return start.hasPrefix("http://") || start == "https://"
    }

    package func open(_ uri: String, _ context: JobContext) throws(Failure) -> RangedSource {
        let address: WebAddress
        do throws(TransferError) {
            address = try WebAddress(uri)
        } catch {
            throw Failure(error)
        }
        let ranges = HTTPRanges(client, address, now: now)
        return try RangedSource(ranges, pool: context.pool, interruption: context.interruption)
    }
}
