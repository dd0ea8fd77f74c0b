import Foundation
import Model
import TestSupport
import Testing

/// Real files, which not every machine has beside its checkout: each works or fails with one classified error.
@Suite("A proxy set of real media", .proxyShelf, .enabled(if: Fixture.sharedMedia != nil, "../shared/media is absent"))
struct SharedMediaProxyTests {
    static let folder = Fixture.sharedMedia ?? ""
    static let files = ((try? contents(ofFolder: folder)) ?? []).filter { $0 != "README.md" && !isLong($0) }

    /// Minutes of 1080p are for the benchmark.
    static func isLong(_ name: String) -> Bool { name.hasPrefix("long_1080p") }

    static let refused: [String: FailureCode] = [
        "sample_fragmented_widevine.mp4": .encryptedMedia, "sample_still_photo.heic": .formatNotAllowed,
    ]
    /// Packets of sound whose times leap by up to 40 ms or overlap, which is taken for a clock's unsteadiness.
    static let unevenSound: Set<String> = [
        "h265_with_metadata_track.mp4", "hlg10-color-test.mp4", "sample_edit_list_only_preroll_sync_sample.mp4",
        "sample_with_increasing_timestamps_320w_240h_5s.mp4",
    ]
    static let accepted = files.filter { refused[$0] == nil }

    static func set(_ name: String) throws -> ProxySet { try ProxyShelf.set(of: "\(folder)/\(name)") }

    @Test("is refused with a code where it cannot be made", arguments: files.filter { refused[$0] != nil })
    func refusal(name: String) throws {
        try withTemporaryFolder { folder in
            let found = failure { try makeProxy(of: "\(Self.folder)/\(name)", in: folder) }
            #expect(found?.code == Self.refused[name])
            let left = try contents(ofFolder: folder)
            #expect(left == [])
        }
    }

    @Test("has the picture that was promised", arguments: accepted)
    func picture(name: String) throws {
        let set = try Self.set(name)
        // The command cannot make sense of the sound of that one.
        guard try ProbedFile(set.proxy).video != nil, name != "sample_missing_stsd.mp4" else { return }
        try ProxyPromises.checkVideo(set)
        try ProxyPromises.checkKeyframes(set)
        try ProxyPromises.checkIndexFirst(set)
        try ProxyPromises.checkFrameTimes(set)
        guard try !isHDR(set.source) else { return }
        try ProxyPromises.checkPictures(set)
        try ProxyPromises.checkSprite(set)
    }

    private func isHDR(_ path: String) throws -> Bool {
        let transfer = try ProbedFile(path).video?.colorTransfer
        return transfer == "smpte2084" || transfer == "arib-std-b67"
    }

    @Test("has the sound that was promised", arguments: accepted)
    func sound(name: String) throws {
        let set = try Self.set(name)
        guard try ProbedFile(set.proxy).audio != nil else { return }
        let isEven = !Self.unevenSound.contains(name)
        try ProxyPromises.checkSound(set, floor: isEven ? 10 : nil)
        try ProxyPromises.checkSpeech(set, floor: isEven ? 10 : nil)
        if isEven { try ProxyPromises.checkWaveform(set) }
    }
}
