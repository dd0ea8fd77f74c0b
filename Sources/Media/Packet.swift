internal import CFFmpeg
internal import CFFmpegShims
package import Model

/// One compressed packet: a reference to the demuxer's or encoder's bytes, reused from call to call.
package struct Packet: ~Copyable {
    let pointer: UnsafeMutablePointer<AVPacket>

    package init() throws(MediaError) {
        pointer = try allocated(av_packet_alloc(), "making a packet")
    }

    init(owning pointer: UnsafeMutablePointer<AVPacket>) { self.pointer = pointer }

    deinit {
        var owned: UnsafeMutablePointer<AVPacket>? = pointer
        av_packet_free(&owned)
    }

    /// In ticks of its stream's time base, like every time here; `nil` when unset.
    package var presentationTime: Int64? { timestamp(pointer.pointee.pts) }
    package var decodeTime: Int64? { timestamp(pointer.pointee.dts) }
    package var duration: Int64 { pointer.pointee.duration }
    package var streamIndex: Int { Int(pointer.pointee.stream_index) }
    package var sizeBytes: Int { Int(pointer.pointee.size) }
    package var isKey: Bool { pointer.pointee.flags & AV_PKT_FLAG_KEY != 0 }
    /// Needed for decoding, not shown: it lies before an edit list's start.
    package var isDiscarded: Bool { pointer.pointee.flags & AV_PKT_FLAG_DISCARD != 0 }
    package var isCorrupt: Bool { pointer.pointee.flags & AV_PKT_FLAG_CORRUPT != 0 }
    package var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: pointer.pointee.data, count: Int(pointer.pointee.size))
    }

    /// Another reference to the same bytes and times.
    package borrowing func reference() throws(MediaError) -> Packet {
        Packet(owning: try allocated(av_packet_clone(pointer), "referencing a packet"))
    }

    /// Gives it times, in ticks of whatever time base it is written with, and says whether decoding may begin with it.
    package mutating func place(at time: Int64, decodeTime: Int64, duration: Int64, isKey: Bool) {
        (pointer.pointee.pts, pointer.pointee.dts, pointer.pointee.duration) = (time, decodeTime, duration)
        pointer.pointee.flags = isKey ? AV_PKT_FLAG_KEY : 0
    }

    package mutating func setDuration(_ ticks: Int64) { pointer.pointee.duration = ticks }

    /// Decoded samples that decoders leave out at both ends. Source: FFmpeg AV_PKT_DATA_SKIP_SAMPLES.
    package var droppedSamples: (first: UInt32, last: UInt32) {
        var size = 0
        guard let data = av_packet_get_side_data(pointer, AV_PKT_DATA_SKIP_SAMPLES, &size), size >= Self.dropBytes
        else {
            return (0, 0)
        }
        func number(at offset: Int) -> UInt32 {
            UInt32(littleEndian: UnsafeRawPointer(data).loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        }
        return (number(at: 0), number(at: 4))
    }

    package mutating func setDroppedSamples(first: UInt32, last: UInt32) throws(MediaError) {
        guard first > 0 || last > 0 else { return }
        let data = UnsafeMutableRawPointer(
            try allocated(
                av_packet_new_side_data(pointer, AV_PKT_DATA_SKIP_SAMPLES, Self.dropBytes), "marking a packet"))
        data.storeBytes(of: first.littleEndian, toByteOffset: 0, as: UInt32.self)
        data.storeBytes(of: last.littleEndian, toByteOffset: 4, as: UInt32.self)
        // Why, of either end: 0 is padding.
        data.storeBytes(of: 0, toByteOffset: 8, as: UInt16.self)
    }

    /// Two numbers and two reasons.
    private static let dropBytes = 10

    package mutating func clear() { av_packet_unref(pointer) }

    /// Moves its times from one time base to another.
    package mutating func rescale(from old: Rational, to new: Rational) {
        av_packet_rescale_ts(pointer, old.avRational, new.avRational)
    }

    package mutating func shift(by ticks: Int64) {
        if pointer.pointee.pts != rp_nopts { pointer.pointee.pts += ticks }
        if pointer.pointee.dts != rp_nopts { pointer.pointee.dts += ticks }
    }
}

func timestamp(_ raw: Int64) -> Int64? { raw == rp_nopts ? nil : raw }

extension Rational {
    /// For FFmpeg's 32-bit fractions; the nearest one where this does not fit.
    var avRational: AVRational {
        if let top = Int32(exactly: numerator), let bottom = Int32(exactly: denominator) {
            return AVRational(num: top, den: bottom)
        }
        return av_d2q(seconds, Int32.max)
    }

    /// `nil` for FFmpeg's "unknown", a zero part.
    init?(_ fraction: AVRational) {
        guard fraction.num != 0, fraction.den != 0 else { return nil }
        self.init(Int64(fraction.num), Int64(fraction.den))
    }
}
