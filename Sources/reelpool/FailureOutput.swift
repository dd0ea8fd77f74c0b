internal import FoundationEssentials
internal import Glibc
internal import Model

/// How a command that failed says so: one JSON object or one line, on standard error.
enum FailureOutput {
    private struct Envelope: Encodable { var error: Failure }

    static func print(_ failure: Failure, json: Bool, subject: String? = nil) {
        if json, let text = try? JSONOutput.text(Envelope(error: failure)) {
            write(text)
            return
        }
        let place = subject.map { "\($0): " } ?? ""
        write("reelpool: \(place)\(failure.message) [\(failure.code.rawValue)]")
        if let detail = failure.detail { write("  \(detail)") }
    }

    static func write(_ line: String) {
        StandardError.write(line + "\n")
    }
}

enum StandardError {
    /// Unbuffered, in one system call where the kernel allows, so that lines of several threads do not mix.
    static func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            guard count > 0 || errno == EINTR else { return }
            rest = rest.dropFirst(max(0, count))
        }
    }
}
