internal import FoundationEssentials

/// The fonts that captions may name.
package enum InstalledFonts {
    /// Names the folder that they lie in.
    package static let variable = "REELPOOL_FONTS"
    /// Where Debian's `fonts-dejavu-core` puts its fonts.
    package static let usualFolder = "/usr/share/fonts/truetype/dejavu"

    /// More is no folder of fonts for captions.
    private static let maximumFiles = 2000

    /// The fonts in the folder and those below; without any where there is no such folder.
    package static func read() -> FontSet {
        let asked = ProcessInfo.processInfo.environment[variable] ?? ""
        return read(asked.isEmpty ? usualFolder : asked)
    }

    package static func read(_ folder: String) -> FontSet {
        guard let names = try? FileManager.default.subpathsOfDirectory(atPath: folder) else { return .none }
        let files = names.filter { name in
            ["ttf", "otf", "ttc"].contains { name.lowercased().hasSuffix(".\($0)") }
        }
        return FontSet(
            files.sorted().prefix(maximumFiles).compactMap { name in
                let url = URL(filePath: "\(folder)/\(name)")
                return (try? Data(contentsOf: url, options: .alwaysMapped)).map { .init(name: name, bytes: $0) }
            })
    }
}
