internal import ArgumentParser
internal import Model

extension ExitCode {
    /// Of a configuration that is wrong. Source: sysexits.h, EX_CONFIG.
    static let wrongSettings = ExitCode(78)

    /// Prints everything that is wrong with settings, a line each.
    static func wrongSettings(_ lines: [String], code: FailureCode, json: Bool) -> ExitCode {
        for line in lines { FailureOutput.print(Failure(code: code, message: line), json: json) }
        return wrongSettings
    }

    /// Prints why something failed, in one line with its code.
    ///
    /// - Parameter subject: what it was about, where the line would not tell.
    static func failed(_ error: any Error, json: Bool, subject: String? = nil) -> ExitCode {
        let failure = Failure(error)
        FailureOutput.print(failure, json: json, subject: subject)
        return ExitCode(failure.category.exitStatus)
    }
}
