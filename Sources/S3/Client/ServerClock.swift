internal import Synchronization

/// The store's time: this machine's, and how far that is off as far as is known.
final class ServerClock: Sendable {
    /// Stores accept a quarter of an hour; what is off by less is none of its affair.
    static let toleratedSeconds = 300.0

    private let local: @Sendable () -> Double
    private let offset = Mutex(0.0)

    init(_ local: @escaping @Sendable () -> Double) { self.local = local }

    /// Since 1970.
    var seconds: Int64 { Int64(local() + offset.withLock { $0 }) }

    /// How far this machine's clock is ahead, by what was learnt.
    var localIsAheadSeconds: Double { offset.withLock { -$0 } }

    /// Takes over what an answer says.
    ///
    /// - Parameters:
    ///   - server: the time in the answer.
    ///   - signed: the time that the request was signed with.
    /// - Returns: whether they are too far apart, so that the same again may go well.
    func learn(server: Int64, signed: Int64) -> Bool {
        guard abs(Double(server - signed)) > Self.toleratedSeconds else { return false }
        offset.withLock { $0 = Double(server) - local() }
        return true
    }
}
