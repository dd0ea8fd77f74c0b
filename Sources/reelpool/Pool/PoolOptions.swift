internal import ArgumentParser
internal import FoundationEssentials
internal import HTTPTransfer
internal import Model

/// Which pool is meant, and how answers are printed.
struct PoolOptions: ParsableArguments {
    private static let standardURL = "http://127.0.0.1:8080"

    @Option(help: "The pool's service; default: $REELPOOL_URL, else \(standardURL).")
    var url: String?

    @Option(help: "The service's bearer token; default: $REELPOOL_API_TOKEN, which others of this machine cannot read.")
    var token: String?

    @Flag(help: "Print what the service answers, or the error, as JSON.")
    var json = false

    func client() throws(Failure) -> PoolClient {
        let environment = ProcessInfo.processInfo.environment
        func value(_ given: String?, _ name: String) -> String? {
            given ?? environment[name].flatMap { $0.isEmpty ? nil : $0 }
        }
        do throws(TransferError) {
            let address = try WebAddress(value(url, "REELPOOL_URL") ?? Self.standardURL)
            return PoolClient(service: address, token: value(token, "REELPOOL_API_TOKEN"))
        } catch {
            throw Failure(code: .invalidTask, message: "the service's URL is \(error.message)")
        }
    }

    /// Does something for each of several jobs: one that fails does not stop the others.
    ///
    /// - Throws: the exit status of the first failure.
    func forEach(_ ids: [String], _ body: (PoolClient, String) throws -> (json: JSONValue, line: String)) throws {
        var first: Failure?
        try perform { client in
            for id in ids {
                do {
                    let answer = try body(client, id)
                    print(json ? answer.json.text : answer.line)
                } catch {
                    let failure = Failure(error)
                    FailureOutput.print(failure, json: json, subject: id)
                    first = first ?? failure
                }
            }
        }
        if let first { throw ExitCode(first.category.exitStatus) }
    }

    /// Prints why it failed, in one line with its code, and ends with its status.
    func perform(_ body: (PoolClient) throws -> Void) throws {
        do {
            try body(client())
        } catch let status as ExitCode {
            throw status
        } catch let refusal as ValidationError {
            throw refusal
        } catch {
            throw ExitCode.failed(error, json: json)
        }
    }
}
