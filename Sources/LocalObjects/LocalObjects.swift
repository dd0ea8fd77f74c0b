internal import Glibc
internal import LocalFiles
package import Model
package import WorkerCore

/// Files on the machine's own disks, below folders that the operator allows.
package struct LocalObjects: MediaObjects {
    /// Beside what is written: links and names cannot cross file systems.
    private static let fenceFolder = ".reelpool-fences"

    private let roots: LocalRoots

    package init(folders: [String]) { roots = LocalRoots(folders) }

    package func open(_ uri: String, owner: String) throws(Failure) -> any ByteSource {
        try LocalFile(path: try roots.source(uri))
    }

    package func checkOutput(_ uri: String, owner: String) throws(Failure) {
        let place = try roots.output(uri)
        guard !place.path.hasPrefix("\(place.root)/\(Self.fenceFolder)") else {
            throw Failure(code: .sourceNotAllowed, message: "\(uri) is not where tasks may write")
        }
    }

    package func fence(_ lease: Lease, outputs: [String]) throws(Failure) {
        do {
            for root in try rootsOf(outputs) {
                try OutputFolder.create("\(root)/\(Self.fenceFolder)")
                try file(lease.job, root).change(create: true) { content in
                    if let epoch = content?.epoch, epoch > lease.epoch { throw StopReason.leaseLost.failure }
                    // What an earlier attempt made visible stays on record until it is replaced or settled.
                    content = FenceFile.Content(job: lease.job, epoch: lease.epoch, outputs: content?.outputs ?? [])
                }
            }
        } catch {
            throw Failure(error)
        }
    }

    package func stage(
        _ uri: String, name: String?, bounds: OutputBounds, for lease: Lease
    ) throws(Failure) -> any StagedObject {
        let place = try roots.output(uri)
        if name != nil { try OutputFolder.create(place.path) }
        let path = name.map { "\(place.path)/\($0)" } ?? place.path
        return StagedLocalObject(
            try StagedFile(destination: path), uri: name.map { "\(uri)/\($0)" } ?? uri, root: place.root)
    }

    package func commit(_ objects: [any StagedObject], for lease: Lease) throws(Failure) {
        do {
            let staged = objects.compactMap { $0 as? StagedLocalObject }
            for (root, group) in Dictionary(grouping: staged, by: \.root) {
                let mayCommit = try file(lease.job, root).change(create: false) { content -> Bool in
                    guard content?.epoch == lease.epoch else { return false }
                    let outputs = group.compactMap { object in
                        object.file.identity.map { FenceFile.Output(path: object.file.destination, identity: $0) }
                    }
                    content?.outputs = outputs
                    return true
                }
                guard mayCommit == true else { throw StopReason.leaseLost.failure }
                // The intent is on disk; the names follow under the lock again, which a later attempt takes first.
                let isCommitted = try file(lease.job, root).change(create: false) { content -> Bool in
                    guard content?.epoch == lease.epoch else { return false }
                    try StagedFile.commit(group.map(\.file))
                    return true
                }
                guard isCommitted == true else { throw StopReason.leaseLost.failure }
            }
        } catch {
            throw Failure(error)
        }
    }

    package func keep(_ object: any StagedObject, for lease: Lease) throws(Failure) {
        guard let object = object as? StagedLocalObject else { return }
        do {
            let isKept = try file(lease.job, object.root).change(create: false) { content -> Bool in
                guard content?.epoch == lease.epoch else { return false }
                try StagedFile.commit([object.file])
                return true
            }
            guard isKept == true else { throw StopReason.leaseLost.failure }
        } catch {
            throw Failure(error)
        }
    }

    package func openKept(_ uri: String, owner: String) throws(Failure) -> any ByteSource {
        try LocalFile(path: try roots.output(uri).path)
    }

    package func removeKept(_ folder: String, name: String) throws(Failure) {
        var path = try roots.output(folder).path
        guard unlink("\(path)/\(name)") == 0 || errno == ENOENT || errno == ENOTDIR else {
            throw Failure(
                code: .outputNotWritable, message: "\(folder)/\(name) cannot be removed",
                detail: String(cString: strerror(errno)))
        }
        // Only empty folders are removed so: the one, and those above it that were made with it.
        for _ in 0..<Self.keptDepth where rmdir(path) == 0 {
            path = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        }
    }

    /// `<output>.chunks/<job>/<digest>`.
    private static let keptDepth = 3

    package func settle(_ lease: Lease, succeeded: Bool) {
        for root in roots.all {
            // A fence that cannot be settled now is settled by whoever looks next.
            _ = try? file(lease.job, root).change(create: false) { content in
                guard let found = content, found.epoch <= lease.epoch else { return }
                if !succeeded || found.epoch < lease.epoch { removeOutputs(of: found) }
                content = nil
            }
        }
    }

    package func unsettled() -> [Lease] {
        roots.all.flatMap { root -> [Lease] in
            let folder = "\(root)/\(Self.fenceFolder)"
            return names(in: folder).compactMap { name in
                guard let job = JobID(name) else { return nil }
                let epoch = try? file(job, root).change(create: false) { $0?.epoch }
                return (epoch ?? nil).map { Lease(job: job, epoch: $0) }
            }
        }
    }

    /// Only files that are still the ones which the attempt made: what came later under their names stays.
    private func removeOutputs(of content: FenceFile.Content) {
        for output in content.outputs where FileIdentity(path: output.path) == output.identity { unlink(output.path) }
    }

    private func rootsOf(_ outputs: [String]) throws(Failure) -> Set<String> {
        var found: Set<String> = []
        for uri in outputs { found.insert(try roots.output(uri).root) }
        return found
    }

    private func file(_ job: JobID, _ root: String) -> FenceFile {
        FenceFile(path: "\(root)/\(Self.fenceFolder)/\(job)")
    }

    private func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            names.append(
                withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        return names
    }
}

private final class StagedLocalObject: StagedObject {
    let file: StagedFile
    let uri: String
    let root: String

    init(_ file: StagedFile, uri: String, root: String) { (self.file, self.uri, self.root) = (file, uri, root) }

    var sizeBytes: Int64? { file.sizeBytes }
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws { try file.write(bytes, at: offset) }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        try file.read(into: buffer, at: offset)
    }
}
