import Foundation
import Model
import TestSupport
import Testing

@Suite("Captions and overlays in an edit")
struct CaptionsTests {
    private static func edit(_ layers: String) throws -> EditDocument {
        try EditDocument(json: Data(#"{"sources":[{"id":"a","uri":"a"}],"timeline":[],\#(layers)}"#.utf8))
    }

    @Test("are read, and written as they were")
    func roundTrip() throws {
        let edit = try Self.edit(
            #"""
            "captions":{"cues":[{"start_ms":0,"end_ms":1500,"text":"Hello\nthere"}],
                        "style":{"font":"Inter","bold":false,"size":0.08,"color":"#ff8000","position":"top",
                                 "margin":0.1,"background":"#00000080","outline":null,"shadow":0.01}},
            "overlays":[{"source":"a","start_ms":10,"x":0.75,"y":-0.1,"width":0.2,"opacity":0.5}]
            """#)
        let captions = try #require(edit.captions)
        #expect(
            captions.cues == [
                Caption(start: .init(milliseconds: 0), end: .init(milliseconds: 1500), text: "Hello\nthere")
            ])
        #expect(captions.style.color == LayerColor(red: 255, green: 128, blue: 0))
        #expect(captions.style.background?.alpha == 128 && captions.style.outline == nil)
        #expect(captions.style.position == .top && !captions.style.isBold && captions.style.font == "Inter")
        #expect(edit.overlays[0].end == nil && edit.overlays[0].opacity == 0.5)
        let again = try EditDocument(json: JSONEncoder().encode(edit))
        #expect(again == edit)
    }

    @Test("have a style that suits most, where none is given")
    func usual() throws {
        let edit = try Self.edit(#""captions":{"cues":[]}"#)
        #expect(edit.captions?.style == CaptionStyle() && edit.overlays == [])
        #expect(try Self.edit(#""overlays":[{"source":"a"}]"#).overlays[0].width == 1)
    }

    @Test(
        "are refused with the place of what is wrong",
        arguments: [
            (#""captions":{"cues":[{"end_ms":1,"text":"x"}]}"#, "captions.cues[0].start_ms"),
            (#""captions":{"cues":[{"start_ms":0,"end_ms":1,"text":" \n"}]}"#, "captions.cues[0].text"),
            (#""captions":{"cues":[{"start_ms":0,"end_ms":1,"text":"a\u0007"}]}"#, "captions.cues[0].text"),
            (#""captions":{"cues":[],"style":{"color":"red"}}"#, "captions.style.color"),
            (##""captions":{"cues":[],"style":{"color":"#12345"}}"##, "captions.style.color"),
            (#""captions":{"cues":[],"style":{"size":2}}"#, "captions.style.size"),
            (#""captions":{"cues":[],"style":{"position":"left"}}"#, "captions.style.position"),
            (#""captions":{"cues":[],"style":{"font":"a,b"}}"#, "captions.style.font"),
            (##""captions":{"cues":[],"colour":"#fff"}"##, "captions.colour"),
            (#""overlays":[{"source":"a","opacity":1.5}]"#, "overlays[0].opacity"),
            (#""overlays":[{"source":"a","height":1}]"#, "overlays[0].height"),
        ])
    func refusals(layers: String, place: String) {
        let failure = failure { _ = try Self.edit(layers) }
        #expect(failure?.message.hasPrefix(place) == true, "\(failure?.message ?? "none")")
    }

    @Test("of images leave those out of the programme, unless it plays them")
    func programme() throws {
        func sources(_ programme: String) throws -> [Int] {
            try EditDocument(
                json: Data(
                    #"""
                    {"sources":[{"id":"a","uri":"a"},{"id":"b","uri":"b"},{"id":"c","uri":"c"}],\#(programme),
                     "overlays":[{"source":"b"}]}
                    """#.utf8)
            ).programmeSources
        }
        #expect(try sources(#""edits":[]"#) == [0, 2])
        #expect(try sources(#""timeline":[{"source":"a"}]"#) == [0, 2])
        #expect(try sources(#""timeline":[{"source":"a"},{"source":"b"}]"#) == [0, 1, 2])
    }
}
