internal import Foundation
package import WorkerCore

/// What workers without a database say to the control service and hear from it: JSON over HTTP, below `EdgeWire.root`.
///
/// Both sides may be of different versions: what one does not know of the other's members, it leaves alone.
package enum EdgeWire {
    package static let root = "/v1/edge"
    /// The longest that the service lets a worker wait for news: less than what proxies between them bear.
    package static let waitSeconds = 25.0
    /// How long a presigned URL is good for unless an operator says otherwise.
    package static let urlSeconds = 15 * 60
    /// The most part numbers in one request.
    package static let mostParts = 100
    /// Of a request or an answer: a batch of jobs with large payloads, or of endings with large results.
    package static let largestBytes = 64 << 20

    package static func encode(_ message: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.withoutEscapingSlashes]
        return Array(try encoder.encode(message))
    }

    package static func decode<Message: Decodable>(_ bytes: [UInt8]) throws -> Message {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Message.self, from: Data(bytes))
    }

    // MARK: Claims and leases

    package struct Claim: Codable, Sendable {
        package var worker: String
        package var instance: String
        package var kinds: [JobKind]
        package var limit: Int
        package var memoryBytes: Int64
        package var leaseSeconds: Double
        package var admits: Bool
        /// Leases that the worker knows of. What it holds besides came in an answer that it never saw, and comes again.
        package var holding: [Lease]

        package init(_ request: ClaimRequest, holding: [Lease]) {
            (worker, instance, kinds) = (request.worker, request.instance, request.kinds)
            (limit, memoryBytes) = (request.limit, request.memoryBytes)
            (leaseSeconds, admits, self.holding) = (request.leaseSeconds, request.admits, holding)
        }

        package var request: ClaimRequest {
            ClaimRequest(
                worker: worker, instance: instance, kinds: kinds, limit: limit, memoryBytes: memoryBytes,
                leaseSeconds: leaseSeconds, admits: admits)
        }
    }

    package struct Jobs: Codable, Sendable {
        package var jobs: [EdgeJob]
        package init(_ jobs: [JobRecord]) { self.jobs = jobs.map(EdgeJob.init) }
    }

    package struct Renewal: Codable, Sendable {
        package var worker: String
        package var leases: [Lease]
        package var seconds: Double
        package init(worker: String, leases: [Lease], seconds: Double) {
            (self.worker, self.leases, self.seconds) = (worker, leases, seconds)
        }
    }

    package struct Renewed: Codable, Sendable {
        package var lost: [Lease]
        package var cancelled: [Lease]

        package init(_ outcome: RenewOutcome) {
            (lost, cancelled) = (Array(outcome.lost), Array(outcome.cancelled))
        }

        package var outcome: RenewOutcome { RenewOutcome(lost: Set(lost), cancelled: Set(cancelled)) }
    }

    package struct Admitting: Codable, Sendable {
        package var lease: Lease
        package var costSeconds: Double
        package var memoryBytes: Int64
        /// Prices are the service's: the worker says only what there is. One of an earlier version says nothing.
        package var bound: MediaBound?

        package init(_ admission: Admission) {
            (lease, costSeconds, memoryBytes) = (admission.lease, admission.costSeconds, admission.memoryBytes)
            bound = admission.bound
        }

        package var admission: Admission {
            Admission(lease: lease, costSeconds: costSeconds, memoryBytes: memoryBytes, bound: bound)
        }
    }

    package struct Admitted: Codable, Sendable {
        package var counted: Bool
        package init(counted: Bool) { self.counted = counted }
    }

    /// What has become of a job.
    package struct Look: Codable, Sendable {
        package var job: JobID
        package init(job: JobID) { self.job = job }
    }

    package struct Seen: Codable, Sendable {
        package var job: EdgeJob?
        package init(_ job: JobRecord?) { self.job = job.map(EdgeJob.init) }
    }

    // MARK: Workers and news

    package struct Workers: Codable, Sendable {
        package var workers: [EdgeWorker]
        package init(_ workers: [WorkerRecord]) { self.workers = workers.map(EdgeWorker.init) }
    }

    package struct Released: Codable, Sendable {
        package var jobs: [JobID]
        package init(jobs: [JobID]) { self.jobs = jobs }
    }

    /// Waits until there is news since `seen`, or for a while.
    package struct Wait: Codable, Sendable {
        /// What the service called the latest news when it was last asked.
        package var seen: String?
        package init(seen: String?) { self.seen = seen }
    }

    package struct News: Codable, Sendable {
        package var latest: String
        package init(latest: String) { self.latest = latest }
    }

    package struct Progress: Codable, Sendable {
        package var worker: String
        package var updates: [ProgressUpdate]
        package init(worker: String, updates: [ProgressUpdate]) { (self.worker, self.updates) = (worker, updates) }
    }

    /// Where there is nothing to say.
    package struct Nothing: Codable, Sendable { package init() {} }
}
