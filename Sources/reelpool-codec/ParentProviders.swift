internal import Engine
internal import Isolation
internal import Model

/// The engine's sources, asked of the daemon.
struct ParentSources: SourceProvider {
    let link: ParentLink
    let sources: [CodecTask.Source]

    func open(_ name: String) throws -> any ByteSource {
        guard let index = sources.firstIndex(where: { $0.name == name }) else {
            throw EngineError(.fileNotFound, "there is no source \(name)")
        }
        guard sources[index].sizeBytes != 0 else { throw EngineError(.emptyFile, "\(name) is empty") }
        return ParentSource(link, index: index, sizeBytes: sources[index].sizeBytes)
    }

    func lastingName(of name: String) -> String { name }
}

/// An output handed to the daemon, as the engine stages it.
final class NamedParentOutput: StagedOutput {
    let destination: String
    let output: ParentOutput

    init(_ name: String, _ output: ParentOutput) { (destination, self.output) = (name, output) }

    var sizeBytes: Int64? { output.sizeBytes }
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws { try output.write(bytes, at: offset) }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        try output.read(into: buffer, at: offset)
    }
}

/// The engine's outputs, handed to the daemon as they are written. It keeps those that were committed when the job
/// has succeeded.
final class ParentOutputs: OutputProvider {
    private let link: ParentLink
    private let names: [String]
    private var committed: [String: ParentOutput] = [:]

    init(_ link: ParentLink, names: [String]) { (self.link, self.names) = (link, names) }

    func prepare() {}
    func isSource(_ source: String, output name: String) -> Bool { false }

    func create(_ name: String, headBytes: Int64) throws -> any StagedOutput {
        guard let index = names.firstIndex(of: name) else {
            throw EngineError(.outputNotWritable, "\(name) is not among the job's outputs")
        }
        return NamedParentOutput(name, ParentOutput(link, index: index, headBytes: headBytes))
    }

    func commit(_ outputs: [any StagedOutput]) {
        for case let output as NamedParentOutput in outputs {
            output.output.commit()
            committed[output.destination] = output.output
        }
    }

    /// An output that counts, to be read back.
    func committed(_ name: String) -> (any ByteSource)? { committed[name] }
}
