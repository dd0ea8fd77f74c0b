internal import CodecHost
internal import Model
internal import Synchronization
internal import WorkerCore

/// What one attempt may read and write, opened for its process when it asks.
///
/// SAFETY: used on the thread that serves the process, and before and after that on one that waits for it; `interrupt`
/// touches only what is behind the mutex.
final class JobFiles: ChildFiles, @unchecked Sendable {
    private let objects: any MediaObjects
    private let owner: String
    private let lease: Lease
    private let sourceURIs: [String]
    /// Where outputs go: a folder for tasks that make several files.
    private let outputURI: String?
    private let isFolder: Bool
    private let outputLimitBytes: Int64
    private var sources: [Int: any ByteSource] = [:]
    private var outputs: [String: any StagedObject] = [:]
    private let isInterrupted = Mutex(false)

    init(
        _ objects: any MediaObjects, owner: String, lease: Lease, sources: [String], output: String?, isFolder: Bool,
        outputLimitBytes: Int64
    ) {
        (self.objects, self.owner, self.lease) = (objects, owner, lease)
        (sourceURIs, outputURI, self.isFolder) = (sources, output, isFolder)
        self.outputLimitBytes = outputLimitBytes
    }

    /// Opens the sources, so that what cannot be read or is too large shows before a process is started.
    ///
    /// - Returns: their sizes.
    func openSources(limitBytes: Int64) throws(Failure) -> [Int64?] {
        var sizes: [Int64?] = []
        for (index, uri) in sourceURIs.enumerated() {
            let source = try objects.open(uri, owner: owner)
            if let size = source.sizeBytes, size > limitBytes {
                throw Failure(
                    code: .sourceTooLarge,
                    message: "\(uri) has \(size >> 20) MB; sources may have \(limitBytes >> 20) MB")
            }
            sources[index] = source
            sizes.append(source.sizeBytes)
        }
        return sizes
    }

    func prepareOutputs() throws(Failure) {
        guard let outputURI else { return }
        try objects.checkOutput(outputURI, owner: owner)
        try objects.fence(lease, outputs: [outputURI])
    }

    func openSource(_ index: Int) throws -> any ByteSource {
        guard let source = sources[index] else {
            throw Failure(code: .unknownSource, message: "there is no source \(index)")
        }
        return source
    }

    func makeOutput(_ name: String, headBytes: Int64) throws -> any RereadableSink {
        guard let outputURI, isInterrupted.withLock({ !$0 }) else { throw StopReason.cancelled.failure }
        let bounds = OutputBounds(headBytes: headBytes, limitBytes: outputLimitBytes)
        let output = try objects.stage(outputURI, name: isFolder ? name : nil, bounds: bounds, for: lease)
        outputs[name] = output
        return output
    }

    /// Stages a whole output.
    func write(_ bytes: [UInt8], name: String) throws {
        let output = try makeOutput(name, headBytes: 0)
        try bytes.withUnsafeBytes { try output.write($0, at: 0) }
    }

    func interrupt() { isInterrupted.withLock { $0 = true } }

    /// Makes the outputs of that name visible.
    ///
    /// - Returns: what their owner calls them, by name.
    func commit(_ names: [String]) throws(Failure) -> [String: String] {
        var chosen: [String: any StagedObject] = [:]
        for name in names {
            guard let output = outputs[name] else {
                throw Failure(code: .internalFault, message: "the job made no \(name)")
            }
            chosen[name] = output
        }
        if !chosen.isEmpty { try objects.commit(Array(chosen.values), for: lease) }
        return chosen.mapValues(\.uri)
    }
}
