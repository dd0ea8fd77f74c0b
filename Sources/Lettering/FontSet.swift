package import FoundationEssentials
package import Model

/// Font files, opened beforehand, so that text can be set where no file can be.
package final class FontSet: Sendable {
    package struct Font: Sendable {
        /// The file's.
        package let name: String
        /// Mapped, where it is a file's: read when it is used.
        package let bytes: Data
        package let families: Set<String>

        package init(name: String, bytes: Data) {
            (self.name, self.bytes) = (name, bytes)
            families = FontNames(bytes).families()
        }
    }

    /// Has whatever a caption's own font has not.
    static let fallback = "DejaVu Sans"

    package let fonts: [Font]

    package init(_ fonts: [Font]) { self.fonts = fonts }

    package static let none = FontSet([])

    func fonts(ofFamily name: String) -> [Font] {
        fonts.filter { $0.families.contains { $0.lowercased() == name.lowercased() } }
    }
}

/// What setting text fails with.
package enum LetteringError: ClassifiedError, Equatable {
    case noFonts
    case noFont(String)
    case outOfMemory

    package var code: FailureCode {
        switch self {
        case .noFonts, .noFont: .noFont
        case .outOfMemory: .outOfMemory
        }
    }

    package var message: String {
        switch self {
        case .noFonts: "there are no fonts to set captions in"
        case .noFont(let name): "there is no font \"\(name)\""
        case .outOfMemory: "there is no memory to set captions"
        }
    }
}
