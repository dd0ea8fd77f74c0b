package import Model

/// The chunks that running renders are divided into: who encodes which, and which are there already.
///
/// A render stays one job with one lease; its worker offers the chunks, and whoever has time takes one. What was made
/// stays from one attempt to the next. A claim is bound to the attempt in which it was taken: when that is over, for
/// whatever reason, nothing can be written by it. Each function is one transaction.
package protocol ChunkBoard: Sendable {
    /// Puts an attempt's chunks on the board. What is there of the same digest stays as it is where it is done, and is
    /// free again where it is not; chunks of another digest are left over.
    ///
    /// - Returns: `false` when the lease is lost.
    func offerChunks(_ offer: ChunkOffer, for lease: Lease) async throws(StoreError) -> Bool
    /// Every chunk of a digest, by number.
    func chunks(of job: JobID, digest: String) async throws(StoreError) -> [ChunkRecord]
    /// Takes the attempt's next chunk, for the worker that has the lease: the longest that is free, or whose holder's
    /// time has run out.
    ///
    /// - Returns: `nil` when there is none at present, or the lease is lost.
    func takeChunk(
        of lease: Lease, digest: String, by taker: ChunkTaker
    ) async throws(StoreError) -> ChunkClaim?
    /// Takes a chunk of whichever render runs, and is not tried yet: one that failed or whose helper was lost is its own
    /// worker's.
    ///
    /// - Parameter memoryBytes: of no job that is predicted to need more.
    func takeAnyChunk(by taker: ChunkTaker, memoryBytes: Int64) async throws(StoreError) -> ChunkClaim?
    /// Prolongs a claim from now on, and notes how far it is.
    ///
    /// - Returns: `false` when it must stop: the attempt is over or to be cancelled, or another has taken the chunk.
    func renewChunk(_ claim: ChunkClaim, fraction: Double, seconds: Double) async throws(StoreError) -> Bool
    /// Says that the chunk's object is there; its upload goes off the record.
    ///
    /// - Returns: `false` when the claim is lost: what was written is somebody else's to remove.
    func finishChunk(_ claim: ChunkClaim, _ made: ChunkMade, uri: String) async throws(StoreError) -> Bool
    /// Frees a chunk that was not finished.
    ///
    /// - Parameter failure: `nil` when nothing was wrong: then it does not count as a try.
    func giveUpChunk(_ claim: ChunkClaim, failure: Failure?) async throws(StoreError)
    /// Frees chunks that are done, and whose objects are not there any more.
    func reopenChunks(of lease: Lease, digest: String, numbers: [Int]) async throws(StoreError)
    /// Chunks whose job has ended or is gone, or is divided in another way now, and that nobody holds: at most `limit`,
    /// oldest first. What may be there under their names is to be removed, and then they are to be forgotten.
    func leftChunks(limit: Int) async throws(StoreError) -> [LeftChunk]
    /// Strikes off those that are still left.
    func forgetChunks(_ chunks: [LeftChunk]) async throws(StoreError)
}

/// A render's chunks, for everybody who can help.
package struct ChunkOffer: Sendable, Equatable {
    package var division: ChunkDivision
    /// Where the chunks' objects go: each has its number for a name.
    package var folder: String
    /// That their processes are to have; how many there are may show in the bytes.
    package var threads: Int
    /// Aimed at: part of what the digest is of.
    package var secondsPerChunk: Int

    package init(division: ChunkDivision, folder: String, threads: Int, secondsPerChunk: Int) {
        (self.division, self.folder, self.threads) = (division, folder, threads)
        self.secondsPerChunk = secondsPerChunk
    }
}

package struct ChunkTaker: Sendable, Equatable {
    package var worker: String
    /// As in `WorkerRecord.instance`.
    package var instance: String
    /// How long a claim lasts without a renewal.
    package var seconds: Double

    package init(worker: String, instance: String, seconds: Double) {
        (self.worker, self.instance, self.seconds) = (worker, instance, seconds)
    }
}

/// The right to make one chunk, until its time is over.
package struct ChunkClaim: Sendable, Equatable {
    /// As it was when the chunk was taken; its epoch is the attempt that the claim is bound to.
    package var job: JobRecord
    package var offer: ChunkOffer
    package var number: Int
    package var taker: ChunkTaker
    /// Goes up whenever the chunk is taken.
    package var turn: Int64
    /// How often it was tried, this time included.
    package var tries: Int
    /// Why it was given up last.
    package var failure: Failure?

    package init(
        job: JobRecord, offer: ChunkOffer, number: Int, taker: ChunkTaker, turn: Int64, tries: Int, failure: Failure?
    ) {
        (self.job, self.offer, self.number, self.taker) = (job, offer, number, taker)
        (self.turn, self.tries, self.failure) = (turn, tries, failure)
    }

    package var lease: Lease { Lease(job: job.id, epoch: job.epoch) }
    package var digest: String { offer.division.digest }
    /// About.
    package var frames: Int {
        let weights = offer.division.weights
        return weights.indices.contains(number) ? weights[number] : 1
    }
}

/// One chunk as it stands on the board.
package struct ChunkRecord: Sendable, Equatable {
    package enum State: String, Sendable { case free, taken, done }

    package var number: Int
    package var state: State
    /// How much work it is, about: `made` says how many frames there are.
    package var frames: Int
    /// Of a chunk that is taken, how much of it was done at its last renewal: 0 to 1.
    package var fraction: Double
    /// Who has it, or made it.
    package var worker: String?
    package var instance: String?
    package var tries: Int
    package var failure: Failure?
    package var made: ChunkMade?
    package var uri: String?

    package init(number: Int, state: State, frames: Int) {
        (self.number, self.state, self.frames) = (number, state, frames)
        (fraction, tries) = (0, 0)
    }
}

package struct LeftChunk: Sendable, Hashable {
    package var job: JobID
    package var digest: String
    package var number: Int
    package var folder: String

    package init(job: JobID, digest: String, number: Int, folder: String) {
        (self.job, self.digest, self.number, self.folder) = (job, digest, number, folder)
    }
}
