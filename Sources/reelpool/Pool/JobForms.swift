internal import ArgumentParser
internal import Engine
internal import Glibc
internal import Model

/// Tasks from what stands on a command line.
struct JobForms {
    static let kinds = ["probe", "proxy", "analysis", "render", "download", "noop"]
    /// As much as the service takes.
    private static let limitBytes = 256 << 10

    var kind: String
    var source: String?
    var output: String?
    var edit: String?
    var pacing: Int?
    var when: String?
    var salvage: Bool
    var mode: RenderMode?

    /// What does not belong to a kind is a mistake, not something to leave out; and what it needs must be there.
    func check(payload: String?) throws {
        let given: [(name: String, isGiven: Bool, kinds: [String], needing: [String])] = [
            (
                "SOURCE", source != nil, ["probe", "proxy", "analysis", "render", "download"],
                ["probe", "proxy", "analysis", "download"]
            ),
            (
                "--output", output != nil, ["proxy", "analysis", "render", "download"],
                ["proxy", "render", "download"]
            ),
            ("--edit", edit != nil, ["render"], ["render"]), ("--pacing", pacing != nil, ["analysis"], []),
            ("--when", when != nil, ["proxy"], []), ("--salvage", salvage, ["render"], []),
            ("--mode", mode != nil, ["render"], []),
        ]
        for item in given {
            if item.isGiven, payload != nil {
                throw ValidationError("--payload is the whole task: \(item.name) has no place beside it.")
            }
            if item.isGiven, !item.kinds.contains(kind) {
                throw ValidationError("\(item.name) means nothing to \(kind).")
            }
            if !item.isGiven, payload == nil, item.needing.contains(kind) {
                throw ValidationError("\(kind) needs \(item.name).")
            }
        }
    }

    /// Of what `check` found to be complete.
    func task() throws -> JSONValue {
        var task: [String: JSONValue] = [:]
        if kind != "render" { task["source"] = .text(source.map { Self.absolute($0) }) }
        task[kind == "analysis" ? "edit_output" : "output"] = .text(output.map { Self.absolute($0) })
        task["when"] = .text(when)
        task["pacing"] = pacing.map { .integer($0) }
        task["edit"] = try edit.map { try editValue($0) }
        if salvage { task["salvage"] = true }
        task["mode"] = .text(mode?.rawValue)
        return .object(task.filter { !$0.value.isNull })
    }

    /// The edit with places that mean the same elsewhere: its sources lie beside it.
    private func editValue(_ edit: String) throws -> JSONValue {
        guard var members = try Self.object(edit).objectValue else { return .null }
        let folder =
            edit == "-"
            ? ""
            : edit.split(separator: "/", omittingEmptySubsequences: false).dropLast()
                .joined(separator: "/")
        let base = edit.hasPrefix("/") && folder.isEmpty ? "/" : folder
        if let sources = members["sources"]?.arrayValue {
            guard source == nil else {
                throw Failure(code: .invalidEdit, message: "\(edit) names its sources itself")
            }
            members["sources"] = .array(
                sources.map { source in
                    guard var fields = source.objectValue, let uri = fields["uri"]?.stringValue else { return source }
                    fields["uri"] = .string(Self.absolute(uri, in: base))
                    return .object(fields)
                })
        } else if let source {
            members["sources"] = [["uri": .string(Self.absolute(source))]]
        }
        return .object(members)
    }

    static func object(_ file: String) throws -> JSONValue {
        let bytes =
            try file == "-"
            ? EditBytes.readStandardInput(limitBytes: limitBytes) : EditBytes.read(path: file, limitBytes: limitBytes)
        do {
            let value = try JSONValue(parsing: Array(bytes))
            if value.objectValue != nil { return value }
        } catch {
            throw Failure(code: .invalidJSON, message: "\(file): \(error)")
        }
        throw Failure(code: .invalidTask, message: "\(file) should be a JSON object")
    }

    /// A local path from the root on, links resolved as far as it is there already; anything else as it is.
    static func absolute(_ place: String, in folder: String = "") -> String {
        guard !place.contains("://"), !place.isEmpty else { return place }
        let path = place.hasPrefix("/") || folder.isEmpty ? place : "\(folder)/\(place)"
        if let resolved = resolve(path) { return resolved + (place.hasSuffix("/") ? "/" : "") }
        let parts = path.split(separator: "/", omittingEmptySubsequences: true)
        guard let name = parts.last else { return place }
        let parent = (path.hasPrefix("/") ? "/" : "") + parts.dropLast().joined(separator: "/")
        let above = parent.isEmpty ? resolve(".") : resolve(parent) ?? absolute(parent)
        return "\(above == "/" ? "" : above ?? "")/\(name)" + (place.hasSuffix("/") ? "/" : "")
    }

    private static func resolve(_ path: String) -> String? {
        guard let text = realpath(path, nil) else { return nil }
        defer { free(text) }
        return String(cString: text)
    }
}
