import Testing
import WorkerCore

@Suite("A worker's slots")
struct SlotBoardTests {
    @Test("are taken by chunks of others' jobs as by jobs, with their memory")
    func help() {
        var board = SlotBoard(slots: 3, memoryBytes: 1000)
        let first = board.startHelp(memoryBytes: 300, stop: StopSwitch())
        let second = board.startHelp(memoryBytes: 500, stop: StopSwitch())
        #expect(first != second)
        #expect(board.busySlots == 2 && board.freeSlots == 1 && board.freeMemoryBytes == 200)
        #expect(board.freeNoops == SlotBoard.noopLimit, "which are counted apart")
        // More than there is: what runs is not counted twice.
        let third = board.startHelp(memoryBytes: 500, stop: StopSwitch())
        #expect(board.freeSlots == 0 && board.freeMemoryBytes == 0)
        for number in [first, third] { board.endHelp(number) }
        #expect(board.busySlots == 1 && board.freeMemoryBytes == 500)
        board.endHelp(second)
        board.endHelp(second)
        #expect(board.busySlots == 0 && board.freeMemoryBytes == 1000)
    }
}
