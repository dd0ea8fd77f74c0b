import Foundation
import LocalFiles
import LocalObjects
import Model
import TestSupport
import Testing
import WorkerCore

@Suite("Files that tasks name")
struct LocalObjectsTests {
    private static let job = JobID("6f1c1c1e-0000-4000-8000-000000000001").unsafelyUnwrapped

    private static let bounds = OutputBounds(limitBytes: 1 << 30)

    private static func lease(_ epoch: Int64) -> Lease { Lease(job: job, epoch: epoch) }

    private static func put(_ text: String, into object: any StagedObject) throws {
        try Array(text.utf8).withUnsafeBytes { try object.write($0, at: 0) }
    }

    private static func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

    private static func fences(_ folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/.reelpool-fences")) ?? []
    }

    private static func code(_ body: () throws -> Void) -> FailureCode? {
        do {
            try body()
            return nil
        } catch {
            return Failure(error).code
        }
    }

    @Test("are read below allowed folders only, whatever leads out of them")
    func sources() throws {
        try withTemporaryFolder { folder in
            let (root, outside) = ("\(folder)/media", "\(folder)/secret.txt")
            try FileManager.default.createDirectory(atPath: "\(root)/sub", withIntermediateDirectories: true)
            try write("inside", to: "\(root)/sub/a.mp4")
            try write("secret", to: outside)
            try FileManager.default.createSymbolicLink(atPath: "\(root)/link.mp4", withDestinationPath: outside)
            try FileManager.default.createSymbolicLink(atPath: "\(root)/up", withDestinationPath: folder)
            let objects = LocalObjects(folders: [root])
            #expect(try objects.open("\(root)/sub/a.mp4", owner: "o").sizeBytes == 6)
            #expect(try objects.open("file://\(root)/sub/a%2Emp4", owner: "o").sizeBytes == 6)
            for place in [
                outside, "\(root)/../secret.txt", "\(root)/link.mp4", "\(root)/up/secret.txt", "/etc/passwd",
                "sub/a.mp4", "http://host/a.mp4", "file://\(root)/%2E%2E/secret.txt", "\(root)/sub/./a.mp4", "",
                "\(root)", "\(folder)/mediaX/a.mp4",
            ] {
                #expect(Self.code { _ = try objects.open(place, owner: "o") } == .sourceNotAllowed, "\(place)")
            }
            #expect(Self.code { _ = try objects.open("\(root)/none.mp4", owner: "o") } == .fileNotFound)
        }
    }

    @Test("are written below allowed folders only, and not among the fences")
    func outputs() throws {
        try withTemporaryFolder { folder in
            let root = "\(folder)/media"
            try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(atPath: "\(root)/up", withDestinationPath: folder)
            let objects = LocalObjects(folders: [root])
            try objects.checkOutput("\(root)/new/deep/out.mp4", owner: "o")
            for place in [
                "\(folder)/out.mp4", "\(root)/up/out.mp4", "\(root)/.reelpool-fences/x", "\(root)/../out.mp4",
            ] {
                #expect(Self.code { try objects.checkOutput(place, owner: "o") } == .sourceNotAllowed, "\(place)")
            }
        }
    }

    @Test("appear when they are committed, and not before")
    func commit() throws {
        try withTemporaryFolder { folder in
            let objects = LocalObjects(folders: [folder])
            try objects.fence(Self.lease(1), outputs: ["\(folder)/out"])
            let first = try objects.stage("\(folder)/out", name: "proxy.mp4", bounds: Self.bounds, for: Self.lease(1))
            let second = try objects.stage("\(folder)/out", name: "poster.jpg", bounds: Self.bounds, for: Self.lease(1))
            try Self.put("proxy", into: first)
            try Self.put("poster", into: second)
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder)/out").isEmpty)
            try objects.commit([first, second], for: Self.lease(1))
            #expect(Self.text("\(folder)/out/proxy.mp4") == "proxy" && first.uri == "\(folder)/out/proxy.mp4")
            objects.settle(Self.lease(1), succeeded: true)
            #expect(Self.text("\(folder)/out/poster.jpg") == "poster" && Self.fences(folder).isEmpty)
        }
    }

    @Test("of an attempt that another has followed never appear")
    func staleEpoch() throws {
        try withTemporaryFolder { folder in
            let objects = LocalObjects(folders: [folder])
            let place = "\(folder)/out.mp4"
            try objects.fence(Self.lease(1), outputs: [place])
            let old = try objects.stage(place, name: nil, bounds: Self.bounds, for: Self.lease(1))
            try Self.put("old", into: old)
            try objects.fence(Self.lease(2), outputs: [place])
            #expect(Self.code { try objects.commit([old], for: Self.lease(1)) } == .leaseLost)
            #expect(Self.code { try objects.fence(Self.lease(1), outputs: [place]) } == .leaseLost)
            let new = try objects.stage(place, name: nil, bounds: Self.bounds, for: Self.lease(2))
            try Self.put("new", into: new)
            try objects.commit([new], for: Self.lease(2))
            objects.settle(Self.lease(2), succeeded: true)
            #expect(Self.code { try objects.commit([old], for: Self.lease(1)) } == .leaseLost, "also when all is over")
            #expect(Self.text(place) == "new")
        }
    }

    @Test("that an attempt made visible go when its job ends without success, unless they were replaced")
    func settle() throws {
        try withTemporaryFolder { folder in
            let objects = LocalObjects(folders: [folder])
            let (one, two) = ("\(folder)/one.mp4", "\(folder)/two.mp4")
            try objects.fence(Self.lease(1), outputs: [one])
            let staged = try [one, two].map {
                try objects.stage($0, name: nil, bounds: Self.bounds, for: Self.lease(1))
            }
            for object in staged { try Self.put("made", into: object) }
            try objects.commit(staged, for: Self.lease(1))
            // Somebody puts another file there.
            try FileManager.default.removeItem(atPath: two)
            try write("mine", to: two)
            #expect(objects.unsettled() == [Self.lease(1)])
            objects.settle(Self.lease(3), succeeded: false)
            #expect(Self.text(one) == nil && Self.text(two) == "mine")
            #expect(objects.unsettled().isEmpty && Self.fences(folder).isEmpty)
        }
    }
}
