import Foundation
import Model
import TestSupport
import Testing

/// What a command said when it failed, as its caller reads it.
struct PrintedFailure: Decodable {
    struct Fields: Decodable {
        var code: String
        var category: String
        var message: String
        var detail: String?
    }

    var error: Fields

    /// The one JSON object on standard error.
    init(_ result: CommandResult) throws {
        self = try JSONDecoder().decode(PrintedFailure.self, from: Data(result.errors.utf8))
    }
}

/// Checks an exit status and the JSON error that goes with it.
func expectFailure(
    _ result: CommandResult, _ code: FailureCode, _ note: String = "", at place: SourceLocation = #_sourceLocation
) throws {
    #expect(result.status == code.category.exitStatus, "\(note) \(result.errors)", sourceLocation: place)
    let failure = try PrintedFailure(result)
    #expect(failure.error.code == code.rawValue, "\(note)", sourceLocation: place)
    #expect(failure.error.category == code.category.rawValue, "\(note)", sourceLocation: place)
    #expect(!failure.error.message.isEmpty, sourceLocation: place)
    #expect(result.output.isEmpty, "nothing on standard output", sourceLocation: place)
}

/// An edit file in a folder, of one source, that keeps all of it unless told otherwise.
func writeEdit(
    _ folder: String, source: String, range: String = "", output: String = #"{"video":{"preset":"ultrafast"}}"#,
    name: String = "edit.json"
) throws -> String {
    let path = "\(folder)/\(name)"
    let timeline = #"[{"source":"a"\#(range)}]"#
    let json = #"{"sources":[{"id":"a","uri":"\#(source)"}],"timeline":\#(timeline),"output":\#(output)}"#
    try write(json, to: path)
    return path
}
