internal import Dispatch
internal import Engine
internal import FoundationEssentials
internal import Lettering
internal import LocalFiles
package import Media
internal import Model
internal import Synchronization

/// What became of one fixture.
package struct FixtureResult: Codable, Sendable, Equatable {
    package enum Outcome: String, Codable, Sendable { case passed, failed, updated }

    package var name: String
    package var outcome: Outcome
    package var differences: [Difference]
    package var seconds: Double
}

/// Renders fixtures and compares them with their expectations, several at a time.
///
/// A fixture is a folder with `edit.json`, the sources it names, and `expected.json`.
package struct FixtureRunner: Sendable {
    private let root: String
    private let update: Bool
    private let differencesFolder: String
    private let cancellation: Cancellation

    package init(root: String, update: Bool, differencesFolder: String, cancellation: Cancellation) {
        (self.root, self.update) = (root, update)
        (self.differencesFolder, self.cancellation) = (differencesFolder, cancellation)
    }

    /// - Parameters:
    ///   - parallel: fixtures at a time, each on one thread.
    ///   - finished: called once for each, from several threads, with how many are done.
    package func run(
        parallel: Int, finished: @escaping @Sendable (FixtureResult, Int, Int) -> Void
    ) throws -> [FixtureResult] {
        let folders = try find(root)
        guard !folders.isEmpty else {
            throw Failure(code: .fileNotFound, message: "there is no fixture (a folder with edit.json) in \(root)")
        }
        let state = Mutex((next: 0, results: [FixtureResult]()))
        let work: @Sendable () -> Void = {
            while let index = state.withLock({ state -> Int? in
                guard state.next < folders.count, !cancellation.isRaised else { return nil }
                defer { state.next += 1 }
                return state.next
            }) {
                let result = runOne(folders[index])
                guard !cancellation.isRaised else { return }
                let done = state.withLock { state in
                    state.results.append(result)
                    return state.results.count
                }
                finished(result, done, folders.count)
            }
        }
        // Queues of their own have threads of their own, however busy the process is; `concurrentPerform` may do with one.
        let group = DispatchGroup()
        for number in 0..<min(max(1, parallel), folders.count) {
            DispatchQueue(label: "reelpool.fixtures.\(number)").async(group: group, execute: work)
        }
        group.wait()
        guard !cancellation.isRaised else { throw Failure(code: .cancelled, message: "the run was cancelled") }
        return state.withLock { $0.results }.sorted { $0.name < $1.name }
    }

    private func find(_ folder: String) throws -> [String] {
        if FileManager.default.fileExists(atPath: folder + "/edit.json") { return [folder] }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            throw Failure(code: .fileNotFound, message: "there is no folder \(folder)")
        }
        return try names.sorted().flatMap { name -> [String] in
            let path = "\(folder)/\(name)"
            var isFolder = false
            guard !name.hasPrefix("."), FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder
            else { return [] }
            return try find(path)
        }
    }

    private func runOne(_ folder: String) -> FixtureResult {
        let started = monotonicSeconds()
        var result = FixtureResult(
            name: folder.hasPrefix(root + "/") ? String(folder.dropFirst(root.count + 1)) : folder, outcome: .passed,
            differences: [], seconds: 0)
        do {
            result.differences = try check(folder, name: result.name)
            result.outcome = update ? .updated : result.differences.isEmpty ? .passed : .failed
        } catch {
            let failure = Failure(error)
            result.outcome = .failed
            result.differences = [Difference(what: "fixture", expected: "can be run", actual: failure.message)]
        }
        result.seconds = monotonicSeconds() - started
        return result
    }

    private func check(_ folder: String, name: String) throws -> [Difference] {
        let scratch = try ScratchFolder()
        let expected = try readExpectation(folder)
        let output = "\(scratch.path)/output.\(try containerName(folder))"
        do {
            try render(folder, to: output)
        } catch {
            return try checkFailure(Failure(error), expected, folder)
        }
        let actual = try OutputInspection.inspect(output, cancellation: cancellation)
        if update {
            try writeExpectation(actual, keeping: expected, output: output, folder: folder)
            return []
        }
        guard let expected else {
            return [Difference(what: "expected.json", expected: "present", actual: "absent; run with --update")]
        }
        if let error = expected.error {
            return [Difference(what: "failure", expected: error, actual: "an output")]
        }
        var check = FixtureCheck(expected: expected, actual: actual)
        if check.needsPictures {
            let reference = expected.video?.reference.map { "\(folder)/\($0)" }
            let comparison = try reference.map { try PictureComparison.compare($0, output, cancellation: cancellation) }
            if let frame = check.checkPictures(comparison), let reference,
                let png = try PictureComparison.picture(ofFrame: frame, reference, output, cancellation: cancellation)
            {
                try OutputFolder.create(differencesFolder)
                let flatName = name.split(separator: "/").joined(separator: "-")
                let path = "\(differencesFolder)/\(flatName)-frame\(frame).png"
                try WholeFile.write(png, to: path)
                check.attach(picture: path)
            }
        }
        return check.differences
    }

    private func render(_ folder: String, to output: String) throws {
        let edit = try readEdit(folder)
        let paths = edit.sources.map { $0.uri.hasPrefix("/") ? $0.uri : "\(folder)/\($0.uri)" }
        var options = RenderOptions()
        // A golden shows what the edit says, not what a source had to offer for copying.
        options.mode = .full
        options.threads = ThreadBudget(total: 1)
        if edit.captions != nil { options.fonts = InstalledFonts.read() }
        _ = try Renderer(
            edit, paths: paths, output: output, options: options, meter: ProgressMeter(), cancellation: cancellation
        ).run()
    }

    private func readEdit(_ folder: String) throws -> EditDocument {
        try EditDocument(json: Data(EditBytes.read(path: folder + "/edit.json", limitBytes: 64 << 20)))
    }

    private func containerName(_ folder: String) throws -> String {
        // An edit that cannot be read fails when it is rendered, where its code is compared.
        (try? readEdit(folder).output.container?.rawValue) ?? "mp4"
    }

    private func checkFailure(_ failure: Failure, _ expected: Expectation?, _ folder: String) throws -> [Difference] {
        if update {
            var renewed = Expectation()
            renewed.error = failure.code.rawValue
            try write(renewed, folder)
            return []
        }
        guard failure.code.rawValue != expected?.error else { return [] }
        return [
            Difference(
                what: "failure", expected: expected?.error ?? "an output",
                actual: "\(failure.code.rawValue): \(failure.message)")
        ]
    }

    private func readExpectation(_ folder: String) throws -> Expectation? {
        let path = folder + "/expected.json"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let data = Data(try EditBytes.read(path: path, limitBytes: 64 << 20))
        do {
            if let stranger = try JSONDecoder().decode(UnknownFields.self, from: data).paths.first {
                throw Failure(code: .unknownField, message: "\(stranger) is not a field of \(path)")
            }
            return try JSONDecoder().decode(Expectation.self, from: data)
        } catch let error as DecodingError {
            throw Failure(code: .invalidJSON, message: "\(path) is not an expectation", detail: "\(error)")
        }
    }

    /// Floors and tolerances that somebody chose are kept.
    private func writeExpectation(
        _ actual: OutputInspection, keeping old: Expectation?, output: String, folder: String
    ) throws {
        var renewed = Expectation()
        renewed.durationMs = max(actual.videoMilliseconds ?? 0, actual.audioMilliseconds ?? 0)
        renewed.sizeBytes = actual.sizeBytes
        renewed.sizeTolerancePercent = old?.sizeTolerancePercent ?? 10
        if !actual.frameTimes.isEmpty {
            renewed.frames = actual.frameTimes.count
            renewed.frameTimesMs = actual.frameTimes
            let suffix = output.split(separator: ".").last ?? "mp4"
            let reference = "expected.\(suffix)"
            try WholeFile.write(EditBytes.read(path: output, limitBytes: .max), to: "\(folder)/\(reference)")
            renewed.video = .init(
                width: actual.width, height: actual.height, sha256: actual.pictureHash, reference: reference,
                psnrMin: old?.video?.psnrMin ?? 38, ssimMin: old?.video?.ssimMin ?? 0.98)
        }
        if let rate = actual.sampleRate, let channels = actual.channels, let duration = actual.audioMilliseconds {
            renewed.audio = .init(
                sampleRate: rate, channels: channels, durationMs: duration, loudnessLufs: actual.loudness,
                loudnessToleranceLu: old?.audio?.loudnessToleranceLu ?? 0.5)
        }
        try write(renewed, folder)
    }

    private func write(_ expectation: Expectation, _ folder: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let text = String(decoding: try encoder.encode(expectation), as: UTF8.self)
        try WholeFile.write(text + "\n", to: folder + "/expected.json")
    }
}

/// A folder in the system's temporary place that goes when its owner does.
private final class ScratchFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/reelpool-fixture-\(UUID().uuidString)"
        try OutputFolder.create(path)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
