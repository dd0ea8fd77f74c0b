import Downloads
import Foundation
import TestSupport
import Testing

@Suite("What bytes are media")
struct MediaSignatureTests {
    /// What a file's ending leads to expect.
    private static let types: [String: Set<String>] = [
        "mp4": ["video/mp4", "video/quicktime"], "m4a": ["audio/mp4"], "mov": ["video/quicktime"],
        "mkv": ["video/x-matroska"], "webm": ["video/webm"], "avi": ["video/x-msvideo"], "ts": ["video/mp2t"],
        "mp3": ["audio/mpeg"], "flac": ["audio/flac"], "ogg": ["application/ogg"], "wav": ["audio/wav"],
        "flv": ["video/x-flv"], "jpg": ["image/jpeg"], "png": ["image/png"], "heic": ["image/heic"],
    ]

    private static func head(_ path: String) throws -> [UInt8] {
        Array(try bytes(ofFile: path).prefix(MediaSignature.headBytes))
    }

    @Test("tell every recording of the repository, and every real one beside it")
    func files() throws {
        let folders = ["\(Fixture.repository)/Fixtures/media"] + (Fixture.sharedMedia.map { [$0] } ?? [])
        for folder in folders {
            var count = 0
            for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
                guard let expected = Self.types[(name as NSString).pathExtension] else { continue }
                let type = MediaSignature.type(of: try Self.head("\(folder)/\(name)"))
                #expect(expected.contains(type ?? "none"), "\(name) is \(type ?? "none")")
                count += 1
            }
            #expect(count > 30, "\(folder)")
        }
    }

    @Test(
        "tell lists, texts and noise, whatever they are called",
        arguments: [
            "garbage.mp4", "list.ffconcat", "manifest.mpd", "playlist_http.m3u8", "playlist_local.mp4", "subs.srt",
            "text.mp4", "empty.mp4",
        ])
    func others(name: String) throws { #expect(MediaSignature.type(of: try Self.head(Fixture.hostile(name))) == nil) }

    @Test(
        "tell pages and archives",
        arguments: [
            "<!DOCTYPE html><html><body>Sign in</body></html>", "<html>", " \n<?xml version=\"1.0\"?><Error/>", "{}",
            "%PDF-1.7", "PK\u{3}\u{4}", "The free encyclopaedia", "GIF", "\u{1F}\u{8B}\u{8}", "MZ", "#!/bin/sh\n", "G",
            "RIFF....CDR ", "<svg xmlns='http://www.w3.org/2000/svg'/>", "#EXTM3U\n",
        ])
    func pages(text: String) {
        let bytes = text.unicodeScalars.map { UInt8($0.value) }
        #expect(MediaSignature.type(of: bytes) == nil)
        #expect(MediaSignature.type(of: bytes + Array(repeating: 0x20, count: 1000)) == nil)
    }

    @Test("tell a text's byte order from a frame of sound")
    func byteOrder() {
        let utf16 = "a line of text".utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        #expect(MediaSignature.type(of: [0xFF, 0xFE] + utf16) == nil)
        #expect(MediaSignature.type(of: [0xFF, 0xFB, 0x90, 0x64]) == "audio/mpeg")
        #expect(MediaSignature.type(of: [0xFF, 0xF1, 0x50, 0x80]) == "audio/aac")
    }

    @Test("tell a capture that begins within a packet", arguments: [0, 1, 100, 187])
    func capture(cut: Int) throws {
        let stream = try bytes(ofFile: Fixture.media("mpeg2.ts"))
        #expect(MediaSignature.type(of: Array(stream.dropFirst(cut).prefix(MediaSignature.headBytes))) == "video/mp2t")
    }

    @Test(
        "are asked where a server's own words allow it",
        arguments: [
            nil, "", "video/mp4", "Video/MP4; codecs=\"avc1\"", "audio/mpeg", "image/webp", "application/octet-stream",
            "binary/octet-stream", "application/mp4",
        ])
    func allowed(type: String?) { #expect(ContentType.mayBeMedia(type)) }

    @Test(
        "are not asked where a server says that it sends none",
        arguments: [
            "text/html", "TEXT/HTML; charset=utf-8", "text/plain", "application/json", "application/xml",
            "application/xhtml+xml", "application/vnd.apple.mpegurl", "audio/x-mpegurl", "application/dash+xml",
            "image/svg+xml", "multipart/byteranges", "application/zip", "application/pdf", "nonsense",
        ])
    func refused(type: String) { #expect(!ContentType.mayBeMedia(type)) }
}
