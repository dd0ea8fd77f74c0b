import Foundation
import HTTPTransfer
import Testing

@Suite("A stop")
struct StopTests {
    @Test("ends a pause, at once or in the middle of it")
    func pause() async throws {
        let stop = TransferStop()
        let start = ContinuousClock.now
        async let isOver = blocking { stop.sleep(seconds: 3600) }
        when({ true }, { stop.raise() })
        let (first, second) = (try await isOver, try await blocking { stop.sleep(seconds: 3600) })
        #expect(!first && !second)
        #expect(ContinuousClock.now - start < .seconds(patience))
    }

    @Test("does nothing to a pause while it is not raised")
    func undisturbed() async throws {
        let stop = TransferStop()
        let start = ContinuousClock.now
        let isOver = try await blocking { stop.sleep(seconds: 0.2) }
        #expect(isOver)
        #expect(ContinuousClock.now - start >= .milliseconds(150))
        let wasOver = try await blocking { stop.sleep(seconds: -1) }
        #expect(wasOver)
    }
}

@Suite("The date of an answer")
struct AnswerDateTests {
    private func seconds(_ date: String) -> Int64? {
        TransferHead(status: 200, headers: [TransferHeader("date", date)]).date
    }

    @Test("is read in all forms that there are")
    func forms() {
        // Source: RFC 9110 §5.6.7.
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            #expect(seconds(text) == 784_111_777, "\(text)")
        }
    }

    @Test("may be missing, or none")
    func none() {
        #expect(seconds("yesterday or so") == nil)
        #expect(TransferHead(status: 200, headers: []).date == nil)
    }
}
