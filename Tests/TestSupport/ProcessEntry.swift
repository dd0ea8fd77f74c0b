internal import Foundation

/// A process as the kernel tells of it. Source: proc(5), /proc/PID/stat.
package struct ProcessEntry: Sendable {
    package let identifier: Int32
    package let name: String
    package let parent: Int32
    private let state: Substring

    /// Ended, though nobody may have taken notice yet.
    package var isDead: Bool { state == "Z" || state == "X" }

    /// The file that it runs; nothing for what is dead or another user's.
    package var program: String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(identifier)/exe")
    }

    /// `nil` when there is none.
    package init?(_ identifier: Int32) {
        guard let text = try? String(contentsOfFile: "/proc/\(identifier)/stat", encoding: .utf8),
            let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[text.index(after: close)...].split(separator: " ")
        guard fields.count > 1, let parent = Int32(fields[1]) else { return nil }
        (self.identifier, self.parent, state) = (identifier, parent, fields[0])
        name = String(text[text.index(after: open)..<close])
    }

    /// All that there are, dead ones too, by their ids.
    package static var all: [ProcessEntry] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.sorted().compactMap { ProcessEntry($0) }
    }
}
