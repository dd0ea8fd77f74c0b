import Model
import SQLStore
import Testing
import WorkerCore

@Suite("Uploads")
struct UploadTests {
    private static let place = "s3://exports/p/out.mp4"

    /// What is on record, as text that is quickly compared: `epoch place id etag`.
    private static func shown(_ records: [UploadRecord]) -> [String] {
        records.map { "\($0.lease.epoch) \($0.uri) \($0.uploadID ?? "-") \($0.etag ?? "-")" }
    }

    /// Begins, names and seals.
    private static func complete(
        _ uri: String, _ name: String, for job: JobRecord, in store: any JobStore
    ) async throws {
        #expect(try await store.beginUpload(uri, for: job.lease))
        #expect(try await store.nameUpload(uri, name, for: job.lease))
        #expect(try await store.sealUpload(uri, etag: "e-\(name)", for: job.lease))
    }

    private static func isFenced(_ lease: Lease, in store: any JobStore) async throws -> Bool {
        let answers = [
            try await store.beginUpload("s3://exports/other", for: lease),
            try await store.nameUpload(place, "late", for: lease),
            try await store.sealUpload(place, etag: "late", for: lease),
        ]
        return answers == [false, false, false]
    }

    @Test("are on record step by step, and struck off", arguments: StoreKind.available)
    func steps(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let store = under.store
            let before = try await store.now()
            let id = try await store.add(.new())
            let lease = try await store.claimOne().lease
            #expect(try await store.uploads(of: id).isEmpty)
            #expect(try await store.beginUpload(Self.place, for: lease))
            let intent = try #require(try await store.uploads(of: id).first)
            #expect(intent == UploadRecord(lease: lease, uri: Self.place, begunAt: intent.begunAt))
            #expect(try await (before...store.now()).contains(intent.begunAt))
            #expect(try await store.nameUpload(Self.place, "u1", for: lease))
            #expect(try await store.sealUpload(Self.place, etag: "e1", for: lease))
            #expect(try await store.beginUpload("s3://exports/p/poster \u{e9}.jpg", for: lease))
            #expect(
                Self.shown(try await store.uploads(of: id)) == [
                    "1 \(Self.place) u1 e1", "1 s3://exports/p/poster \u{e9}.jpg - -",
                ])
            #expect(try await store.leftUploads(limit: 9).isEmpty, "its attempt runs")
            try await store.forgetUploads(lease, uris: ["s3://exports/none", Self.place])
            try await store.forgetUploads(lease, uris: [])
            #expect(try await store.uploads(of: id).map(\.uri) == ["s3://exports/p/poster \u{e9}.jpg"])
        }
    }

    @Test("of one attempt are one for each place, and no name is lost", arguments: StoreKind.available)
    func once(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let store = under.store
            let id = try await store.add(.new())
            let lease = try await store.claimOne().lease
            #expect(try await store.nameUpload(Self.place, "u1", for: lease) == false, "it was never begun")
            #expect(try await store.sealUpload(Self.place, etag: "e1", for: lease) == false)
            for _ in 0..<2 { #expect(try await store.beginUpload(Self.place, for: lease)) }
            for _ in 0..<2 { #expect(try await store.nameUpload(Self.place, "u1", for: lease)) }
            #expect(try await store.beginUpload(Self.place, for: lease))
            #expect(try await store.nameUpload(Self.place, "u2", for: lease) == false, "u1 is to be ended first")
            #expect(Self.shown(try await store.uploads(of: id)) == ["1 \(Self.place) u1 -"])
            try await store.forgetUploads(lease, uris: [Self.place])
            #expect(try await store.beginUpload(Self.place, for: lease))
            #expect(try await store.nameUpload(Self.place, "u2", for: lease))
        }
    }

    @Test("of an attempt that another has followed change nothing", arguments: StoreKind.available)
    func staleEpoch(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let store = under.store
            let id = try await store.add(.new { $0.maxAttempts = 9 })
            let first = try await store.claimOne()
            try await Self.complete(Self.place, "u1", for: first, in: store)
            _ = try await store.finish(first, .interrupted(.drained))
            let second = try await store.claimOne(worker: "w2")
            #expect(try await Self.isFenced(first.lease, in: store))
            #expect(try await Self.isFenced(Lease(job: id, epoch: 3), in: store), "nor of one that is to come")
            #expect(try await Self.isFenced(Lease(job: .new(), epoch: 1), in: store))
            try await Self.complete(Self.place, "u2", for: second, in: store)
            #expect(
                Self.shown(try await store.uploads(of: id)) == ["1 \(Self.place) u1 e-u1", "2 \(Self.place) u2 e-u2"])
            #expect(Self.shown(try await store.leftUploads(limit: 9)) == ["1 \(Self.place) u1 e-u1"])
            try await store.forgetUploads(first.lease, uris: [Self.place])
            #expect(Self.shown(try await store.uploads(of: id)) == ["2 \(Self.place) u2 e-u2"])
        }
    }

    @Test("of a lease that ran out are refused before anybody has noticed", arguments: StoreKind.available)
    func lostLease(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let store = under.store
            _ = try await store.add(.new { $0.maxAttempts = 9 })
            let job = try await store.claimOne()
            try await Self.complete(Self.place, "u1", for: job, in: store)
            try await under.advance(seconds: 31)
            #expect(try await Self.isFenced(job.lease, in: store))
            #expect(try await store.leftUploads(limit: 9).isEmpty, "whoever sweeps the job decides")
            _ = try await store.sweep()
            #expect(try await Self.isFenced(job.lease, in: store))
            #expect(try await store.leftUploads(limit: 9).map(\.uri) == [Self.place])
        }
    }

    @Test("of a lease that was renewed in time go on", arguments: StoreKind.available)
    func renewed(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let store = under.store
            _ = try await store.add(.new())
            let job = try await store.claimOne()
            #expect(try await store.beginUpload(Self.place, for: job.lease))
            try await under.advance(seconds: 31)
            #expect(try await store.nameUpload(Self.place, "u1", for: job.lease) == false)
            #expect(try await store.renew([job.lease], worker: "w1", seconds: 30) == RenewOutcome())
            #expect(try await store.nameUpload(Self.place, "u1", for: job.lease))
        }
    }

    @Test("of jobs that end without success are left, whatever the end", arguments: StoreKind.available)
    func otherEnds(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let store = under.store
            let outcomes: [AttemptEnding.Outcome] = [
                .failed(.broken), .dead(.broken), .interrupted(.drained), .cancelled(.stopped),
                .retry(.away, afterSeconds: 9, avoidingWorker: false, overflow: nil),
            ]
            for outcome in outcomes {
                let id = try await store.add(.new())
                let job = try await store.claimOne(worker: "w1")
                #expect(job.id == id)
                if case .cancelled = outcome {
                    #expect(try await store.cancel(id) == .requested(worker: "w1"))
                }
                // Asked to stop, it may still finish what it does: a success would win.
                try await Self.complete(Self.place, "u1", for: job, in: store)
                _ = try await store.finish(job, outcome)
                #expect(try await Self.isFenced(job.lease, in: store), "\(outcome)")
                let left = try await store.leftUploads(limit: 9)
                #expect(left.map(\.lease) == [job.lease] && left.first?.etag == "e-u1", "\(outcome)")
                try await store.forgetUploads(job.lease, uris: left.map(\.uri))
                #expect(try await store.leftUploads(limit: 9).isEmpty)
                _ = try await store.cancel(id)
            }
        }
    }

    @Test("of an attempt that only looks are refused", arguments: StoreKind.available)
    func admitting(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            _ = try await under.store.add(.new { $0.needsAdmission = true })
            let job = try await under.store.claimOne(admits: true)
            #expect(try await Self.isFenced(job.lease, in: under.store))
        }
    }

    @Test("of an attempt that succeeds are off the record with its end", arguments: StoreKind.available)
    func success(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let store = under.store
            _ = try await store.insert((0..<40).map { .new(owner: "o\($0)") })
            // On a disk that has much to do, what follows takes a while.
            let jobs = try await store.claim(40, leaseSeconds: 900)
            for job in jobs {
                for name in ["a", "b"] {
                    try await Self.complete("s3://exports/\(job.id)/\(name)", name, for: job, in: store)
                }
            }
            // The worker dies right after this.
            let endings = jobs.enumerated().map { number, job in
                AttemptEnding(lease: job.lease, outcome: number % 4 == 0 ? .failed(.broken) : .succeeded("{}"))
            }
            _ = try await store.finish(endings, worker: "w1")
            let failed = jobs.enumerated().filter { $0.offset % 4 == 0 }.map(\.element.lease)
            let left = try await store.leftUploads(limit: 1000)
            #expect(Set(left.map(\.lease)) == Set(failed) && left.count == 2 * failed.count)
            #expect(try await under.number("SELECT count(*) FROM uploads") == left.count)
            #expect(try await Self.isFenced(jobs[1].lease, in: store))
        }
    }

    @Test(
        "that an earlier attempt left are not taken for the result, though they be the same bytes",
        arguments: StoreKind.available)
    func replaced(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let store = under.store
            let id = try await store.add(.new { $0.maxAttempts = 9 })
            let first = try await store.claimOne()
            for uri in [Self.place, "s3://exports/p/poster.jpg"] {
                try await Self.complete(uri, "u1", for: first, in: store)
            }
            _ = try await store.finish(first, .interrupted(.drained))
            let second = try await store.claimOne()
            // One place again, with bytes that have the same ETag, and not the other.
            #expect(try await store.beginUpload(Self.place, for: second.lease))
            #expect(try await store.nameUpload(Self.place, "u2", for: second.lease))
            #expect(try await store.sealUpload(Self.place, etag: "e-u1", for: second.lease))
            #expect(try await store.finish(second, .succeeded("{}")) == .accepted(.succeeded))
            let expected = ["1 \(Self.place) u1 -", "1 s3://exports/p/poster.jpg u1 e-u1"]
            #expect(Self.shown(try await store.leftUploads(limit: 9)) == expected)
            #expect(Self.shown(try await store.uploads(of: id)) == expected)
        }
    }

    @Test("left over come oldest first, so many at a time", arguments: StoreKind.available)
    func order(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let store = under.store
            _ = try await store.insert((0..<6).map { .new(owner: "o\($0)") })
            let jobs = try await store.claim(6)
            for job in jobs { #expect(try await store.beginUpload("s3://exports/\(job.id)", for: job.lease)) }
            // The third runs on.
            for job in jobs where job.id != jobs[2].id { _ = try await store.finish(job, .failed(.broken)) }
            let expected = jobs.filter { $0.id != jobs[2].id }.map(\.lease)
            #expect(try await store.leftUploads(limit: 3).map(\.lease) == Array(expected.prefix(3)))
            #expect(try await store.leftUploads(limit: 99).map(\.lease) == expected)
            #expect(try await store.leftUploads(limit: 0).isEmpty)
        }
    }

    @Test("left over stay on record when their job is pruned", arguments: StoreKind.available)
    func pruned(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let store = under.store
            let id = try await store.add(.new())
            let job = try await store.claimOne()
            try await Self.complete(Self.place, "u1", for: job, in: store)
            _ = try await store.finish(job, .failed(.broken))
            try await under.advance(seconds: 100)
            #expect(try await store.prune(finishedBefore: .init(succeededSeconds: 1, otherSeconds: 1), limit: 9) == 1)
            #expect(try await store.job(id) == nil)
            #expect(Self.shown(try await store.leftUploads(limit: 9)) == ["1 \(Self.place) u1 e-u1"])
            #expect(try await Self.isFenced(job.lease, in: store))
            try await store.forgetUploads(job.lease, uris: [Self.place])
            #expect(try await store.leftUploads(limit: 9).isEmpty)
        }
    }

    @Test("are recorded before the next attempt begins or not at all", arguments: StoreKind.available)
    func race(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let other = try under.another()
            for round in 0..<12 {
                let id = try await under.store.add(.new { $0.maxAttempts = 9 })
                let job = try await under.store.claimOne()
                let store = under.store
                async let begun = (0..<8).asyncMap { try await other.beginUpload("s3://exports/\($0)", for: job.lease) }
                let (lost, seen) = try await Self.follow(job, in: store)
                let answers = try await begun
                #expect(answers == answers.sorted { $0 && !$1 }, "round \(round): once lost, always lost")
                // What the next attempt saw when it began is all there will ever be of the earlier one.
                #expect(seen == answers.filter { $0 }.count, "round \(round)")
                #expect(try await store.uploads(of: id).count == seen)
                _ = try await store.finish(lost, .failed(.broken), worker: "w2")
            }
            await other.close()
        }
    }

    /// Another worker takes the job over, and looks at what there is.
    private static func follow(_ job: JobRecord, in store: any JobStore) async throws -> (JobRecord, Int) {
        _ = try await store.finish(job, .interrupted(.drained))
        // A claim passes over what somebody holds at that very moment.
        var claimed: JobRecord?
        while claimed == nil { claimed = try await store.claim(1, worker: "w2").first }
        let next = try #require(claimed)
        #expect(next.id == job.id && next.epoch == job.epoch + 1)
        return (next, try await store.uploads(of: job.id).count)
    }
}
