internal import CFFmpeg
internal import CFFmpegShims
package import Model

/// A failed FFmpeg call: its code, what was being done, and the library's own last words.
///
/// `EAGAIN` and the end of a stream are results of the calls that meet them, and never thrown.
package struct MediaError: ClassifiedError, Equatable {
    /// An `AVERROR` value. Source: libavutil/error.h.
    package struct Status: RawRepresentable, Hashable, Sendable {
        package let rawValue: Int32
        package init(rawValue: Int32) { self.rawValue = rawValue }

        package static let invalidData = Status(rawValue: rp_error_invalid_data)
        package static let outOfMemory = Status(rawValue: rp_error_nomem)
        package static let io = Status(rawValue: rp_error_io)
        package static let interrupted = Status(rawValue: rp_error_exit)
        package static let decoderNotFound = Status(rawValue: rp_error_decoder_not_found)
        package static let encoderNotFound = Status(rawValue: rp_error_encoder_not_found)
        package static let notImplemented = Status(rawValue: rp_error_patchwelcome)
    }

    package let status: Status
    package let operation: String
    package let lastLogLine: String?
    package let code: FailureCode

    init(_ status: Int32, _ operation: String, code: FailureCode? = nil) {
        self.status = Status(rawValue: status)
        self.operation = operation
        self.lastLogLine = LogCapture.lastLine()
        // Being stopped and being out of memory are themselves wherever they happen.
        let speaksForItself = [.interrupted, .outOfMemory].contains(self.status)
        self.code = speaksForItself ? Self.usualCode(of: self.status) : code ?? Self.usualCode(of: self.status)
    }

    package var message: String { "\(operation) failed: \(Self.describe(status.rawValue))" }
    package var detail: String? { lastLogLine }

    private static func usualCode(of status: Status) -> FailureCode {
        switch status {
        case .invalidData: .damagedMedia
        case .outOfMemory: .outOfMemory
        case .io: .readFailed
        case .interrupted: .cancelled
        case .decoderNotFound, .notImplemented: .noDecoder
        case .encoderNotFound: .noEncoder
        default: .internalFault
        }
    }

    private static func describe(_ status: Int32) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { text in
            guard let start = text.baseAddress, av_strerror(status, start, text.count) >= 0 else {
                return "error \(status)"
            }
            return String(cString: start)
        }
    }
}

/// Passes a count or zero through and throws what is negative.
@discardableResult
func check(
    _ status: Int32, _ operation: @autoclosure () -> String, code: FailureCode? = nil
) throws(MediaError) -> Int32 {
    if status < 0 { throw MediaError(status, operation(), code: code) }
    return status
}

/// Takes what an allocating call returned, or throws out of memory.
func allocated<Pointer>(_ pointer: Pointer?, _ operation: @autoclosure () -> String) throws(MediaError) -> Pointer {
    guard let pointer else { throw MediaError(rp_error_nomem, operation()) }
    return pointer
}
