import HTTPTransfer
import PoolTestSupport
import S3
import Synchronization
import TestSupport
import Testing

/// Bytes that are the same for the same seed.
func randomBytes(_ count: Int, seed: UInt64) -> [UInt8] {
    var random = SeededGenerator(seed: seed)
    // Words are eight times as quick, and tests are not optimised.
    return [UInt8](unsafeUninitializedCapacity: count + 8) { buffer, filled in
        for offset in stride(from: 0, to: count, by: 8) {
            UnsafeMutableRawBufferPointer(buffer).storeBytes(of: random.next(), toByteOffset: offset, as: UInt64.self)
        }
        filled = count
    }
}

/// Why something failed; `nil` if it did not.
func refused(_ body: () throws -> Void) -> S3Error? {
    do {
        try body()
        return nil
    } catch {
        if let error = error as? S3Error { return error }
        Issue.record("an error of another kind: \(error)")
        return nil
    }
}

extension S3Client {
    /// A whole object, or a part of it.
    func bytes(
        _ place: S3Place, at offset: Int64 = 0, upTo limit: Int = 64 << 20, ifMatch: String? = nil,
        stop: TransferStop = TransferStop()
    ) throws -> (bytes: [UInt8], info: S3ObjectInfo) {
        var info: S3ObjectInfo?
        let bytes = try [UInt8](unsafeUninitializedCapacity: limit) { buffer, filled in
            let room = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer).prefix(limit))
            (filled, info) = try read(place, at: offset, into: room, ifMatch: ifMatch, stop: stop)
        }
        return (bytes, try #require(info))
    }

    func part(_ place: S3Place, _ upload: String, _ number: Int, _ bytes: [UInt8]) throws -> S3Part {
        try bytes.withUnsafeBytes { buffer in
            try uploadPart(place, upload, number: number, bytes: buffer, stop: TransferStop())
        }
    }
}

/// Time that passes in pauses only, so that bounds are met exactly and nobody waits.
final class TestTime: Sendable {
    private struct State {
        var steady = 1000.0
        var pauses: [Double] = []
    }

    private let state = Mutex(State())

    var pauses: [Double] { state.withLock { $0.pauses } }

    /// - Parameters:
    ///   - unit: what chance says each time.
    ///   - ahead: of the real time of day, in seconds.
    func clock(unit: Double = 0.5, ahead: Double = 0) -> S3Clock {
        S3Clock(
            wallSeconds: { S3Clock.system.wallSeconds() + ahead },
            steadySeconds: { [self] in state.withLock { $0.steady } }, unit: { unit },
            pause: { [self] seconds, stop in
                state.withLock { state in
                    state.pauses.append(seconds)
                    state.steady += seconds
                }
                return !stop.isRaised
            })
    }

    func settings(unit: Double = 0.5, ahead: Double = 0) -> S3ClientSettings {
        var settings = S3ClientSettings()
        settings.clock = clock(unit: unit, ahead: ahead)
        return settings
    }
}
