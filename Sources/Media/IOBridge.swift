internal import CFFmpeg
internal import CFFmpegShims
internal import Model

/// Lends a `ByteSource` to libavformat as an `AVIOContext`, and remembers the source's own error.
final class InputBridge {
    /// 64 KiB: a probe of an MP4 whose index is last reads little more than that index.
    private static let bufferBytes: Int32 = 64 * 1024

    private let source: any ByteSource
    private let cancellation: Cancellation
    private var position: Int64 = 0
    private(set) var failure: (any Error)?
    private(set) var context: UnsafeMutablePointer<AVIOContext>?

    init(_ source: any ByteSource, cancellation: Cancellation) throws(MediaError) {
        (self.source, self.cancellation) = (source, cancellation)
        context = rp_io_alloc(
            Self.bufferBytes, false, Unmanaged.passUnretained(self).toOpaque(),
            { opaque, buffer, size in InputBridge.from(opaque).read(buffer, size) },
            nil,
            { opaque, offset, whence in InputBridge.from(opaque).seek(offset, whence) }
        )
        _ = try allocated(context, "making a reader")
    }

    deinit { rp_io_free(&context) }

    private static func from(_ opaque: UnsafeMutableRawPointer?) -> InputBridge {
        // SAFETY: the bridge owns the AVIOContext that carries this pointer, and frees it in its deinit.
        Unmanaged<InputBridge>.fromOpaque(opaque.unsafelyUnwrapped).takeUnretainedValue()
    }

    private func read(_ buffer: UnsafeMutablePointer<UInt8>?, _ size: Int32) -> Int32 {
        if cancellation.isRaised { return rp_error_exit }
        let target = UnsafeMutableRawBufferPointer(start: buffer, count: Int(size))
        do {
            let count = try source.read(into: target, at: position)
            guard count > 0 else { return rp_error_eof }
            position += Int64(count)
            return Int32(count)
        } catch {
            failure = error
            return rp_error_io
        }
    }

    private func seek(_ offset: Int64, _ whence: Int32) -> Int64 {
        switch whence & ~AVSEEK_FORCE {
        case AVSEEK_SIZE: return source.sizeBytes ?? -1
        case SEEK_SET: position = offset
        case SEEK_CUR: position += offset
        case SEEK_END:
            guard let size = source.sizeBytes else { return -1 }
            position = size + offset
        default: return -1
        }
        return position
    }
}

/// Lends a `ByteSink` to libavformat as an `AVIOContext`, and remembers the sink's own error.
final class OutputBridge {
    private static let bufferBytes: Int32 = 256 * 1024

    private let sink: any ByteSink
    private let cancellation: Cancellation
    private var position: Int64 = 0
    /// One past the furthest byte written.
    private(set) var sizeBytes: Int64 = 0
    /// What was left out when a write first began beyond all that was there.
    private(set) var gap: Range<Int64>?
    /// Bytes at the end that the sink has not been given.
    private var held: (from: Int64, bytes: [UInt8])?
    private(set) var failure: (any Error)?
    private(set) var context: UnsafeMutablePointer<AVIOContext>?

    init(_ sink: any ByteSink, cancellation: Cancellation) throws(MediaError) {
        (self.sink, self.cancellation) = (sink, cancellation)
        context = rp_io_alloc(
            Self.bufferBytes, true, Unmanaged.passUnretained(self).toOpaque(),
            nil,
            { opaque, buffer, size in OutputBridge.from(opaque).write(buffer, size) },
            { opaque, offset, whence in OutputBridge.from(opaque).seek(offset, whence) }
        )
        _ = try allocated(context, "making a writer")
    }

    deinit { rp_io_free(&context) }

    private static func from(_ opaque: UnsafeMutableRawPointer?) -> OutputBridge {
        // SAFETY: the bridge owns the AVIOContext that carries this pointer, and frees it in its deinit.
        Unmanaged<OutputBridge>.fromOpaque(opaque.unsafelyUnwrapped).takeUnretainedValue()
    }

    /// From now on keeps what is written at `position` and beyond, instead of giving it to the sink.
    func holdBack(from position: Int64) { held = (position, []) }

    /// What was kept, as if it had never been written.
    func takeHeldBack() -> [UInt8] {
        guard let held else { return [] }
        self.held = nil
        sizeBytes = held.from
        return held.bytes
    }

    /// Writes beside libavformat, which has nothing more to write.
    func put(_ bytes: [UInt8], at position: Int64) throws {
        try bytes.withUnsafeBytes { try sink.write($0, at: position) }
        sizeBytes = max(sizeBytes, position + Int64(bytes.count))
    }

    private func write(_ buffer: UnsafePointer<UInt8>?, _ size: Int32) -> Int32 {
        guard size > 0 else { return 0 }
        if cancellation.isRaised { return rp_error_exit }
        let bytes = UnsafeRawBufferPointer(start: buffer, count: Int(size))
        do {
            let passed = held.map { Int(max(0, min(Int64(size), $0.from - position))) } ?? bytes.count
            if passed > 0 { try sink.write(UnsafeRawBufferPointer(rebasing: bytes[..<passed]), at: position) }
            if passed < bytes.count {
                hold(UnsafeRawBufferPointer(rebasing: bytes[passed...]), position + Int64(passed))
            }
            if gap == nil, position > sizeBytes { gap = sizeBytes..<position }
            position += Int64(size)
            sizeBytes = max(sizeBytes, position)
            return size
        } catch {
            if failure == nil { failure = error }
            return rp_error_io
        }
    }

    private func hold(_ bytes: UnsafeRawBufferPointer, _ position: Int64) {
        guard let from = held?.from else { return }
        let offset = Int(position - from)
        let missing = offset + bytes.count - (held?.bytes.count ?? 0)
        if missing > 0 { held?.bytes.append(contentsOf: repeatElement(0, count: missing)) }
        held?.bytes.withUnsafeMutableBytes { $0[offset..<offset + bytes.count].copyBytes(from: bytes) }
    }

    private func seek(_ offset: Int64, _ whence: Int32) -> Int64 {
        switch whence & ~AVSEEK_FORCE {
        case AVSEEK_SIZE: return sizeBytes
        case SEEK_SET: position = offset
        case SEEK_CUR: position += offset
        case SEEK_END: position = sizeBytes + offset
        default: return -1
        }
        return position
    }
}
