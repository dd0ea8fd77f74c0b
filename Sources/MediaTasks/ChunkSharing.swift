internal import Model
package import WorkerCore

/// How renders are divided here, and where their chunks are on the board.
package struct ChunkSharing: Sendable {
    package var board: any ChunkBoard
    package var worker: String
    package var instance: String
    /// Aimed at.
    package var secondsPerChunk: Int
    /// Of a programme that is worth dividing: what a stop may cost of a shorter one is not worth the objects.
    package var leastSeconds = 120.0
    /// How long a chunk is held without a renewal.
    package var leaseSeconds = 15.0
    /// Between two renewals: a helper hears so that it is to stop.
    package var renewSeconds = 2.0

    package init(board: any ChunkBoard, worker: String, instance: String, secondsPerChunk: Int, leaseSeconds: Double) {
        (self.board, self.worker, self.instance) = (board, worker, instance)
        (self.secondsPerChunk, self.leaseSeconds) = (secondsPerChunk, leaseSeconds)
        renewSeconds = min(2, leaseSeconds / 4)
    }

    /// Asks the board until it answers, or the work is to stop: a store that is away for a moment must not cost a chunk.
    func ask<Value: Sendable>(
        _ stop: StopSwitch, _ question: (any ChunkBoard) async throws -> Value
    ) async throws -> Value {
        while true {
            do { return try await question(board) } catch {
                guard Failure(error).code == .storeUnavailable, stop.reason == nil,
                    await SystemClock().sleep(seconds: Self.askAgainSeconds)
                else { throw error }
            }
        }
    }

    private static let askAgainSeconds = 0.5

    var taker: ChunkTaker { ChunkTaker(worker: worker, instance: instance, seconds: leaseSeconds) }

    /// Where an output's chunks go. The job is in the name: another one with the same output removes only its own.
    static func folder(of output: String, job: JobID, digest: String) -> String {
        "\(output).chunks/\(job)/\(digest)"
    }
}
