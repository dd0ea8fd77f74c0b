import Foundation
import PoolTestSupport
import TestSupport
import Testing

/// What `make run` shows first to whoever tries Reelpool.
@Suite("The demonstration")
struct DemoTests {
    @Test("takes a recording through a pool without any server, and leaves nothing running")
    func demo() async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/reelpool-demo-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let programs = (Fixture.program as NSString).deletingLastPathComponent
        let words = ["\(Fixture.repository)/scripts/demo.sh", programs, Fixture.media("talk.mp4"), folder]
        let result = try await blocking { try Command.run("bash", words) }
        #expect(result.status == 0, "\(result.errors)")
        for name in ["proxy/proxy.mp4", "proxy/sprite.jpg", "pauses.json", "tight.mp4"] {
            #expect(FileManager.default.fileExists(atPath: "\(folder)/\(name)"), "\(name)")
        }
        #expect(result.text.components(separatedBy: "succeeded").count > 4, "\(result.text)")
    }
}
