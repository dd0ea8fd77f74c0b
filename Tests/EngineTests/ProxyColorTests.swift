import Foundation
import TestSupport
import Testing

extension ProxyTests {
    @Suite("whose source is not plain BT.709 stereo")
    struct Conversions {
        /// The reference's own arithmetic: linear light at 203 cd/m² for reference white, Hable's curve, BT.709.
        private static func toneMapped(_ transfer: String) -> String {
            "zscale=matrixin=bt2020nc:primariesin=bt2020:transferin=\(transfer):rangein=limited:transfer=linear:npl=203,"
                + "format=gbrpf32le,zscale=primaries=bt709,tonemap=tonemap=hable:desat=0:peak=10,"
                + "zscale=transfer=bt709:matrix=bt709:range=limited,format=yuv420p"
        }

        @Test(
            "is tone mapped to BT.709 when it is HDR",
            arguments: [("hdr10.mp4", "smpte2084"), ("hlg.mp4", "arib-std-b67")])
        func toneMapping(name: String, transfer: String) throws {
            let set = try ProxyTests.set(name)
            let video = try #require(try ProbedFile(set.proxy).video)
            #expect(video.colorTransfer == "bt709" && video.colorPrimaries == "bt709" && video.colorSpace == "bt709")
            #expect(video.colorRange == "tv")
            let mapped = try PictureLikeness.decibels(
                set.proxy, reference: set.source, filters: Self.toneMapped(transfer))
            let relabelled = try PictureLikeness.decibels(set.proxy, reference: set.source, filters: "format=yuv420p")
            #expect(mapped.count == 90)
            #expect(mapped.min() ?? 0 > 29)
            #expect(relabelled.max() ?? 0 < 20, "the samples were only given another name")
        }

        @Test("keeps its levels when it is of full range")
        func fullRange() throws {
            let set = try ProxyTests.set("fullrange.mp4")
            let limited = "scale=in_range=pc:out_range=tv,format=yuv420p"
            for key in ["YAVG", "YLOW", "YHIGH"] {
                let expected = try PictureLikeness.statistic(key, of: set.source, filters: limited)
                let found = try PictureLikeness.statistic(key, of: set.proxy)
                #expect(found.count == expected.count)
                let furthest = zip(found, expected).map { abs($0 - $1) }.max() ?? .infinity
                #expect(furthest <= (key == "YAVG" ? 1 : 3), "\(key)")
            }
            // The conversion is no small matter: white goes from 255 to 235, black from 0 to 16.
            let untouched = try PictureLikeness.statistic("YLOW", of: set.source, filters: "extractplanes=y")
            let converted = try PictureLikeness.statistic("YLOW", of: set.proxy)
            #expect(zip(untouched, converted).allSatisfy { $1 - $0 > 8 })
        }

        @Test("keeps BT.601 samples and says that they are that")
        func standardDefinition() throws {
            let set = try ProxyTests.set("bt601.mp4")
            let video = try #require(try ProbedFile(set.proxy).video)
            #expect(video.colorSpace == "smpte170m" && video.colorRange == "tv")
        }

        @Test("is stereo when it is 5.1, every channel where it belongs")
        func downmix() throws {
            let set = try ProxyTests.set("surround51.mkv")
            #expect(try ProbedFile(set.proxy).audio?.channels == 2)
            let heard = try ReferenceAudio(set.proxy)
            let expected = try ReferenceAudio(set.source, options: ["-ac", "2"])
            try #require(heard.channels.count == 2 && heard.sampleRate == expected.sampleRate)
            // Away from the beeps at whole seconds; half a second holds whole periods of all tones.
            let window = heard.sampleRate / 4..<heard.sampleRate * 3 / 4
            func level(_ sound: ReferenceAudio, _ channel: Int, _ hertz: Double) -> Double {
                Sound.amplitude(of: hertz, in: sound.channels[channel][window], rate: sound.sampleRate)
            }
            for channel in 0..<2 {
                for hertz in [220.0, 330, 440, 660, 880] {
                    let (have, want) = (level(heard, channel, hertz), level(expected, channel, hertz))
                    #expect(abs(have - want) < 0.004, "\(hertz) Hz in channel \(channel)")
                }
            }
            #expect(level(heard, 0, 220) > 0.02 && level(heard, 1, 220) < 0.004, "front left")
            #expect(level(heard, 1, 330) > 0.02 && level(heard, 0, 330) < 0.004, "front right")
            #expect(level(heard, 0, 440) > 0.02 && level(heard, 1, 440) > 0.02, "front centre")
        }

        @Test("is silent where the source's sound has a hole")
        func hole() throws {
            let heard = try ReferenceAudio(ProxyTests.set("gapped_audio.mkv").proxy)
            let rate = Double(heard.sampleRate)
            func level(_ from: Double, _ to: Double) -> Double {
                Sound.rootMeanSquare(heard.channels[0][Int(from * rate)..<Int(to * rate)])
            }
            #expect(level(1.6, 2.1) < 0.001)
            #expect(level(1.1, 1.4) > 0.03 && level(2.4, 2.9) > 0.03)
        }
    }
}
