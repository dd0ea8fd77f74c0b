internal import Logging
internal import Model

// MARK: What goes on beside the work

extension Worker {
    func repeatedly(every seconds: () async -> Double, _ work: () async -> Void) async {
        repeat { await work() } while await clock.sleep(seconds: seconds())
    }

    func renew() async {
        let leases = Array(board.running.keys)
        guard !leases.isEmpty else { return }
        // The lease counts from before the store was asked.
        let moment = clock.now
        do {
            let outcome = try await queue.renew(leases, worker: settings.name, seconds: settings.leaseSeconds)
            board.renewed(leases.filter { !outcome.lost.contains($0) }, at: moment)
            stop(outcome.lost, because: .leaseLost)
            stop(outcome.cancelled, because: .cancelled)
        } catch {
            log.warning("renewing leases failed", metadata: ["error": "\(error)"])
        }
    }

    func tick() {
        stop(board.unrenewed(since: clock.now - settings.giveUpSeconds), because: .leaseLost)
        for (lease, attempt) in live where board.running[lease]?.job.kind != .noop { attempt.reporter.tick() }
    }

    /// Finds what nobody has woken it for.
    func poll() async {
        if board.busySlots > 0 || clock.now >= lastLook + settings.idlePollSeconds {
            lastLook = clock.now
            wakeUp()
        }
        // Renewals bring cancellations: while something runs they are frequent, so that a cancelled job stops at once.
        if board.busySlots > 0 { await renew() }
    }

    /// Every worker sweeps for all; the more there are, the more seldom each, and never together.
    var sweepSeconds: Double {
        max(settings.pollSeconds, settings.sweepSeconds * Double(workerCount)) * .random(in: 0.5..<1.5)
    }

    func sweep(_ upkeep: any StoreUpkeep) async {
        do {
            _ = try await upkeep.sweep()
        } catch {
            log.warning("sweeping failed", metadata: ["error": "\(error)"])
        }
    }

    func beat() async {
        do {
            try await queue.heartbeat(status)
            let live = try await queue.workers().filter { !$0.isDraining }
            workerCount = max(1, live.count)
            largestBudgetBytes = live.map(\.memoryBytes).max() ?? 0
        } catch {
            log.warning("the heartbeat failed", metadata: ["error": "\(error)"])
        }
    }

    func prune(_ upkeep: any StoreUpkeep) async {
        do {
            let age = PruneAge(succeededSeconds: settings.keepSucceeded, otherSeconds: settings.keepOther)
            _ = try await upkeep.prune(finishedBefore: age, limit: 1000)
        } catch {
            log.warning("pruning failed", metadata: ["error": "\(error)"])
        }
    }

    func releaseEarlierLeases() async {
        do {
            let released = try await queue.releaseLeases(ofEarlier: status)
            if !released.isEmpty {
                log.notice("took back what an earlier run left", metadata: ["jobs": "\(released.count)"])
            }
        } catch {
            log.warning("taking back earlier leases failed", metadata: ["error": "\(error)"])
        }
    }
}
