internal import Glibc
package import Model

/// What keeping a process apart can fail with.
package struct IsolationError: ClassifiedError, Equatable {
    package let code: FailureCode
    package let message: String
    package let detail: String?

    package init(_ code: FailureCode, _ message: String, detail: String? = nil) {
        (self.code, self.message, self.detail) = (code, message, detail)
    }

    /// - Parameter reason: an errno.
    init(_ message: String, reason: Int32, code: FailureCode = .internalFault) {
        self.init(code, message, detail: String(cString: strerror(reason)))
    }
}
