internal import Engine
internal import Isolation
internal import Model

/// The chunks of a task: their plan came with it, one that is encoded goes out, and those to be joined come in.
final class ParentChunks: ChunkStore {
    private let link: ParentLink
    private let task: CodecTask
    private let order: ChunkOrder
    /// What is looked at once, and chunks that are made anew because they came in damaged.
    private let memory = MemoryChunks()

    init(_ link: ParentLink, task: CodecTask, order: ChunkOrder) {
        (self.link, self.task, self.order) = (link, task, order)
    }

    /// Of the edit: those behind them are chunks.
    var sourceCount: Int {
        if case .join = order.step {
            max(0, task.sources.count - (order.division?.weights.count ?? 0))
        } else {
            task.sources.count
        }
    }

    func open(_ name: String) throws -> (any ByteSource)? {
        if let object = try memory.open(name) { return object }
        guard let division = order.division else { return nil }
        let parts = name.split(separator: "/")
        guard parts.count == 2, parts[0] == division.digest else {
            throw EngineError(
                .sourceChanged, "the render has changed since it was divided",
                detail: "its chunks are those of \(division.digest), and \(name) is wanted")
        }
        if parts[1] == "plan" { return MemoryBytes(Array(division.plan.utf8), name) }
        guard case .join = order.step, let number = Int(parts[1]), division.weights.indices.contains(number) else {
            return nil
        }
        let index = sourceCount + number
        return ParentSource(link, index: index, sizeBytes: task.sources[index].sizeBytes)
    }

    func create(_ name: String) throws -> any StagedOutput {
        guard case .chunk = order.step, let output = task.outputs.first else { return try memory.create(name) }
        return NamedParentOutput(output, ParentOutput(link, index: 0, headBytes: 0))
    }

    func commit(_ object: any StagedOutput) throws {
        if let object = object as? NamedParentOutput { object.output.commit() } else { try memory.commit(object) }
    }

    func remove(_ name: String) throws { try memory.remove(name) }
}
