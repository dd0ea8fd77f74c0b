package import Model

/// What the engine itself finds wrong; failures of FFmpeg calls are `MediaError`s.
package struct EngineError: ClassifiedError, Equatable {
    package let code: FailureCode
    package let message: String
    package let detail: String?

    package init(_ code: FailureCode, _ message: String, detail: String? = nil) {
        (self.code, self.message, self.detail) = (code, message, detail)
    }
}
