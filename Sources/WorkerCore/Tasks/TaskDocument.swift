internal import FoundationEssentials
package import Model

/// A task as its sender wrote it: what to read, what to do with it, where to write.
package enum TaskDocument: Sendable, Equatable {
    case probe(source: String)
    case proxy(ProxyTask)
    case analysis(AnalysisTask)
    case render(RenderTask)
    case download(DownloadTask)
    case noop

    /// - Throws: `Failure` with `invalid_task`, or what an edit inside it is refused for.
    package init(kind: JobKind, payload: String) throws(Failure) {
        do {
            let data = Data(payload.utf8)
            let decoder = JSONDecoder()
            switch kind {
            case .probe: self = .probe(source: try decoder.decode(ProbeTask.self, from: data).source)
            case .proxy: self = .proxy(try decoder.decode(ProxyTask.self, from: data))
            case .analysis: self = .analysis(try decoder.decode(AnalysisTask.self, from: data))
            case .render: self = .render(try decoder.decode(RenderTask.self, from: data))
            case .download: self = .download(try decoder.decode(DownloadTask.self, from: data))
            case .noop: self = .noop
            }
        } catch let error as EditError {
            throw Failure(code: error.code == .unknownField ? .unknownField : .invalidTask, message: error.message)
        } catch let error as DecodingError {
            let edit = EditError(error)
            throw Failure(code: .invalidTask, message: edit.message)
        } catch {
            throw Failure(error)
        }
    }

    /// Every place that is read.
    package var sources: [String] {
        switch self {
        case .probe(let source): [source]
        case .proxy(let task): [task.source]
        case .analysis(let task): [task.source]
        case .render(let task): task.edit.sources.map(\.uri)
        case .download(let task): [task.source]
        case .noop: []
        }
    }

    /// Every place that is written: files, and folders that files are written into.
    package var outputs: [String] {
        switch self {
        case .probe, .noop: []
        case .proxy(let task): [task.output]
        case .analysis(let task): task.editOutput.map { [$0] } ?? []
        case .render(let task): [task.output]
        case .download(let task): [task.output]
        }
    }
}

private struct ProbeTask: Decodable {
    var source: String

    private enum CodingKeys: String, CodingKey, CaseIterable { case source }

    init(from decoder: any Decoder) throws {
        source = try decoder.strictContainer(keyedBy: CodingKeys.self).decode(String.self, forKey: .source)
    }
}

/// Make what an editor needs of a source, in a folder.
package struct ProxyTask: Sendable, Equatable, Decodable {
    package var source: String
    package var output: String
    /// Whether browsers' ability to play the source makes a proxy needless.
    package var onlyUnplayable: Bool

    private enum CodingKeys: String, CodingKey, CaseIterable { case source, output, when }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.strictContainer(keyedBy: CodingKeys.self)
        source = try container.decode(String.self, forKey: .source)
        output = try container.decode(String.self, forKey: .output)
        switch try container.decodeIfPresent(String.self, forKey: .when) ?? "always" {
        case "always": onlyUnplayable = false
        case "unplayable": onlyUnplayable = true
        default: throw EditError.invalid(path: "when", reason: "is always or unplayable")
        }
    }
}

/// Find pauses, loudness, scenes and black, and propose an edit.
package struct AnalysisTask: Sendable, Equatable, Decodable {
    package var source: String
    /// 0 to 100.
    package var pacing: Int
    /// Where to write the proposed edit, besides the result.
    package var editOutput: String?

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case source, pacing
        case editOutput = "edit_output"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.strictContainer(keyedBy: CodingKeys.self)
        source = try container.decode(String.self, forKey: .source)
        pacing = try container.decodeIfPresent(Int.self, forKey: .pacing) ?? 50
        guard (0...100).contains(pacing) else { throw EditError.invalid(path: "pacing", reason: "is from 0 to 100") }
        editOutput = try container.decodeIfPresent(String.self, forKey: .editOutput)
    }
}

/// Render an edit into a file.
package struct RenderTask: Sendable, Equatable, Decodable {
    package var edit: EditDocument
    package var output: String
    package var salvage: Bool
    package var mode: RenderMode

    private enum CodingKeys: String, CodingKey, CaseIterable { case edit, output, salvage, mode }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.strictContainer(keyedBy: CodingKeys.self)
        edit = try container.decode(EditDocument.self, forKey: .edit)
        output = try container.decode(String.self, forKey: .output)
        salvage = try container.decodeIfPresent(Bool.self, forKey: .salvage) ?? false
        let mode = try container.decodeIfPresent(String.self, forKey: .mode) ?? RenderMode.auto.rawValue
        guard let known = RenderMode(rawValue: mode) else {
            throw EditError.invalid(path: "mode", reason: "is auto, smart or full")
        }
        self.mode = known
    }
}
