package import Engine
import Foundation
import Media
package import Model
import Synchronization
package import Testing

/// What one run of the proxy job made.
package struct ProxySet: Sendable {
    package var source: String
    package var folder: String
    package var report: ProxyReport

    package func file(_ name: String) -> String { "\(folder)/\(name)" }
    package var proxy: String { file("proxy.mp4") }
    package var speech: String { file("audio.mp3") }
    package var names: [String] { (try? contents(ofFolder: folder)) ?? [] }
}

/// Makes a proxy set of a source in a folder.
@discardableResult
package func makeProxy(
    of source: String, in folder: String, when: ProxyOptions.When = .always, threads: Int = 1, salvage: Bool = false
) throws -> ProxySet {
    LogCapture.install()
    var options = ProxyOptions()
    options.when = when
    options.threads = ThreadBudget(total: threads)
    options.salvage = salvage
    let report = try ProxyBuilder(
        path: source, folder: folder, options: options, meter: ProgressMeter(), cancellation: Cancellation()
    ).run()
    return ProxySet(source: source, folder: folder, report: report)
}

/// Proxy sets that several tests look at, each made once.
package final class ProxyShelf: Sendable {
    private final class Slot: Sendable {
        let content = Mutex<Result<ProxySet, any Error>?>(nil)
    }

    @TaskLocal package static var current: ProxyShelf?

    private let folder: String
    private let slots = Mutex<[String: Slot]>([:])

    package init(folder: String) { self.folder = folder }

    /// The set of a source, made now when nobody asked for it before.
    package static func set(of source: String) throws -> ProxySet {
        guard let current else { throw CommandFailure(description: "this suite lacks the trait .proxyShelf") }
        return try current.set(of: source)
    }

    private func set(of source: String) throws -> ProxySet {
        let (slot, number) = slots.withLock { slots in
            let slot = slots[source, default: Slot()]
            slots[source] = slot
            return (slot, slots.count)
        }
        return try slot.content.withLock { content in
            if let content { return try content.get() }
            let result = Result { try makeProxy(of: source, in: "\(folder)/\(number)") }
            content = result
            return try result.get()
        }
    }
}

/// Gives a suite, and all suites within it, one shelf, which is cleared when all of them are done.
package struct ProxyShelfTrait: SuiteTrait, TestScoping {
    package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/reelpool-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await ProxyShelf.$current.withValue(ProxyShelf(folder: folder)) { try await function() }
    }
}

extension Trait where Self == ProxyShelfTrait {
    package static var proxyShelf: Self { ProxyShelfTrait() }
}
