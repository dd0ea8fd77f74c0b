internal import CFFmpegShims

/// FFmpeg's log, kept instead of printed: an error carries its last line.
package enum LogCapture {
    /// Installs the capture, once for the process. `echo` prints FFmpeg's own log to standard error as well.
    package static func install(echo: Bool = false) { rp_log_install(echo) }

    /// Keeps encoders from printing past FFmpeg's log. It changes the environment, which other threads may be reading: for
    /// the start of a program, before it has any.
    package static func quietenEncoders() { rp_log_quieten_encoders() }

    package static func clear() { rp_log_clear() }

    /// The last error line that the calling thread caused since it last opened something.
    package static func lastLine() -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { text in
            guard let start = text.baseAddress, rp_log_last(start, text.count) > 0 else { return nil }
            return withoutAddress(String(cString: start))
        }
    }

    /// `[mov @ 0x5606…] text` as `[mov] text`: the address would make equal failures differ.
    private static func withoutAddress(_ line: String) -> String {
        guard let at = line.firstIndex(of: "@"), let close = line[at...].firstIndex(of: "]"), at > line.startIndex
        else {
            return line
        }
        return String(line[..<line.index(before: at)] + line[close...])
    }
}
