internal import CFFmpeg
internal import CFFmpegShims
internal import Dispatch
package import Model
internal import Synchronization

/// A video encoder on its own thread, so that decoding and filtering of the next frames goes on meanwhile; or, for
/// jobs of one thread, on the caller's.
///
/// Frames go in by `submit`, packets come out by `poll`, in order, both on the caller's one thread.
package final class EncoderStage {
    private let shared: Shared
    private let queue: DispatchQueue?
    package let timeBase: Rational

    /// - Parameters:
    ///   - concurrent: encode on a thread of its own.
    ///   - depth: frames that may wait before `submit` blocks; bounds memory.
    package init(
        _ encoder: consuming Encoder, concurrent: Bool, cancellation: Cancellation, depth: Int = 3
    ) {
        timeBase = encoder.timeBase
        shared = Shared(encoder, cancellation: cancellation, depth: depth)
        queue = concurrent ? DispatchQueue(label: "reelpool.encoder") : nil
    }

    deinit {
        // Work that was submitted refers to the encoder; nothing outlives this object.
        queue?.sync {}
    }

    /// Hands over a frame, waiting while too many are queued.
    package func submit(_ frame: consuming Frame) throws {
        guard let queue else {
            shared.encode(FrameHandle(pointer: frame.release()))
            return try shared.throwFailure()
        }
        shared.slots.wait()
        let handle = FrameHandle(pointer: frame.release())
        queue.async { [shared] in
            shared.encode(handle)
            shared.slots.signal()
        }
        try shared.throwFailure()
    }

    /// Encodes all that was submitted to its end.
    package func finish() throws {
        if let queue {
            queue.sync { [shared] in shared.encode(nil) }
        } else {
            shared.encode(nil)
        }
        try shared.throwFailure()
    }

    /// The next finished packet, or `nil` when none is ready.
    package func poll() -> Packet? {
        guard let handle = shared.takePacket() else { return nil }
        return Packet(owning: handle.pointer)
    }
}

/// SAFETY: ownership of the one reference moves with the handle from the submitting thread to the queue.
private struct FrameHandle: @unchecked Sendable { let pointer: UnsafeMutablePointer<AVFrame> }

/// SAFETY: ownership of the one reference moves with the handle from the queue to the polling thread.
private struct PacketHandle: @unchecked Sendable { let pointer: UnsafeMutablePointer<AVPacket> }

/// SAFETY: the encoder is used on the serial queue only; the rest is behind the mutex.
private final class Shared: @unchecked Sendable {
    private struct State {
        var packets: [PacketHandle] = []
        var taken = 0
        var failure: MediaError?
    }

    private var encoder: Encoder
    private let state = Mutex(State())
    private let cancellation: Cancellation
    let slots: DispatchSemaphore
    private let depth: Int

    init(_ encoder: consuming Encoder, cancellation: Cancellation, depth: Int) {
        self.encoder = encoder
        self.cancellation = cancellation
        self.depth = depth
        slots = DispatchSemaphore(value: depth)
    }

    deinit {
        state.withLock { state in
            for handle in state.packets[state.taken...] { _ = Packet(owning: handle.pointer) }
        }
    }

    func encode(_ handle: FrameHandle?) {
        let frame = handle.map { Frame(owning: $0.pointer) }
        guard state.withLock({ $0.failure == nil }) else { return }
        do throws(MediaError) {
            if let frame { try encoder.send(frame) } else { try encoder.finish() }
            while true {
                // Slow encoders hold back a minute of work; nobody waits for it once it is unwanted.
                try cancellation.check()
                var packet = try Packet()
                guard case .produced = try encoder.receive(into: &packet) else { break }
                let ready = PacketHandle(pointer: packet.release())
                state.withLock { $0.packets.append(ready) }
            }
        } catch {
            state.withLock { $0.failure = error }
        }
    }

    func throwFailure() throws {
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }

    func takePacket() -> PacketHandle? {
        state.withLock { state in
            guard state.taken < state.packets.count else { return nil }
            let handle = state.packets[state.taken]
            state.taken += 1
            if state.taken == state.packets.count {
                state.packets.removeAll(keepingCapacity: true)
                state.taken = 0
            }
            return handle
        }
    }
}

extension Frame {
    consuming func release() -> UnsafeMutablePointer<AVFrame> {
        let released = pointer
        discard self
        return released
    }
}

extension Packet {
    consuming func release() -> UnsafeMutablePointer<AVPacket> {
        let released = pointer
        discard self
        return released
    }
}
