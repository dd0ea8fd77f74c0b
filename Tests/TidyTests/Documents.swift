import Foundation
import TestSupport

/// The repository's text files by their endings, from its root; nothing that was built or is hidden.
func repositoryFiles(endingIn endings: [String], under folder: String = "") -> [String] {
    let root = folder.isEmpty ? Fixture.repository : "\(Fixture.repository)/\(folder)"
    guard let walk = FileManager.default.enumerator(atPath: root) else { return [] }
    var files: [String] = []
    for case let name as String in walk {
        let last = name.split(separator: "/").last ?? ""
        if last.hasPrefix(".") || ["out", "fixture-differences", "node_modules"].contains(name) {
            walk.skipDescendants()
        } else if endings.contains(where: name.hasSuffix) {
            files.append(folder.isEmpty ? name : "\(folder)/\(name)")
        }
    }
    return files.sorted()
}
