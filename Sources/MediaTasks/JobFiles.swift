internal import CodecHost
internal import Model
internal import WorkerCore

/// What one attempt may read and write, opened for its process when it asks.
///
/// SAFETY: used on the thread that serves the process, and before and after that on one that waits for it; `interrupt`
/// touches only what any thread may.
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
    private let interruption: Interruption
    /// Chunks to be joined, which are the sources behind the others; opened when they are wanted.
    var keptURIs: [String] = []
    var keptSizes: [Int64] = []

    /// - Parameter interruption: of the whole attempt, which ends what blocks here.
    init(
        _ objects: any MediaObjects, owner: String, lease: Lease, sources: [String], output: String?, isFolder: Bool,
        outputLimitBytes: Int64, interruption: Interruption
    ) {
        (self.objects, self.owner, self.lease) = (objects.heeding(interruption, for: lease), owner, lease)
        (sourceURIs, outputURI, self.isFolder) = (sources, output, isFolder)
        (self.outputLimitBytes, self.interruption) = (outputLimitBytes, interruption)
    }

    /// One of the sources as it was opened, for a process that only looks at it.
    func only(_ index: Int) -> JobFiles {
        let files = JobFiles(
            objects, owner: owner, lease: lease, sources: [sourceURIs[index]], output: nil, isFolder: false,
            outputLimitBytes: 0, interruption: interruption)
        files.sources[0] = sources[index]
        return files
    }

    /// Opens the sources, so that what cannot be read or is too large shows before a process is started.
    ///
    /// - Parameter wholly: all of them will be read.
    /// - Returns: their sizes.
    func openSources(limitBytes: Int64, wholly: Bool) throws(Failure) -> [Int64?] {
        var sizes: [Int64?] = []
        for (index, uri) in sourceURIs.enumerated() {
            let source = try objects.open(uri, owner: owner)
            if let size = source.sizeBytes, size > limitBytes {
                throw Failure(
                    code: .sourceTooLarge,
                    message: "\(ShownPlace.text(uri)) has \(size >> 20) MB; sources may have \(limitBytes >> 20) MB")
            }
            if wholly { source.expectWhole() }
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
            if keptURIs.indices.contains(index - sourceURIs.count) {
                let source = try objects.openKept(keptURIs[index - sourceURIs.count], owner: owner)
                source.expectWhole()
                return source
            }
            throw Failure(code: .unknownSource, message: "there is no source \(index)")
        }
        return source
    }

    func makeOutput(_ name: String, headBytes: Int64) throws -> any RereadableSink {
        guard let outputURI, !interruption.isRaised else { throw StopReason.cancelled.failure }
        // Of two under one name the later counts, and stores have one of them at a time.
        outputs[name] = nil
        let bounds = OutputBounds(headBytes: headBytes, limitBytes: outputLimitBytes)
        let output = try objects.stage(outputURI, name: isFolder ? name : nil, bounds: bounds, for: lease)
        outputs[name] = output
        return output
    }

    /// What tells the opened sources from what they may become; with their names, since two may be alike.
    var versions: [String?] {
        sourceURIs.indices.map { index in
            (sources[index] as? any VersionedSource)?.versionText.map { "\(sourceURIs[index]) \($0)" }
        }
    }

    /// Numbers of chunks that are not there.
    func missingKept() throws(Failure) -> [Int] {
        var missing: [Int] = []
        for (number, uri) in keptURIs.enumerated() {
            do throws(Failure) {
                _ = try objects.openKept(uri, owner: owner)
            } catch {
                guard error.code == .fileNotFound else { throw error }
                missing.append(number)
            }
        }
        return missing
    }

    /// Gives a chunk its name.
    ///
    /// - Returns: where it is.
    func keep(_ name: String) throws(Failure) -> String {
        guard let output = outputs[name] else {
            throw Failure(code: .internalFault, message: "the job made no \(name)")
        }
        try objects.keep(output, for: lease)
        return output.uri
    }

    /// Stages a whole output.
    func write(_ bytes: [UInt8], name: String) throws {
        let output = try makeOutput(name, headBytes: 0)
        try bytes.withUnsafeBytes { try output.write($0, at: 0) }
    }

    func interrupt() { interruption.raise() }

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
