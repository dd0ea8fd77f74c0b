package import LocalFiles
package import Model

/// Sources by their paths.
package struct LocalSources: SourceProvider {
    package init() {}

    package func open(_ name: String) throws -> any ByteSource { try LocalFile(path: name) }
    package func lastingName(of name: String) -> String { absolutePath(name) }
}

/// Outputs by their paths, in a folder when there is one.
package struct LocalOutputs: OutputProvider {
    private let folder: String?

    /// - Parameter folder: made when absent; names are paths without it.
    package init(folder: String? = nil) { self.folder = folder }

    package func prepare() throws {
        if let folder { try OutputFolder.create(folder) }
    }

    package func create(_ name: String, headBytes: Int64) throws -> any StagedOutput {
        try StagedFile(destination: path(name))
    }

    package func commit(_ outputs: [any StagedOutput]) throws {
        try StagedFile.commit(outputs.compactMap { $0 as? StagedFile })
    }

    package func isSource(_ source: String, output name: String) -> Bool { isSameFile(source, path(name)) }

    private func path(_ name: String) -> String {
        guard let folder else { return name }
        return folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
    }
}

extension StagedFile: StagedOutput {}
