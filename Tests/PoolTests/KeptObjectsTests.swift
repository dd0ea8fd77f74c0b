import Foundation
import LocalObjects
import Model
import TestSupport
import Testing
import WorkerCore

@Suite("Files that a job keeps beside its output")
struct KeptObjectsTests {
    private static let job = JobID("6f1c1c1e-0000-4000-8000-000000000002").unsafelyUnwrapped

    private static func lease(_ epoch: Int64) -> Lease { Lease(job: job, epoch: epoch) }

    private static func staged(
        _ text: String, _ uri: String, _ name: String?, in objects: LocalObjects, _ epoch: Int64
    ) throws -> any StagedObject {
        let object = try objects.stage(uri, name: name, bounds: OutputBounds(limitBytes: 1 << 30), for: lease(epoch))
        try Array(text.utf8).withUnsafeBytes { try object.write($0, at: 0) }
        return object
    }

    private static func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

    @Test("stay from one attempt to the next, and do not count as its outputs")
    func stay() throws {
        try withTemporaryFolder { folder in
            let objects = LocalObjects(folders: [folder])
            let (output, kept) = ("\(folder)/out.mp4", "\(folder)/out.mp4.chunks/job/digest")
            try objects.fence(Self.lease(1), outputs: [output])
            try objects.commit([Self.staged("first", output, nil, in: objects, 1)], for: Self.lease(1))
            try objects.keep(Self.staged("one", kept, "1", in: objects, 1), for: Self.lease(1))
            try objects.fence(Self.lease(2), outputs: [output])
            #expect(try objects.openKept("\(kept)/1", owner: "o").sizeBytes == 3)
            let late = try Self.staged("late", kept, "2", in: objects, 1)
            #expect(throws: Failure.self) { try objects.keep(late, for: Self.lease(1)) }
            try objects.keep(Self.staged("two", kept, "2", in: objects, 2), for: Self.lease(2))
            // The second attempt fails: what the first had made visible goes, and what is kept is somebody else's affair.
            objects.settle(Self.lease(2), succeeded: false)
            #expect(Self.text(output) == nil)
            #expect(Self.text("\(kept)/1") == "one" && Self.text("\(kept)/2") == "two")
        }
    }

    @Test("go one by one, and their folders with the last")
    func removed() throws {
        try withTemporaryFolder { folder in
            let objects = LocalObjects(folders: [folder])
            let kept = "\(folder)/out.mp4.chunks/job/digest"
            try objects.fence(Self.lease(1), outputs: ["\(folder)/out.mp4"])
            for name in ["0", "1"] {
                try objects.keep(Self.staged(name, kept, name, in: objects, 1), for: Self.lease(1))
            }
            try objects.removeKept(kept, name: "0")
            try objects.removeKept(kept, name: "7")
            #expect(Self.text("\(kept)/0") == nil && Self.text("\(kept)/1") == "1")
            for _ in 0..<2 { try objects.removeKept(kept, name: "1") }
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/out.mp4.chunks"))
            #expect(FileManager.default.fileExists(atPath: folder))
            #expect(throws: Failure.self) { try objects.removeKept("/etc", name: "hostname") }
        }
    }
}
