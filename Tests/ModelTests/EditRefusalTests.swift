import Foundation
import Model
import Testing

@Suite("A faulty edit")
struct EditRefusalTests {
    private static func refusal(_ json: String) -> EditError? { EditDocumentTests.failure(json) }

    @Test(
        "names the unknown field with its place",
        arguments: [
            (#"{"sources":[],"timelines":[]}"#, "timelines"),
            (#"{"sources":[{"id":"a","uri":"x","name":"y"}],"timeline":[]}"#, "sources[0].name"),
            (#"{"sources":[{"uri":"x"},{"uri":"y","ids":"y"}],"timeline":[]}"#, "sources[1].ids"),
            (EditDocumentTests.timeline(#"{"source":"a","from_ms":1}"#), "timeline[0].from_ms"),
            (
                EditDocumentTests.timeline(#"{"source":"a"},{"source":"a","start":{"value":1,"rate":2,"scale":3}}"#),
                "timeline[1].start.scale"
            ),
            (#"{"sources":[{"uri":"x"}],"edits":[{"start_ms":0,"end_ms":1,"kind":"cut"}]}"#, "edits[0].kind"),
            (EditDocumentTests.timeline(#"{"source":"a"}"#, more: #""settings":{"size":1}"#), "settings.size"),
            (EditDocumentTests.timeline(#"{"source":"a"}"#, more: #""output":{"format":"mp4"}"#), "output.format"),
            (
                EditDocumentTests.timeline(#"{"source":"a"}"#, more: #""output":{"video":{"bitrate":1}}"#),
                "output.video.bitrate"
            ),
            (
                EditDocumentTests.timeline(#"{"source":"a"}"#, more: #""output":{"audio":{"volume":1}}"#),
                "output.audio.volume"
            ),
        ])
    func unknownField(json: String, path: String) {
        #expect(Self.refusal(json) == .unknownField(path: path))
    }

    @Test(
        "names the field that is missing, null, of the wrong type or out of its bounds",
        arguments: [
            (#"{"timeline":[]}"#, "sources"), (#"{"sources":null,"timeline":[]}"#, "sources"),
            (#"{"sources":{},"timeline":[]}"#, "sources"), (#"{"sources":[],"timeline":[]}"#, "sources"),
            (#"{"sources":["a.mp4"],"timeline":[]}"#, "sources[0]"),
            (#"{"sources":[{"id":"a"}],"timeline":[]}"#, "sources[0].uri"),
            (#"{"sources":[{"id":1,"uri":"x"}],"timeline":[]}"#, "sources[0].id"),
            (#"{"sources":[{"id":"a","uri":""}],"timeline":[]}"#, "sources[0]"),
            (#"{"sources":[{"id":"a","uri":"x"},{"id":"a","uri":"y"}],"timeline":[]}"#, "sources[1].id"),
            (#"{"sources":[{"id":"1","uri":"x"},{"uri":"y"}],"timeline":[]}"#, "sources[1].id"),
            (EditDocumentTests.timeline(#"{"start_ms":0}"#), "timeline[0].source"),
            (EditDocumentTests.timeline(#"{"source":"a","start_ms":"0"}"#), "timeline[0].start_ms"),
            (EditDocumentTests.timeline(#"{"source":"a","start_ms":true}"#), "timeline[0].start_ms"),
            (EditDocumentTests.timeline(#"{"source":"a","start_ms":[1]}"#), "timeline[0].start_ms"),
            (EditDocumentTests.timeline(#"{"source":"a","start_ms":1,"start":2}"#), "timeline[0].start_ms"),
            (EditDocumentTests.timeline(#"{"source":"a","end_ms":1,"end":2}"#), "timeline[0].end_ms"),
            (EditDocumentTests.timeline(#"{"source":"a","start_ms":1e300}"#), "timeline[0].start_ms"),
            (EditDocumentTests.timeline(#"{"source":"a","start_ms":1e999}"#), "timeline[0].start_ms"),
            (EditDocumentTests.timeline(#"{"source":"a","end_ms":99999999999999}"#), "timeline[0].end_ms"),
            (EditDocumentTests.timeline(#"{"source":"a","start":{"value":1}}"#), "timeline[0].start.rate"),
            (EditDocumentTests.timeline(#"{"source":"a","start":{"rate":1}}"#), "timeline[0].start.value"),
            (EditDocumentTests.timeline(#"{"source":"a","start":{"value":1,"rate":0}}"#), "timeline[0].start.rate"),
            (EditDocumentTests.timeline(#"{"source":"a","start":{"value":1,"rate":-24}}"#), "timeline[0].start.rate"),
            (EditDocumentTests.timeline(#"{"source":"a","start":{"value":1,"rate":29.97}}"#), "timeline[0].start.rate"),
            (EditDocumentTests.timeline(#"{"source":"a","start":{"value":0.5,"rate":1}}"#), "timeline[0].start.value"),
            (
                EditDocumentTests.timeline(#"{"source":"a","start":{"value":-9223372036854775808,"rate":1}}"#),
                "timeline[0].start.value"
            ),
            (
                EditDocumentTests.timeline(#"{"source":"a","start":{"value":9223372036854775807,"rate":1000}}"#),
                "timeline[0].start.value"
            ),
            (#"{"sources":[{"uri":"x"}],"edits":[{"end_ms":1}]}"#, "edits[0].start_ms"),
            (#"{"sources":[{"uri":"x"}],"edits":[{"start_ms":1}]}"#, "edits[0].end_ms"),
            (#"{"sources":[{"uri":"x"}],"edits":[{"start_ms":0,"end_ms":1,"action":"drop"}]}"#, "edits[0].action"),
            (EditDocumentTests.timeline(#"{"source":"a"}"#, more: #""settings":{"upscale":1}"#), "settings.upscale"),
        ])
    func faultyField(json: String, path: String) {
        guard case .invalid(path, _) = Self.refusal(json) else {
            Issue.record("\(String(describing: Self.refusal(json)))")
            return
        }
    }

    @Test(
        "names the output field that is out of its bounds",
        arguments: [
            (#"{"fps":0}"#, "output.fps"), (#"{"fps":241}"#, "output.fps"), (#"{"fps":-25}"#, "output.fps"),
            (#"{"fps":"25"}"#, "output.fps"), (#"{"fps":"1/2"}"#, "output.fps"), (#"{"fps":"1/0"}"#, "output.fps"),
            (#"{"fps":true}"#, "output.fps"), (#"{"fps":[25]}"#, "output.fps"), (#"{"fps":1e999}"#, "output.fps"),
            (#"{"video":{"crf":99999999999999999999}}"#, "output.video.crf"),
            (#"{"video":{"crf":-1}}"#, "output.video.crf"), (#"{"video":{"crf":52}}"#, "output.video.crf"),
            (#"{"video":{"codec":"hevc","crf":52}}"#, "output.video.crf"),
            (#"{"video":{"codec":"vp9","crf":64}}"#, "output.video.crf"),
            (#"{"video":{"crf":20.5}}"#, "output.video.crf"), (#"{"video":{"codec":"h265"}}"#, "output.video.codec"),
            (#"{"video":{"preset":"placebo"}}"#, "output.video.preset"),
            (#"{"video":{"dynamic_range":"hdr"}}"#, "output.video.dynamic_range"),
            (#"{"video":{"keyframe_interval_s":0}}"#, "output.video.keyframe_interval_s"),
            (#"{"video":{"keyframe_interval_s":61}}"#, "output.video.keyframe_interval_s"),
            (#"{"audio":{"channels":0}}"#, "output.audio.channels"),
            (#"{"audio":{"channels":9}}"#, "output.audio.channels"),
            (#"{"audio":{"bitrate_kbps":7}}"#, "output.audio.bitrate_kbps"),
            (#"{"audio":{"bitrate_kbps":1537}}"#, "output.audio.bitrate_kbps"),
            (#"{"audio":{"sample_rate":7999}}"#, "output.audio.sample_rate"),
            (#"{"audio":{"sample_rate":96001}}"#, "output.audio.sample_rate"),
            (#"{"audio":{"codec":"pcm"}}"#, "output.audio.codec"), (#"{"video":[]}"#, "output.video"),
        ])
    func faultyOutput(output: String, path: String) {
        let json = EditDocumentTests.timeline(#"{"source":"a"}"#, more: #""output":\#(output)"#)
        guard case .invalid(path, _) = Self.refusal(json) else {
            Issue.record("\(String(describing: Self.refusal(json)))")
            return
        }
    }

    @Test(
        "that is no JSON is said to be none",
        arguments: [
            "", "{", "nonsense", #"{"sources":[{"uri":"x"}],"timeline":[{"source":"0","start_ms":NaN}]}"#,
            #"{"sources":[{"uri":"x"}],"timeline":[{"source":"0","start_ms":Infinity}]}"#,
            #"{"sources":[{"uri":"x"}],"timeline":[{"source":"0","start_ms":1,}]}"# + "x", "\u{0}\u{1}\u{2}",
        ])
    func noJSON(text: String) {
        guard case .notJSON = Self.refusal(text) else {
            Issue.record("\(String(describing: Self.refusal(text)))")
            return
        }
    }

    @Test("is refused when it is no object", arguments: ["[]", "1", #""text""#, "null"])
    func noObject(text: String) {
        #expect(Self.refusal(text) != nil)
    }

    @Test("must have a timeline or edits, not both")
    func oneForm() {
        let source = #""sources":[{"id":"a","uri":"x"}]"#
        #expect(Self.refusal("{\(source)}")?.code == .invalidEdit)
        #expect(Self.refusal(#"{\#(source),"timeline":[],"edits":[]}"#)?.code == .invalidEdit)
        #expect(Self.refusal(#"{\#(source),"timeline":null,"edits":[]}"#) == nil)
    }

    @Test("may hold many ranges, but not any number", arguments: [(100_000, true), (100_001, false)])
    func rangeCount(count: Int, accepted: Bool) {
        let ranges = [String](repeating: #"{"source":"a"}"#, count: count).joined(separator: ",")
        let refusal = Self.refusal(EditDocumentTests.timeline(ranges))
        #expect((refusal == nil) == accepted)
        if !accepted { #expect(refusal?.code == .invalidEdit) }
    }

    @Test("nested without end is refused, and the reader survives")
    func deepNesting() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(Self.refusal(#"{"sources":\#(deep)"#) != nil)
    }

    @Test(
        "gives each kind of fault its code",
        arguments: [
            (EditError.unknownField(path: "x"), FailureCode.unknownField),
            (.invalid(path: "x", reason: "y"), .invalidEdit), (.notJSON(reason: "z"), .invalidJSON),
        ])
    func codes(error: EditError, code: FailureCode) {
        #expect(error.code == code)
        #expect(!error.message.isEmpty)
    }
}
