/// The books: who has how much credit, what is held for jobs, and every movement that there ever was.
///
/// Kept in the same database as the jobs, and by the same transactions. A movement is one row that takes from one account
/// and gives to another, so that the books always sum to zero; nothing of it is ever changed or deleted. A key makes a
/// movement happen once: whoever repeats a call with the same key and the same amount hears `.already`.
package protocol LedgerStore: Sendable {
    /// Gives an owner credit.
    ///
    /// - Parameters:
    ///   - key: what makes this grant itself, such as a payment's id; at most 200 characters.
    ///   - note: for people who read the statement.
    func grant(
        _ amount: MicroCredits, to owner: String, key: String, note: String?
    ) async throws(StoreError) -> LedgerOutcome
    /// Corrects an owner's credit by hand, up or down.
    func adjust(
        _ owner: String, by amount: MicroCredits, key: String, note: String?
    ) async throws(StoreError) -> LedgerOutcome
    /// Takes a grant, an adjustment or a capture back, whole or in part; never more than it was.
    ///
    /// - Parameter amount: `nil` for what is left of it.
    func reverse(
        _ entry: Int64, amount: MicroCredits?, key: String, note: String?
    ) async throws(StoreError) -> LedgerOutcome

    /// Of an owner that is not known: nothing.
    func balance(of owner: String) async throws(StoreError) -> CreditBalance
    /// What moved an owner's credit, newest first, with what there was after it.
    ///
    /// - Parameter before: only entries older than this one.
    func statement(
        of owner: String, before: Int64?, limit: Int
    ) async throws(StoreError) -> [StatementLine]
    /// All entries of a job, in order; also of one that has been pruned.
    func entries(of job: JobID) async throws(StoreError) -> [LedgerEntry]

    /// Reads all books, and names the first thing that is wrong with them; `nil` when nothing is. Takes as long as there
    /// are entries.
    func verify() async throws(StoreError) -> LedgerFault?

    /// What was measured between two times, in order, a page at a time.
    ///
    /// - Parameter after: the last `UsageEvent.seq` of the page before; 0 for the first.
    func usage(
        from: StoreTime, to: StoreTime, after: Int64, limit: Int
    ) async throws(StoreError) -> [UsageEvent]

    /// Puts a pseudonym that leads nowhere in an owner's place everywhere, and empties what his jobs were about. Not while
    /// one of them has not ended.
    func erase(_ owner: String) async throws(StoreError) -> ErasureOutcome
}

package enum LedgerOutcome: Sendable, Equatable {
    /// With the entry's number.
    case entered(Int64)
    /// The same was entered before under this key.
    case already(Int64)
    /// Another movement has this key.
    case keyTaken(Int64)
    /// The owner has no more than this that is free.
    case insufficientCredit(available: MicroCredits)
    /// There is no such entry, or it is of a sort that is not reversed.
    case notReversible
    /// The entry was reversed before, but for so much.
    case exceedsEntry(left: MicroCredits)
    /// The amount is nothing, or has the wrong sign; or the owner or the key is empty or too long.
    case invalid
}

package struct CreditBalance: Sendable, Equatable {
    /// Free to be spent.
    package var available: MicroCredits
    /// Set aside for jobs that have not ended.
    package var held: MicroCredits

    package init(available: MicroCredits, held: MicroCredits) { (self.available, self.held) = (available, held) }
}

/// What a movement is for. Its two accounts follow from it.
package enum LedgerOperation: String, Sendable, Codable, CaseIterable {
    /// From what was issued to an owner's available credit.
    case grant
    /// Available to held: a job comes in.
    case hold
    /// Held to revenue: the job is charged.
    case capture
    /// Held to available: it is not.
    case release
    /// Held to available: what a capture left of the hold.
    case releaseRest = "release_rest"
    /// A grant, an adjustment or a capture backwards.
    case reversal
    /// Between available credit and the adjustments' account, either way.
    case adjust
}

/// Between which an entry moves credit. The last three are nobody's, and are summed from their entries.
package enum AccountKind: String, Sendable, Codable, CaseIterable {
    case available, held, revenue, issued, adjust

    package var isOwners: Bool { self == .available || self == .held }
}

package struct LedgerEntry: Sendable, Equatable {
    /// Its number: later entries of an owner have higher ones.
    package var seq: Int64
    package var key: String
    package var operation: LedgerOperation
    package var from: AccountKind
    package var to: AccountKind
    package var amount: MicroCredits
    package var job: JobID?
    /// The hold that it settles.
    package var settles: Int64?
    /// The entry that it reverses.
    package var reverses: Int64?
    package var note: String?
    package var at: StoreTime

    package init(
        seq: Int64, key: String, operation: LedgerOperation, from: AccountKind, to: AccountKind, amount: MicroCredits,
        job: JobID?, settles: Int64?, reverses: Int64?, note: String?, at: StoreTime
    ) {
        (self.seq, self.key, self.operation, self.from, self.to) = (seq, key, operation, from, to)
        (self.amount, self.job, self.settles, self.reverses) = (amount, job, settles, reverses)
        (self.note, self.at) = (note, at)
    }
}

/// An entry as its owner sees it.
package struct StatementLine: Sendable, Equatable {
    package var entry: LedgerEntry
    /// When it had been entered.
    package var balance: CreditBalance

    package init(entry: LedgerEntry, balance: CreditBalance) { (self.entry, self.balance) = (entry, balance) }
}

/// A rule of the books that does not hold, and where.
package struct LedgerFault: Sendable, Equatable {
    /// In words: what should be and is not.
    package var rule: String
    /// The first row that breaks it: an entry's number, a job's id, an account's.
    package var row: String

    package init(rule: String, row: String) { (self.rule, self.row) = (rule, row) }
}

/// Something measured about a job; never money.
package struct UsageEvent: Sendable, Equatable {
    package enum Metric: String, Sendable, Codable, CaseIterable {
        /// Of media made, or read where nothing is made.
        case mediaMilliseconds = "media_milliseconds"
        /// Spent on it by the attempt that succeeded, as it measured itself.
        case workMilliseconds = "work_milliseconds"
        /// From the first attempt's start to the end, by the store's clock.
        case jobMilliseconds = "job_milliseconds"
        case outputBytes = "output_bytes"
        case outputFrames = "output_frames"
        case outputWidth = "output_width"
        case outputHeight = "output_height"
    }

    package var seq: Int64
    package var job: JobID
    package var epoch: Int64
    package var owner: String
    package var kind: JobKind
    package var metric: Metric
    package var quantity: Int64
    package var at: StoreTime

    package init(
        seq: Int64, job: JobID, epoch: Int64, owner: String, kind: JobKind, metric: Metric, quantity: Int64,
        at: StoreTime
    ) {
        (self.seq, self.job, self.epoch, self.owner, self.kind) = (seq, job, epoch, owner, kind)
        (self.metric, self.quantity, self.at) = (metric, quantity, at)
    }
}

package enum ErasureOutcome: Sendable, Equatable {
    /// Under this name the books go on.
    case erased(pseudonym: String)
    /// So many of the owner's jobs have not ended.
    case hasLiveJobs(Int)
    case unknownOwner
}
