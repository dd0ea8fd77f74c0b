internal import Model
internal import WorkerCore

// What follows for the money, and for what is on record of the work, from a job's end.

extension JobChange {
    /// With what the job cost, where something is held for it and it has ended. Nothing else ever settles a hold.
    func settled() -> JobChange {
        guard hasEnded, let hold = after.hold, let quote = after.job.quote else { return self }
        var change = self
        change.after.settlement = JobRow.settlementKey(hold: hold)
        change.after.job.charge = after.charge(quote)
        return change
    }
}

extension JobRow {
    /// The keys of entries say whose they are. An id may come again when its job has been pruned: the time tells them apart.
    static func holdKey(_ job: JobID, createdAt: StoreTime) -> String { "hold/\(job.text)/\(createdAt)" }
    fileprivate static func settlementKey(hold: String) -> String { "settle/" + hold.dropFirst("hold/".utf8.count) }

    /// A failure that is charged costs what was quoted: nobody measured how far it came.
    fileprivate func charge(_ quote: Quote) -> MicroCredits {
        switch job.state {
        case .succeeded: return quote.charge(milliseconds: Measured(result: job.result).mediaMilliseconds)
        case .failed, .cancelled, .dead:
            guard let failure = job.failure, charges.chargedFailures.contains(failure.category) else { return .zero }
            return quote.amount
        case .admitting, .scheduled, .waiting, .queued, .running: return .zero
        }
    }
}

/// What a result says of the work: the reports of renders, proxies and analyses, and what downloads tell.
struct Measured: Equatable {
    var mediaMilliseconds: Int64?
    var workMilliseconds: Int64?
    var outputBytes: Int64?
    var outputFrames: Int64?
    var outputWidth: Int64?
    var outputHeight: Int64?

    init(result: String?) {
        guard let result, let whole = try? JSONValue(parsing: result) else { return }
        // Downloads tell it themselves; else a report does, beside what was made.
        let json = whole["report"] ?? whole
        mediaMilliseconds =
            (json["duration_seconds"] ?? json["container"]?["duration_seconds"])?.doubleValue?
            .millisecondsRoundedUp
        workMilliseconds = json["elapsed_seconds"]?.doubleValue?.millisecondsRoundedUp
        outputBytes = Self.count(json["size_bytes"])
        outputFrames = Self.count(json["video"]?["frames"]) ?? Self.count(json["frames"])
        outputWidth = Self.count(json["video"]?["width"])
        outputHeight = Self.count(json["video"]?["height"])
    }

    private static func count(_ json: JSONValue?) -> Int64? {
        guard let count = json?.integerValue, count >= 0 else { return nil }
        return count
    }
}

extension JobChange {
    /// For `usage_events`: of every job that has ended, whoever pays for it.
    var measurements: [(metric: UsageEvent.Metric, quantity: Int64)] {
        guard hasEnded, after.job.kind != .noop else { return [] }
        var values: [(UsageEvent.Metric, Int64?)] = []
        if after.job.state == .succeeded {
            let measured = Measured(result: after.job.result)
            values = [
                (.mediaMilliseconds, measured.mediaMilliseconds), (.workMilliseconds, measured.workMilliseconds),
                (.outputBytes, measured.outputBytes), (.outputFrames, measured.outputFrames),
                (.outputWidth, measured.outputWidth), (.outputHeight, measured.outputHeight),
            ]
        }
        if let start = after.job.startedAt, let end = after.job.finishedAt {
            values.append((.jobMilliseconds, max(0, end - start)))
        }
        return values.compactMap { metric, quantity in quantity.map { (metric, $0) } }
    }
}
