package import Model

/// What tasks name and workers read and write: files below allowed folders, objects in a store.
///
/// All functions may block: call them on a thread that may.
package protocol MediaObjects: Sendable {
    /// Opens a source that its job's owner may read.
    func open(_ uri: String, owner: String) throws(Failure) -> any ByteSource
    /// Whether the owner may have something written there; thrown before any work is done.
    func checkOutput(_ uri: String, owner: String) throws(Failure)
    /// Before an attempt begins an output: from now on no earlier attempt of the job can make one visible.
    func fence(_ lease: Lease, outputs: [String]) throws(Failure)
    /// Begins an output that nobody sees before it is committed.
    ///
    /// - Parameter name: of a file in the folder that `uri` is; `nil` where `uri` is the output itself.
    func stage(
        _ uri: String, name: String?, bounds: OutputBounds, for lease: Lease
    ) throws(Failure) -> any StagedObject
    /// Makes all of an attempt's outputs visible, if no later attempt has begun.
    func commit(_ objects: [any StagedObject], for lease: Lease) throws(Failure)
    /// Gives an object its name that the job needs until it has ended, and that is none of its outputs: what is there of
    /// those stays as it is. Whoever asked for it removes it.
    func keep(_ object: any StagedObject, for lease: Lease) throws(Failure)
    /// Opens an object that was kept, where the owner may write.
    func openKept(_ uri: String, owner: String) throws(Failure) -> any ByteSource
    /// Removes what was kept in a folder under a name, and the folder when nothing else is in it. Fine when there is
    /// nothing.
    func removeKept(_ folder: String, name: String) throws(Failure)
    /// The job has ended: what `lease` made stays if it succeeded, and goes otherwise, unless another took its place.
    func settle(_ lease: Lease, succeeded: Bool)
    /// Attempts that left something which may have to be settled by another worker than theirs.
    func unsettled() -> [Lease]
    /// As `settle`, of an attempt whose job is on record no more: it ended long ago, or was never this pool's.
    func settleForgotten(_ lease: Lease)

    /// The same objects, for one attempt: whatever blocks in them, or in what was opened or staged by them, ends within a
    /// second after the interruption.
    ///
    /// - Parameter lease: the attempt's, by which what it may read is told where that is not told by its owner; `nil` for
    ///   who clears up after others, and opens nothing.
    func heeding(_ interruption: Interruption, for lease: Lease?) -> any MediaObjects
}

extension MediaObjects {
    package func keep(_ object: any StagedObject, for lease: Lease) throws(Failure) { try commit([object], for: lease) }

    package func openKept(_ uri: String, owner: String) throws(Failure) -> any ByteSource {
        throw Failure(code: .sourceNotAllowed, message: "nothing is kept at \(uri)")
    }

    package func removeKept(_ folder: String, name: String) throws(Failure) {}

    package func settleForgotten(_ lease: Lease) {}
    package func heeding(_ interruption: Interruption, for lease: Lease?) -> any MediaObjects { self }
}

/// An output in the making. What is never committed leaves nothing behind.
///
/// Its head (`OutputBounds.headBytes`) can be read back and written again, and the last MiB can be read back. Whether
/// more can is the store's affair: what leaves for a network while it is written throws `read_failed` for the middle,
/// and a read that begins in the head ends with it.
package protocol StagedObject: RereadableSink {
    /// What its owner calls it when it is there.
    var uri: String { get }
}
