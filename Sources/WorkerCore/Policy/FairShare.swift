/// Start-time fair queueing: the key by which jobs of one kind are ordered, fixed when a job comes in.
///
/// Virtual time is counted in seconds of work, and is the highest start tag among the jobs taken so far. A job starts,
/// virtually, when it comes in or when its owner's earlier jobs would be done, whichever is later; a tier moves it ahead
/// by a fixed stretch. So an owner who floods the queue waits behind himself, ageing is linear, and what has waited as
/// long as the stretch is overtaken by nothing that comes later.
/// Source: P. Goyal, H. M. Vin, H. Cheng, "Start-time Fair Queueing", SIGCOMM 1996.
package enum FairShare {
    /// Seconds of work that a tier is ahead of free.
    package static func headStart(_ tier: Tier) -> Double { [0, 300, 900, 1800][tier.value] }

    package struct Tags: Sendable, Equatable {
        /// Where the owner's next job starts at the earliest.
        package var finish: Double
        package var start: Double
        /// Lower goes first.
        package var order: Double
    }

    /// - Parameter ownerFinish: of the owner's latest job of this kind; `nil` for the first.
    package static func tags(virtualTime: Double, ownerFinish: Double?, costSeconds: Double, tier: Tier) -> Tags {
        let start = max(virtualTime, ownerFinish ?? virtualTime)
        let cost = max(0.001, costSeconds)
        return Tags(finish: start + cost, start: start, order: start - headStart(tier))
    }
}
