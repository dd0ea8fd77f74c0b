import Foundation
import Model
import Testing

@Suite("An edit's JSON")
struct EditDocumentTests {
    @Test("of a timeline is read with every field")
    func timeline() throws {
        let edit = try Self.decode(
            #"""
            {"sources":[{"id":"a","uri":"one.mp4"},{"id":"b","uri":"dir/two.mkv"}],
             "timeline":[{"source":"b","start_ms":1000,"end_ms":2500.5},
                         {"source":"a","start":{"value":36036,"rate":24000},"end":{"value":3,"rate":1}},
                         {"source":"a","start":40},{"source":"a"}],
             "settings":{"resolution":"720p","aspect_ratio":"9:16","background":"blur","upscale":true,
                         "audio_censorship":"bleep"},
             "output":{"container":"mkv","fps":25,
                       "video":{"codec":"hevc","crf":24,"preset":"slow","dynamic_range":"sdr","keyframe_interval_s":2},
                       "audio":{"codec":"opus","bitrate_kbps":96,"sample_rate":48000,"channels":2}}}
            """#)
        #expect(edit.sources == [EditSource(id: "a", uri: "one.mp4"), EditSource(id: "b", uri: "dir/two.mkv")])
        #expect(
            edit.programme
                == .timeline([
                    TimelineRange(
                        source: "b", start: EditTime(seconds: .one), end: EditTime(seconds: Rational(25005, 10000))),
                    TimelineRange(
                        source: "a", start: EditTime(seconds: Rational(3003, 2000)), end: EditTime(milliseconds: 3000)),
                    TimelineRange(source: "a", start: EditTime(milliseconds: 40), end: nil),
                    TimelineRange(source: "a", start: EditTime(milliseconds: 0), end: nil),
                ]))
        #expect(edit.settings.resolution == .p720)
        #expect(edit.settings.aspectRatio == .portrait)
        #expect(edit.settings.background == .blur)
        #expect(edit.settings.upscale)
        #expect(edit.settings.audioCensorship == .bleep)
        #expect(edit.output.container == .mkv)
        #expect(edit.output.framesPerSecond == Rational(25))
        #expect(edit.output.video.codec == .hevc)
        #expect(edit.output.video.crf == 24)
        #expect(edit.output.video.preset == .slow)
        #expect(edit.output.video.dynamicRange == .sdr)
        #expect(edit.output.video.keyframeIntervalSeconds == 2)
        #expect(edit.output.audio.codec == .opus)
        #expect(edit.output.audio.bitrateKilobits == 96)
        #expect(edit.output.audio.sampleRate == 48000)
        #expect(edit.output.audio.channels == 2)
    }

    @Test("of an edit list is read with every field")
    func editList() throws {
        let edit = try Self.decode(
            #"""
            {"sources":[{"uri":"one.mp4"},{"uri":"two.mp4"}],
             "edits":[{"start_ms":0,"end_ms":500,"type":"SILENCE","action":"cut"},
                      {"start_ms":600,"end_ms":700,"type":"PROFANITY","action":"mute"},
                      {"start":{"value":1,"rate":1},"end":{"value":2,"rate":1},"action":"bleep"},
                      {"start_ms":3000,"end_ms":4000}]}
            """#)
        #expect(edit.sources.map(\.id) == ["0", "1"])
        func operation(_ start: Int64, _ end: Int64, _ type: String?, _ action: EditOperation.Action) -> EditOperation {
            EditOperation(
                start: EditTime(milliseconds: start), end: EditTime(milliseconds: end), type: type, action: action)
        }
        #expect(
            edit.programme
                == .edits([
                    operation(0, 500, "SILENCE", .cut), operation(600, 700, "PROFANITY", .mute),
                    operation(1000, 2000, nil, .bleep), operation(3000, 4000, nil, .cut),
                ]))
        #expect(edit.settings == EditSettings())
        #expect(edit.output == OutputSettings())
    }

    @Test("that names nothing but what must be named gets the web's defaults")
    func defaults() throws {
        let edit = try Self.decode(Self.timeline(#"{"source":"a"}"#))
        #expect(edit.output.container == nil && edit.output.framesPerSecond == nil)
        #expect(edit.output.video.codec == nil && edit.output.video.crf == nil)
        #expect(edit.output.video.preset == .veryfast && edit.output.video.dynamicRange == .auto)
        #expect(edit.settings.resolution == .source && !edit.settings.upscale)
        #expect(edit.settings.aspectRatio == .source && edit.settings.background == .fit)
    }

    @Test(
        "is written as it can be read again",
        arguments: [
            #"{"sources":[{"id":"a","uri":"x"}],"timeline":[{"source":"a","start":{"value":1,"rate":3}}]}"#,
            #"{"sources":[{"uri":"x"}],"edits":[{"start_ms":1.5,"end_ms":2,"action":"mute","type":"t"}]}"#,
            #"""
            {"sources":[{"id":"a","uri":"x"}],"timeline":[],"settings":{"resolution":"480p","upscale":true},
             "output":{"fps":"30000/1001","container":"mov","audio":{"channels":1}}}
            """#,
        ])
    func roundTrip(json: String) throws {
        let edit = try Self.decode(json)
        #expect(try EditDocument(json: JSONEncoder().encode(edit)) == edit)
    }

    @Test(
        "takes every name of a closed set",
        arguments: [
            ("settings", "resolution", ["source", "480p", "720p", "1080p", "1440p", "2160p"]),
            ("settings", "aspect_ratio", ["source", "16:9", "9:16", "1:1"]),
            ("settings", "background", ["fit", "fill", "blur"]), ("settings", "audio_censorship", ["mute", "bleep"]),
            ("output", "container", ["mp4", "mov", "mkv", "webm"]),
        ])
    func closedSets(part: String, field: String, names: [String]) throws {
        for name in names {
            _ = try Self.decode(Self.timeline(#"{"source":"a"}"#, more: #""\#(part)":{"\#(field)":"\#(name)"}"#))
        }
        let error = Self.failure(Self.timeline(#"{"source":"a"}"#, more: #""\#(part)":{"\#(field)":"other"}"#))
        guard case .invalid("\(part).\(field)", let reason) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(names.allSatisfy(reason.contains), "the error lists the choices: \(reason)")
    }

    // MARK: Helpers

    static func decode(_ json: String) throws -> EditDocument { try EditDocument(json: Data(json.utf8)) }

    static func failure(_ json: String) -> EditError? {
        do throws(EditError) {
            _ = try EditDocument(json: Data(json.utf8))
            return nil
        } catch {
            return error
        }
    }

    /// An edit of one source, `a`, with these ranges.
    static func timeline(_ ranges: String, more: String? = nil) -> String {
        #"{"sources":[{"id":"a","uri":"x.mp4"}],"timeline":[\#(ranges)]\#(more.map { ",\($0)" } ?? "")}"#
    }
}
