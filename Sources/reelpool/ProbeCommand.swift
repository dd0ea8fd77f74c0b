internal import ArgumentParser
internal import Engine
internal import Model

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

    func run() throws {
        var firstFailure: Failure?
        for file in files {
            do {
                let report = try Prober.probe(path: file)
                print(json ? try JSONOutput.text(report, indented: files.count == 1) : ProbeSummary.text(report))
            } catch {
                let failure = Failure(error)
                firstFailure = firstFailure ?? failure
                if json, files.count > 1 {
                    print(try JSONOutput.text(FileFailure(file: file, error: failure), indented: false))
                } else {
                    FailureOutput.print(failure, json: json, subject: file)
                }
            }
        }
        if let firstFailure { throw ExitCode(firstFailure.category.exitStatus) }
    }
}

private struct FileFailure: Encodable {
    var file: String
    var error: Failure
}
