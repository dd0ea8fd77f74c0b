package import HTTPTransfer
internal import Model
package import PoolConfig
package import S3

/// Looks whether a store does what a pool needs of it, by doing it: in each bucket, below a folder of its own, of which
/// nothing stays.
package struct StoreCheck: Sendable {
    /// What stores let pass. Source: AWS, "Authenticating Requests": requests are good for 15 minutes; a third of that
    /// is worth a word.
    private static let mostSkewSeconds = 300.0

    let connection: StoreConnection
    let settings: S3ClientSettings
    private let store: PoolSettings.ObjectStore
    /// Names the folder.
    private let run: String

    /// - Parameters:
    ///   - run: distinguishes this look from others at the same time.
    ///   - clock: of this machine.
    package init(
        _ connection: StoreConnection, _ store: PoolSettings.ObjectStore, run: String, clock: S3Clock = .system
    ) {
        (self.connection, self.store, self.run) = (connection, store, run)
        settings = Self.settings(clock)
    }

    /// Somebody waits for the answer.
    private static func settings(_ clock: S3Clock) -> S3ClientSettings {
        var settings = S3ClientSettings()
        settings.tries = 2
        settings.totalSeconds = 30
        settings.completeSeconds = 120
        settings.connectSeconds = 5
        settings.stallSeconds = 15
        settings.clock = clock
        return settings
    }

    /// Blocks.
    package func run(stop: TransferStop) -> CheckReport {
        var report = CheckReport(
            endpoint: connection.endpoint.url, region: connection.endpoint.region,
            style: connection.endpoint.style.rawValue,
            buckets: store.namedBuckets.map { CheckReport.Bucket(name: $0.name, bucket: $0.bucket) })
        let stopwatch = Stopwatch(settings.clock)
        var date: Int64?
        let address = stopwatch.line(.address, nil) { date = try answerDate(stop) }
        report.lines.append(address)
        guard address.outcome == .right else { return report }
        report.lines.append(stopwatch.line(.clock, nil) { try compareClocks(date) })
        let client = connection.client(settings: settings)
        for (name, bucket) in store.namedBuckets {
            let check = BucketCheck(
                name: name, folder: S3Place(bucket: bucket, key: "reelpool-check/\(run)"), client: client,
                publicEndpoint: connection.publicEndpoint,
                http: connection.http(), origins: store.browserOrigins, diagnosis: Diagnosis(self), stop: stop)
            report.lines += check.run(stopwatch)
        }
        if report.buckets.isEmpty {
            report.lines.append(
                CheckReport.Line(
                    check: .access, name: nil, outcome: .wrong, milliseconds: 0, note: "there is no bucket to look at",
                    fix: "set REELPOOL_S3_BUCKET_RAW, _EXPORTS and _ASSETS"))
        }
        return report
    }

    /// Any answer will do: it need not let anybody in.
    private func answerDate(_ stop: TransferStop) throws -> Int64? {
        do {
            return try ask(connection.endpoint.url, stop).head.date
        } catch let error as TransferError {
            throw Diagnosis(self).problem(of: error, stop)
        }
    }

    /// Without a signature.
    func ask(_ url: String, _ stop: TransferStop) throws -> TransferResponse {
        var request = TransferRequest("GET", try WebAddress(url + "/"))
        request.limits.connectSeconds = settings.connectSeconds
        request.limits.totalSeconds = 15
        return try connection.http().perform(request, into: .collect(upTo: 1 << 20), stop: stop)
    }

    private func compareClocks(_ date: Int64?) throws {
        guard let date else { throw CheckProblem.skipped("the store does not say what time it is") }
        let ahead = settings.clock.wallSeconds() - Double(date)
        guard abs(ahead) > Self.mostSkewSeconds else { return }
        let minutes = Int((abs(ahead) / 60).rounded())
        throw CheckProblem.wrong(
            "this machine's clock is \(minutes) minutes \(ahead > 0 ? "ahead of" : "behind") the store's",
            fix: "set it by the network's time: `timedatectl set-ntp true`, or chrony; in a container, on its host")
    }
}

/// Measures checks and turns what they throw into lines.
struct Stopwatch {
    private let clock: S3Clock

    init(_ clock: S3Clock) { self.clock = clock }

    func line(
        _ check: CheckReport.Check, _ name: String?, explain: (S3Error) -> CheckProblem = Diagnosis.plain,
        _ body: () throws -> Void
    ) -> CheckReport.Line {
        let start = clock.steadySeconds()
        var problem: CheckProblem?
        do {
            try body()
        } catch let error as CheckProblem {
            problem = error
        } catch let error as S3Error {
            problem = explain(error)
        } catch {
            let failure = Failure(error)
            problem = .wrong([failure.message, failure.detail].compactMap(\.self).joined(separator: ": "))
        }
        let milliseconds = ((clock.steadySeconds() - start) * 10_000).rounded() / 10
        return CheckReport.Line(
            check: check, name: name, outcome: problem?.outcome ?? .right, milliseconds: milliseconds,
            note: problem?.note, fix: problem?.fix)
    }
}
