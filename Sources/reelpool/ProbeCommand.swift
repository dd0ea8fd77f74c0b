internal import ArgumentParser
internal import Dispatch
internal import Engine
internal import Model
internal import Synchronization

struct ProbeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe",
        abstract: "Tell what media files are.",
        discussion: """
            Reports the container, every stream, keyframe distance, edit lists, HDR metadata and whether browsers \
            play the file. Nothing is decoded beyond the first frames, and nothing a file names is opened.

            With several files, one that fails does not stop the others; the exit status is that of the first failure.
            """
    )

    @Argument(help: "Files to probe.", completion: .file())
    var files: [String]

    @Flag(help: "Print JSON: an object for one file, one object a line for several.")
    var json = false

    /// Probing is reading and parsing: files go side by side, and their reports come out in the order asked for.
    func run() throws {
        let reports = OrderedReports()
        DispatchQueue.concurrentPerform(iterations: files.count) { index in
            let result = Result { try Prober.probe(path: files[index]) }
            reports.finish(index, with: result.mapError { Failure($0) }, print: show)
        }
        if let failure = reports.firstFailure { throw ExitCode(failure.category.exitStatus) }
    }

    private func show(_ index: Int, _ result: Result<ProbeReport, Failure>) {
        let isOne = files.count == 1
        switch result {
        case .success(let report):
            print(json ? JSONOutput.line(report, indented: isOne) : ProbeSummary.text(report))
        case .failure(let failure) where json && !isOne:
            print(JSONOutput.line(FileFailure(file: files[index], error: failure), indented: false))
        case .failure(let failure):
            FailureOutput.print(failure, json: json, subject: files[index])
        }
    }
}

/// Results that finish in any order and are printed in theirs.
private final class OrderedReports: Sendable {
    private struct State {
        var waiting: [Int: Result<ProbeReport, Failure>] = [:]
        var next = 0
        var firstFailure: Failure?
    }

    private let state = Mutex(State())

    var firstFailure: Failure? { state.withLock(\.firstFailure) }

    func finish(
        _ index: Int, with result: Result<ProbeReport, Failure>, print: (Int, Result<ProbeReport, Failure>) -> Void
    ) {
        state.withLock { state in
            state.waiting[index] = result
            while let ready = state.waiting.removeValue(forKey: state.next) {
                if case .failure(let failure) = ready { state.firstFailure = state.firstFailure ?? failure }
                print(state.next, ready)
                state.next += 1
            }
        }
    }
}

private struct FileFailure: Encodable {
    var file: String
    var error: Failure
}
