/// How a render goes about pictures that the edit leaves as they are.
package enum RenderMode: String, Codable, Sendable, CaseIterable {
    /// Copies them where that is predicted to be worth it, and encodes everything otherwise.
    case auto
    /// Copies them wherever it can be done.
    case smart
    /// Encodes everything.
    case full
}
