internal import Model
internal import S3
internal import WorkerCore

/// Uploads that tries without an answer may have begun before the one whose name came back.
///
/// They can never be completed, because nobody knows them; but they are in the way, and their parts would be paid for.
struct UploadTwins: Sendable {
    /// Stores write whole seconds, and a request may be on its way for a while after its connection has ended.
    private static let slackMilliseconds: Int64 = 2000
    private static let lateMilliseconds: Int64 = 60_000

    let place: S3Place
    let uploadID: String
    /// From before the first try until the answer.
    let duration: Duration

    /// Of those that a store has: by its own times, so that nobody's clock matters.
    func among(_ uploads: [S3Upload]) -> [S3Upload] {
        let here = uploads.filter { $0.place == place }
        guard let own = here.first(where: { $0.uploadID == uploadID }).flatMap({ InstantText.milliseconds($0.begunAt) })
        else { return [] }
        let tries = Int64(duration / .milliseconds(1))
        let window = own - tries - Self.slackMilliseconds...own + Self.lateMilliseconds
        return here.filter { other in
            other.uploadID != uploadID && InstantText.milliseconds(other.begunAt).map(window.contains) ?? false
        }
    }
}
