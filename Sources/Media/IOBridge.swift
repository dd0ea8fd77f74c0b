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

    private func write(_ buffer: UnsafePointer<UInt8>?, _ size: Int32) -> Int32 {
        guard size > 0 else { return 0 }
        if cancellation.isRaised { return rp_error_exit }
        do {
            try sink.write(UnsafeRawBufferPointer(start: buffer, count: Int(size)), at: position)
            position += Int64(size)
            sizeBytes = max(sizeBytes, position)
            return size
        } catch {
            if failure == nil { failure = error }
            return rp_error_io
        }
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
