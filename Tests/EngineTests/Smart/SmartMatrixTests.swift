import Foundation
import Model
import TestSupport
import Testing

/// How a source is coded.
struct CodedForm: Sendable, CustomStringConvertible {
    var gop: Int
    var bFrames: Int
    var isOpen = false
    var parameters = ""
    var profile = "high"
    var container = "mp4"
    var isUneven = false

    var description: String {
        "gop \(gop), \(bFrames) B\(isOpen ? ", open" : ""), \(profile), \(container)\(isUneven ? ", uneven" : "")"
            + (parameters.isEmpty ? "" : ", \(parameters)")
    }

    /// - Parameter frames: how many it has.
    func make(in folder: String, frames: Int) throws -> String {
        let path = "\(folder)/source.\(container)"
        let spacing = isUneven ? ",settb=1/90000,setpts='N*3000+mod(N*N*7,5)*400'" : ""
        var x264 = ["keyint=\(gop)", "min-keyint=\(max(1, gop / 4))", "bframes=\(bFrames)"]
        if isOpen { x264.append("open-gop=1") }
        if !parameters.isEmpty { x264.append(parameters) }
        _ = try Command.output(
            "ffmpeg",
            [
                "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=192x112:rate=30", "-f", "lavfi", "-i",
                "sine=f=330:r=48000", "-vf", "noise=alls=12:allf=t,format=yuv420p\(spacing)", "-fps_mode",
                "passthrough",
                "-frames:v", "\(frames)", "-t", "\(Double(frames) / 30)", "-c:v", "libx264", "-preset", "veryfast",
                "-profile:v", profile, "-crf", "24", "-x264-params", x264.joined(separator: ":"), "-c:a", "aac", path,
            ])
        return path
    }

    static let forms: [CodedForm] = [
        CodedForm(gop: 24, bFrames: 3), CodedForm(gop: 24, bFrames: 0), CodedForm(gop: 12, bFrames: 2),
        CodedForm(gop: 30, bFrames: 3, isOpen: true), CodedForm(gop: 24, bFrames: 3, isOpen: true, container: "mkv"),
        CodedForm(gop: 24, bFrames: 3, isOpen: true, container: "ts"), CodedForm(gop: 24, bFrames: 3, container: "ts"),
        CodedForm(gop: 24, bFrames: 3, container: "mkv"), CodedForm(gop: 24, bFrames: 2, container: "mov"),
        CodedForm(gop: 30, bFrames: 0, profile: "baseline"), CodedForm(gop: 30, bFrames: 3, profile: "main"),
        CodedForm(gop: 24, bFrames: 3, isUneven: true), CodedForm(gop: 1, bFrames: 0),
        CodedForm(gop: 24, bFrames: 3, parameters: "cabac=0"), CodedForm(gop: 24, bFrames: 3, parameters: "slices=4"),
        CodedForm(gop: 24, bFrames: 3, parameters: "b-pyramid=strict:ref=4"),
        CodedForm(gop: 24, bFrames: 5, isOpen: true, parameters: "b-pyramid=normal:b-adapt=0"),
        CodedForm(gop: 24, bFrames: 3, parameters: "weightp=2:8x8dct=0:ref=1"),
        CodedForm(gop: 120, bFrames: 3), CodedForm(gop: 48, bFrames: 8, parameters: "b-adapt=2"),
    ]
}

/// Any source, cut anywhere: what comes out is what the reference selection has, frame by frame.
@Suite("A smart render of any source")
struct SmartMatrixTests {
    @Test("keeps what was asked for", arguments: CodedForm.forms.indices)
    func cuts(form index: Int) throws {
        let form = CodedForm.forms[index]
        let seed = RandomCuts.seed(of: index)
        var random = SeededGenerator(seed: seed)
        try withTemporaryFolder { folder in
            let frames = 150
            let source = try form.make(in: folder, frames: frames)
            let shown = try ReferenceVideo(source)
            for round in 0..<(Thoroughness.isFull ? 40 : 8) {
                let ranges = RandomCuts.list(of: shown, fromBeginning: round == 0, using: &random)
                let (container, threads) = (form.container == "ts" ? "mp4" : form.container, 1 + round % 2)
                try SelectionCheck.check(
                    ranges, of: source, showing: shown, in: folder, as: "out\(round)", container: container,
                    threads: threads, besideFullEncode: round < 2, "\(form), seed \(seed), round \(round)")
            }
        }
    }
}
