internal import Dispatch
internal import Media
internal import Model
internal import Planning
internal import Synchronization

/// Decodes what was made around each seam as a player will, on a thread of its own where the job has two, and looks at
/// every picture: a seam's beside the source's, copied ones for errors.
///
/// A *stretch* is decoded in one go: from a picture that decoding can begin with, usually a seam's first, to the end of
/// the first copied group behind it. Used from one thread.
final class SeamVerifier {
    /// How near to the source a seam must be, in decibels of PSNR over luma.
    static let leastPSNR = 38.0
    /// Seams' pictures and copied packets that may wait to be looked at. A packet takes a hundredth of a picture's memory,
    /// and a group of them is decoded while the next seam is made.
    private static let depth = (pictures: 1, packets: 512)

    private let work: VerifierWork
    private let queue: DispatchQueue?
    private let pictureSlots = DispatchSemaphore(value: depth.pictures)
    private let packetSlots = DispatchSemaphore(value: depth.packets)

    init(_ decoder: consuming Decoder, concurrent: Bool) throws {
        work = try VerifierWork(decoder)
        queue = concurrent ? DispatchQueue(label: "reelpool.verifier") : nil
    }

    deinit { queue?.sync {} }

    /// - Parameters:
    ///   - packet: as it will be written; its bytes are referred to.
    ///   - time: in the output's ticks.
    ///   - source: what a seam's picture was made from.
    func check(_ packet: borrowing Packet, at time: Int64, source: borrowing Frame) throws {
        try submit(VerifierItem(packet, at: time, source: LumaPlane(copying: source)), pictureSlots)
    }

    /// A copied picture of the current stretch.
    func check(_ packet: borrowing Packet, at time: Int64) throws {
        try submit(VerifierItem(packet, at: time, source: nil), packetSlots)
    }

    private func submit(_ item: VerifierItem, _ slots: DispatchSemaphore) throws {
        guard let queue else {
            work.check(item)
            return try work.throwFailure()
        }
        slots.wait()
        queue.async { [work] in
            work.check(item)
            slots.signal()
        }
        try work.throwFailure()
    }

    /// Ends the stretch: all its pictures must have come out.
    func endStretch() throws {
        if let queue {
            queue.async { [work] in work.endStretch() }
        } else {
            work.endStretch()
        }
        try work.throwFailure()
    }

    /// Waits for all that was submitted.
    ///
    /// - Returns: the worst seam picture since the last call, in decibels; infinite where there was none.
    func settle() throws -> Double {
        queue?.sync {}
        try work.throwFailure()
        return work.takeWorst()
    }

    var verifiedPictures: Int { work.verifiedPictures }
}

/// SAFETY: made by the submitting thread, and used by the queue only from then on.
private final class VerifierItem: @unchecked Sendable {
    let packet: Packet
    let time: Int64
    let source: LumaPlane?

    init(_ packet: borrowing Packet, at time: Int64, source: LumaPlane?) throws {
        var reference = try packet.reference()
        reference.place(at: time, decodeTime: time, duration: 0, isKey: packet.isKey)
        self.packet = reference
        self.time = time
        self.source = source
    }
}

/// SAFETY: the decoder and what is expected are used on the serial queue only; the rest is behind the mutex.
private final class VerifierWork: @unchecked Sendable {
    private struct State {
        var failure: SmartObstacle?
        var worst = Double.infinity
        var verified = 0
    }

    private var decoder: Decoder
    private var frame: Frame
    /// What is still to come out, by presentation time.
    private var expected: [Int64: VerifierItem] = [:]
    private let state = Mutex(State())

    init(_ decoder: consuming Decoder) throws {
        self.decoder = decoder
        frame = try Frame()
    }

    var verifiedPictures: Int { state.withLock { $0.verified } }

    func throwFailure() throws(SmartObstacle) {
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }

    func takeWorst() -> Double {
        state.withLock { state in
            defer { state.worst = .infinity }
            return state.worst
        }
    }

    func check(_ item: VerifierItem) {
        guard state.withLock({ $0.failure == nil }) else { return }
        do {
            expected[item.time] = item
            // Nobody looks at copied pictures: their bits must be right, behind pictures that they were not made for.
            decoder.skipLoopFilter(item.source == nil)
            guard try decoder.send(item.packet) else { return fail("a picture at a seam cannot be decoded") }
            try receive()
        } catch {
            fail("a picture at a seam cannot be decoded: \(error.message)")
        }
    }

    func endStretch() {
        guard state.withLock({ $0.failure == nil }) else { return }
        do {
            try decoder.finish()
            try receive()
            decoder.reset()
            if !expected.isEmpty { fail("\(expected.count) pictures at a seam do not come out of a decoder") }
        } catch {
            fail("a picture at a seam cannot be decoded: \(error.message)")
        }
    }

    private func receive() throws(MediaError) {
        while case .produced = try decoder.receive(into: &frame) {
            guard let time = frame.time, let item = expected.removeValue(forKey: time) else {
                return fail("a picture comes out of a decoder that was not put in")
            }
            guard !frame.isDamaged else { return fail("a picture at a seam is damaged") }
            let psnr = item.psnr(of: frame)
            if psnr < SeamVerifier.leastPSNR { fail(.seamQuality(psnr)) }
            state.withLock { state in
                state.worst = min(state.worst, psnr)
                state.verified += 1
            }
        }
    }

    private func fail(_ reason: String) { fail(.verification(reason)) }

    private func fail(_ obstacle: SmartObstacle) { state.withLock { $0.failure = $0.failure ?? obstacle } }
}

extension VerifierItem {
    /// How near to the source a decoded picture is; infinite for a copied one.
    fileprivate func psnr(of picture: borrowing Frame) -> Double { source?.psnr(of: picture) ?? .infinity }
}
