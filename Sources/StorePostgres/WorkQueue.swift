internal import Foundation

/// Work for a few threads that are its own, in order of arrival.
///
/// What waits for a server must not do so on Swift's cooperative pool, nor on Dispatch's.
// SAFETY: everything that changes does so under `condition`.
final class WorkQueue<Member>: @unchecked Sendable {
    typealias Work = @Sendable (_ member: Member) -> Void

    private let condition = NSCondition()
    private var waiting: [Work] = []
    private var isClosed = false
    private let ended = DispatchGroup()

    /// - Parameter make: what each thread keeps to itself; made on it.
    init(threads: Int, name: String, make: @escaping @Sendable () -> Member) {
        for number in 1...max(1, threads) {
            ended.enter()
            let thread = Thread { [self] in
                let member = make()
                while let work = next() { work(member) }
                ended.leave()
            }
            thread.name = "\(name) \(number)"
            thread.start()
        }
    }

    /// `false` when it is closed: then the work is never done.
    func add(_ work: @escaping Work) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        guard !isClosed else { return false }
        waiting.append(work)
        condition.signal()
        return true
    }

    private func next() -> Work? {
        condition.lock()
        defer { condition.unlock() }
        while waiting.isEmpty {
            if isClosed { return nil }
            condition.wait()
        }
        return waiting.removeFirst()
    }

    /// Takes no more work; returns when all that was taken is done and the threads have ended.
    func close() async {
        condition.withLock {
            isClosed = true
            condition.broadcast()
        }
        await withCheckedContinuation { continuation in
            ended.notify(queue: DispatchQueue(label: "reelpool.store.close")) { continuation.resume() }
        }
    }
}
