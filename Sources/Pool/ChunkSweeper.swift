internal import Logging
internal import Model
internal import WorkerCore

/// Removes the chunks of renders that have ended, or are divided in another way by now: their objects, then their records.
struct ChunkSweeper: Sendable {
    /// At a time.
    private static let limit = 1000
    private static let pauseSeconds = 2.0

    let objects: any MediaObjects
    let board: any ChunkBoard
    let log: Logger

    func run() async {
        let interruption = Interruption()
        let objects = objects.heeding(interruption, for: nil)
        await withTaskCancellationHandler {
            while !Task.isCancelled {
                do { try await sweep(objects) } catch {
                    if !Task.isCancelled { log.warning("removing chunks failed", metadata: ["error": "\(error)"]) }
                }
                try? await Task.sleep(for: .seconds(Self.pauseSeconds))
            }
        } onCancel: {
            // A store that is away must not hold up the end of the process.
            interruption.raise()
        }
    }

    private func sweep(_ objects: any MediaObjects) async throws {
        let left = try await board.leftChunks(limit: Self.limit)
        guard !left.isEmpty else { return }
        let (removed, failure) = await OwnThread.run(named: "reelpool.files") { Self.remove(left, objects) }
        try await board.forgetChunks(removed)
        if let failure { throw failure }
    }

    /// - Returns: those that are not there any more, and why others may be. What is out of this daemon's reach is for one
    ///   that has made it.
    private static func remove(
        _ chunks: [LeftChunk], _ objects: any MediaObjects
    ) -> (removed: [LeftChunk], failure: Failure?) {
        var removed: [LeftChunk] = []
        var first: Failure?
        for chunk in chunks {
            do throws(Failure) {
                try objects.removeKept(chunk.folder, name: "\(chunk.number)")
                removed.append(chunk)
            } catch {
                if error.code != .sourceNotAllowed { first = first ?? error }
            }
        }
        return (removed, first)
    }
}
