import Model
import Testing

@testable import reelpool

@Suite("What is shown of a job that is watched")
struct WatchBoardTests {
    private var board = WatchBoard(ids: ["0123456789"])

    private var text: String { board.rows[0].text(withBar: false) }

    private mutating func job(_ state: String) {
        board.take(.job(0, JobAnswer(["kind": "render", "state": .string(state), "worker": "w1"])))
    }

    private mutating func update(_ state: String, _ step: String, percent: Double) {
        board.take(
            .progress(
                0,
                [
                    "kind": "render", "state": .string(state), "current_step": .string(step),
                    "progress_percent": .double(percent),
                ]))
    }

    @Test("an update tells that a job runs before the service says it again")
    mutating func runsByUpdate() {
        job("queued")
        #expect(text == "render   01234567  queued")
        update("running", "encoding", percent: 12)
        #expect(text == "render   01234567   12 %  encoding")
        job("running")
        #expect(text == "render   01234567   12 %  encoding")
        update("succeeded", "completed", percent: 100)
        #expect(text == "render   01234567  100 %  completed")
        job("succeeded")
        #expect(text == "render   01234567  succeeded")
    }

    @Test("an update tells that a job waits again")
    mutating func waitsByUpdate() {
        job("running")
        #expect(text == "render   01234567  starts on w1")
        update("running", "encoding", percent: 50)
        update("queued", "queued", percent: 0)
        #expect(text == "render   01234567  queued")
        update("running", "starting", percent: 0)
        #expect(text == "render   01234567    0 %  starting")
    }

    @Test("what an earlier attempt did is not shown of one that waits")
    mutating func forgets() {
        job("running")
        update("running", "encoding", percent: 50)
        job("scheduled")
        #expect(text == "render   01234567  scheduled")
    }
}
