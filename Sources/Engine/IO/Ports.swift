package import Model

/// Where a job's sources come from: local files, or whoever started this process.
package protocol SourceProvider {
    /// Opens a source for one reader; may be called again for the same one, to read it from the beginning.
    ///
    /// - Parameter name: what the job calls the source, such as its path or its uri in an edit.
    func open(_ name: String) throws -> any ByteSource
    /// The name under which the source is found from elsewhere too, as a proposed edit should have it.
    func lastingName(of name: String) -> String
}

/// An output being written, invisible to everybody else until its provider commits it.
///
/// Whoever lets go of one that was not committed leaves nothing behind. Only its head and its last MiB are read back.
package protocol StagedOutput: RereadableSink {
    /// Where it will be: what a report calls it.
    var destination: String { get }
}

/// Where a job's outputs go.
package protocol OutputProvider {
    /// Called once before the first output.
    func prepare() throws
    /// Makes an output. Of two under one name, the later replaces the earlier.
    ///
    /// - Parameter headBytes: so many bytes from the beginning, at most, are written out of order and again; where
    ///   nothing was written they are zero. All that follows is written once, in order.
    func create(_ name: String, headBytes: Int64) throws -> any StagedOutput
    /// Makes complete outputs visible, all of them or, as far as can be, none.
    func commit(_ outputs: [any StagedOutput]) throws
    /// Whether writing the output would destroy the source.
    func isSource(_ source: String, output name: String) -> Bool
}
