import Foundation
import Media
import Model
import Planning
import TestSupport
import Testing

@testable import Engine

/// A codec that makes what a fault in an encoder, in splicing or in memory would.
private final class FaultyCodec: PictureCodec {
    enum Fault: String, CaseIterable, Sendable {
        case seamBits, seamCutShort, copiedBits, encoderFails
    }

    private let codec: any PictureCodec
    private let fault: Fault
    /// Packets of the kind that is hit, so far.
    private var seen = 0

    init(_ codec: any PictureCodec, _ fault: Fault) { (self.codec, self.fault) = (codec, fault) }

    var depth: ReorderDepth { codec.depth }
    func isSame(as other: any PictureCodec) -> Bool { codec.isSame(as: (other as? FaultyCodec)?.codec ?? other) }
    func seamEncoder(_ quality: SeamQuality, nominalFrameRate: Rational) throws -> SeamEncoder {
        if fault == .encoderFails { throw EngineError(.internalFault, "the encoder of seams does not start") }
        return try codec.seamEncoder(quality, nominalFrameRate: nominalFrameRate)
    }
    func join(_ encoder: [UInt8]) throws -> [UInt8] { try codec.join(encoder) }
    func entry(_ packet: borrowing Packet) throws -> CodedPicture.Entry { try codec.entry(packet) }
    func isDisposable(_ packet: borrowing Packet) -> Bool { codec.isDisposable(packet) }
    func beginCopy() { codec.beginCopy() }
    func beginSeam(before next: WindowPacket?) throws { try codec.beginSeam(before: next) }
    func skip(_ packet: borrowing Packet) throws { try codec.skip(packet) }
    func addPayload(of packet: borrowing Packet, isWritten: Bool, to hash: inout PayloadHash) throws {
        try codec.addPayload(of: packet, isWritten: isWritten, to: &hash)
    }

    func seam(_ packet: borrowing Packet) throws -> Packet {
        let made = try codec.seam(packet)
        return fault == .copiedBits ? made : try spoilt(made)
    }

    func copy(_ packet: borrowing Packet) throws -> Packet {
        let made = try codec.copy(packet)
        return fault == .copiedBits ? try spoilt(made) : made
    }

    /// The fortieth copied one, which no seam is near, or a seam's third.
    private func spoilt(_ packet: consuming Packet) throws -> Packet {
        seen += 1
        guard seen == (fault == .copiedBits ? 40 : 3) else { return packet }
        var bytes = Array(packet.bytes)
        switch fault {
        case .seamCutShort: bytes.removeLast(bytes.count / 3)
        case .encoderFails: break
        case .seamBits, .copiedBits: for place in bytes.count / 2..<bytes.count { bytes[place] ^= 0x5A }
        }
        return try Packet(copying: bytes, time: 0, duration: packet.duration, isKey: packet.isKey)
    }
}

@Suite("A smart render that came out wrong")
struct FallbackTests {
    @Test("is encoded in full instead, and counted", arguments: FaultyCodec.Fault.allCases.map(\.rawValue))
    func fellBack(name: String) throws {
        let fault = try #require(FaultyCodec.Fault(rawValue: name))
        let path = Fixture.media("bframes_closed.mp4")
        let source = try ReferenceVideo(path)
        let ranges: [(start: Rational, end: Rational?)] = [(Rational(1, 3), nil)]
        let expected = ExpectedProgramme(source, ranges: ranges)
        LogCapture.install()
        for mode in [RenderMode.smart] {
            try withTemporaryFolder { folder in
                let output = "\(folder)/out.mp4"
                var options = RenderOptions()
                options.mode = mode
                options.pictureCodec = { try FaultyCodec(PictureCodecs.open($0, stream: $1), fault) }
                let json = EditText.timeline(ranges, of: path, output: "{}")
                let report = try Renderer(
                    EditDocument(json: Data(json.utf8)), paths: [path], output: output, options: options,
                    meter: ProgressMeter(), cancellation: Cancellation()
                ).run()
                let smart = try #require(report.smart)
                #expect(smart.declined != nil && smart.fellBack)
                #expect(smart.copiedPictures == 0 && smart.encodedPictures == 0)
                let made = try ReferenceVideo(output)
                #expect(made.times == expected.frames.map(\.time))
                #expect(report.video?.frames == expected.frames.count)
                #expect(try contents(ofFolder: folder) == ["out.mp4"])
            }
        }
    }

    /// Where it breaks off, a part of a picture looks like a whole one.
    @Test("comes out as a full one does, or fails as that does, where a transport stream breaks off", arguments: 1...8)
    func brokenOff(part: Int) throws {
        let whole = try bytes(ofFile: Fixture.media("start_offset.ts"))
        try withTemporaryFolder { folder in
            let path = "\(folder)/source.ts"
            try whole.prefix(whole.count * (30 + 8 * part) / 100 + 77).write(to: URL(filePath: path))
            let outcomes = [RenderMode.smart, .full].map { mode in
                failure {
                    try render(
                        EditText.timeline([(Rational(1, 3), nil)], of: path, output: "{}"),
                        to: "\(folder)/\(mode).mp4", mode: mode)
                }
            }
            let codes = outcomes.map { $0?.code }
            #expect(codes[0] == codes[1], "\(codes)")
            guard codes == [nil, nil] else { return }
            let counts = try ["smart", "full"].map { try ReferenceVideo("\(folder)/\($0).mp4").frames.count }
            #expect(counts[0] == counts[1])
            try expectNoComplaints(about: "\(folder)/smart.mp4", "part \(part)")
        }
    }
}
