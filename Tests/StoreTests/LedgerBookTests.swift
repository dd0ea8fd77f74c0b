import Model
import SQLStore
import Testing
import WorkerCore

/// What moves credit besides jobs.
// One at a time: each has connections of its own, and a server has so many.
@Suite("Owners' credit", .serialized)
struct LedgerBookTests {
    private func entered(_ outcome: LedgerOutcome) throws -> Int64 {
        guard case .entered(let seq) = outcome else {
            Issue.record("\(outcome)")
            return 0
        }
        return seq
    }

    @Test("is granted once for each key", arguments: StoreKind.databases)
    func grant(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let ledger = under.ledger
            let first = try entered(try await ledger.grant(5, to: "ann", key: "cs_1", note: "a payment"))
            #expect(try await ledger.grant(5, to: "ann", key: "cs_1", note: "again") == .already(first))
            #expect(try await ledger.grant(6, to: "ann", key: "cs_1", note: nil) == .keyTaken(first))
            #expect(try await ledger.grant(5, to: "bob", key: "cs_1", note: nil) == .keyTaken(first))
            #expect(try await ledger.grant(.zero, to: "ann", key: "x", note: nil) == .invalid)
            #expect(try await ledger.grant(1, to: "", key: "x", note: nil) == .invalid)
            #expect(try await ledger.grant(1, to: "ann", key: "", note: nil) == .invalid)
            #expect(
                try await ledger.grant(1, to: "ann", key: String(repeating: "k", count: 201), note: nil) == .invalid)
            _ = try entered(try await ledger.grant(.largest, to: "rich", key: "r", note: nil))
            #expect(try await ledger.grant(1, to: "rich", key: "s", note: nil) == .invalid, "beyond all bounds")
            #expect(try await under.credit() == "5 0")
            try await under.expectSound()
        }
    }

    @Test("is granted once, however many ask at once", arguments: StoreKind.databases)
    func grantTogether(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let other = SQLJobStore(try under.anotherDatabase(), policy: .test)
            let outcomes = try await withThrowingTaskGroup(of: LedgerOutcome.self) { group in
                for number in 0..<20 {
                    let ledger: any LedgerStore = number.isMultiple(of: 2) ? under.ledger : other
                    group.addTask { try await ledger.grant(5, to: "ann", key: "cs_\(number % 4)", note: nil) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let entered = outcomes.filter { if case .entered = $0 { true } else { false } }
            let already = outcomes.filter { if case .already = $0 { true } else { false } }
            #expect(entered.count == 4 && already.count == 16, "\(outcomes)")
            #expect(try await under.credit() == "20 0")
            try await under.expectSound()
            await other.close()
        }
    }

    @Test("is adjusted both ways, and never below nothing", arguments: StoreKind.databases)
    func adjust(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let ledger = under.ledger
            let minus = try #require(MicroCredits(text: "-2.5"))
            #expect(
                try await ledger.adjust("ann", by: minus, key: "a", note: nil) == .insufficientCredit(available: .zero))
            _ = try entered(try await ledger.adjust("ann", by: 4, key: "b", note: "a gift"))
            let down = try entered(try await ledger.adjust("ann", by: minus, key: "c", note: nil))
            #expect(try await ledger.adjust("ann", by: minus, key: "c", note: nil) == .already(down))
            #expect(try await ledger.adjust("ann", by: 1, key: "c", note: nil) == .keyTaken(down))
            #expect(try await under.credit() == "1.5 0")
            _ = try entered(try await ledger.reverse(down, amount: nil, key: "r", note: nil))
            #expect(try await under.credit() == "4 0")
            try await under.expectSound()
        }
    }

    @Test("is taken back in parts, and never more than was given", arguments: StoreKind.databases)
    func reverse(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind, .priced()) { under in
            let ledger = under.ledger
            let grant = try entered(try await ledger.grant(10, to: "ann", key: "cs_1", note: nil))
            let part = try entered(try await ledger.reverse(grant, amount: 4, key: "re_1", note: nil))
            #expect(try await ledger.reverse(grant, amount: 4, key: "re_1", note: nil) == .already(part))
            #expect(try await ledger.reverse(grant, amount: 5, key: "re_1", note: nil) == .keyTaken(part))
            #expect(try await ledger.reverse(grant, amount: 7, key: "re_2", note: nil) == .exceedsEntry(left: 6))
            let job = try await under.store.add(.paid(minutes: 2))
            #expect(
                try await ledger.reverse(grant, amount: nil, key: "re_2", note: nil)
                    == .insufficientCredit(available: 2), "what is spent cannot be taken back")
            _ = try await under.store.finish(try await under.store.claimOne(), .rendered(seconds: 60))
            // A charge is given back after the fact.
            let entries = try await ledger.entries(of: job)
            let capture = try #require(entries.first { $0.operation == .capture })
            _ = try entered(try await ledger.reverse(capture.seq, amount: nil, key: "sorry", note: "was black"))
            #expect(try await under.credit() == "6 0")
            let hold = try #require(entries.first { $0.operation == .hold })
            #expect(try await ledger.reverse(hold.seq, amount: nil, key: "x", note: nil) == .notReversible)
            #expect(try await ledger.reverse(part, amount: nil, key: "x", note: nil) == .notReversible)
            #expect(try await ledger.reverse(999_999, amount: nil, key: "x", note: nil) == .notReversible)
            _ = try entered(try await ledger.reverse(grant, amount: nil, key: "re_3", note: nil))
            #expect(try await ledger.reverse(grant, amount: nil, key: "re_4", note: nil) == .exceedsEntry(left: .zero))
            #expect(try await under.credit() == "0 0")
            try await under.expectSound()
        }
    }

    @Test("has a statement with what there was after each entry, in pages", arguments: StoreKind.databases)
    func statement(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind, .priced()) { under in
            try await under.grant(50)
            try await under.grant(1, to: "bob")
            for seconds in [60.0, 120, 600] {
                try await under.store.add(.paid(minutes: 3))
                _ = try await under.store.finish(try await under.store.claimOne(), .rendered(seconds: seconds))
            }
            try await under.store.add(.paid(minutes: 1))
            let all = try await under.ledger.statement(of: "ann", before: nil, limit: 100)
            #expect(
                all.map { "\($0.entry.operation.rawValue) \($0.balance.available) \($0.balance.held)" } == [
                    "hold 36 2", "capture 38 0", "hold 38 6", "release_rest 44 0", "capture 42 2", "hold 42 6",
                    "release_rest 48 0", "capture 44 4", "hold 44 6", "grant 50 0",
                ])
            var paged: [StatementLine] = []
            while case let page = try await under.ledger.statement(
                of: "ann", before: paged.last?.entry.seq, limit: 3), !page.isEmpty
            {
                paged += page
            }
            #expect(paged == all)
            #expect(try await under.ledger.statement(of: "eve", before: nil, limit: 9).isEmpty)
            #expect(try await under.ledger.statement(of: "", before: nil, limit: 9).isEmpty)
        }
    }

    @Test("goes on under a pseudonym when its owner is erased", arguments: StoreKind.databases)
    func erase(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind, .priced()) { under in
            let store = under.store
            try await under.grant(50)
            try await under.grant(5, to: "bob")
            let made = try await store.add(
                .paid(minutes: 3) {
                    ($0.payload, $0.reply, $0.requestID) = (#"{"source":"ann.mp4"}"#, "reply", "request")
                    ($0.progressRoute, $0.idempotencyKey) = ("route", "ann-1")
                })
            _ = try await store.finish(try await store.claimOne(), .rendered(seconds: 60))
            let failed = try await store.add(.paid(minutes: 3))
            _ = try await store.finish(
                try await store.claimOne(), .failed(Failure(code: .damagedMedia, message: "ann.mp4 is broken")))
            let live = try await store.add(.paid(minutes: 3))
            #expect(try await under.ledger.erase("ann") == .hasLiveJobs(1))
            #expect(try await under.credit() == "42 6")
            _ = try await store.cancel(live)
            guard case .erased(let pseudonym) = try await under.ledger.erase("ann") else {
                Issue.record("not erased")
                return
            }
            #expect(!pseudonym.contains("ann"))
            #expect(try await under.credit() == "0 0")
            #expect(try await under.credit(pseudonym) == "48 0")
            #expect(try await under.credit("bob") == "5 0")
            #expect(try await under.moves(made) == ["hold 6", "capture 2", "release_rest 4"])
            let job = try #require(try await store.job(made))
            #expect(job.owner == pseudonym && job.payload == "{}" && job.result == nil && job.charge == 2)
            #expect(job.reply == nil && job.requestID == nil && job.progressRoute == nil)
            #expect(try await store.job(failed)?.failure == Failure(code: .damagedMedia, message: "erased"))
            #expect(try await store.attempts(of: failed).allSatisfy { $0.failure == nil })
            #expect(try await store.takeNotices(limit: 9, seconds: 9).isEmpty)
            let usage = try await under.ledger.usage(from: 0, to: .max, after: 0, limit: 99)
            #expect(!usage.isEmpty && usage.allSatisfy { $0.owner == pseudonym })
            for (table, column) in [
                ("jobs", "owner"), ("accounts", "owner"), ("usage_events", "owner"), ("owner_shares", "owner"),
            ] {
                #expect(try await under.number("SELECT count(*) FROM \(table) WHERE \(column) = 'ann'") == 0)
            }
            #expect(try await under.ledger.erase("ann") == .unknownOwner)
            #expect(try await under.ledger.erase("") == .unknownOwner)
            // The name may come back, and finds nothing.
            #expect(
                try await store.insert([.paid(minutes: 1)]) == [
                    .insufficientCredit(needed: 2, available: .zero)
                ])
            try await under.expectSound()
        }
    }
}
