import Foundation

/// Where the tests' media lies, found upwards from this file.
package enum Fixture {
    /// The folder that holds `Package.swift`.
    package static let repository: String = {
        var folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        while folder.path != "/", !FileManager.default.fileExists(atPath: folder.path + "/Package.swift") {
            folder.deleteLastPathComponent()
        }
        return folder.path
    }()

    /// A well-formed file.
    package static func media(_ name: String) -> String { "\(repository)/Fixtures/media/\(name)" }

    /// A file that must be refused, or survived.
    package static func hostile(_ name: String) -> String { "\(repository)/Fixtures/hostile/\(name)" }

    /// Real files beside the checkout, which not every machine has.
    package static let sharedMedia: String? = {
        var folder = URL(fileURLWithPath: repository)
        folder.deleteLastPathComponent()
        let path = folder.path + "/shared/media"
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }()

    /// The program under test, which the build puts beside the test bundle.
    package static let program: String = {
        let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: bundle).deletingLastPathComponent().path + "/reelpool"
    }()
}
