import Model
import Planning
import Testing

@Suite("The colours of what is laid over pictures")
struct LayerToneTests {
    private static func code(_ tags: ColorTags, bits: Int, _ red: UInt8, _ green: UInt8, _ blue: UInt8) -> [Int] {
        let code = LayerTone(tags, bitDepth: bits).code((red, green, blue))
        return [code.luma, code.cb, code.cr].map { Int($0.rounded()) }
    }

    private static func tags(_ matrix: String, range: String = "tv", transfer: String = "bt709") -> ColorTags {
        ColorTags(range: range, matrix: matrix, primaries: nil, transfer: transfer)
    }

    @Test("are the usual codes of bars")
    func bars() {
        // Source: ITU-R BT.709 and BT.601, quantised; SMPTE RP 219 has these of full bars.
        #expect(Self.code(Self.tags("bt709"), bits: 8, 255, 255, 255) == [235, 128, 128])
        #expect(Self.code(Self.tags("bt709"), bits: 8, 0, 0, 0) == [16, 128, 128])
        #expect(Self.code(Self.tags("bt709"), bits: 8, 255, 0, 0) == [63, 102, 240])
        #expect(Self.code(Self.tags("smpte170m"), bits: 8, 255, 0, 0) == [81, 90, 240])
        #expect(Self.code(Self.tags("bt709"), bits: 10, 0, 0, 255) == [127, 960, 471])
        #expect(Self.code(Self.tags("bt709", range: "pc"), bits: 8, 255, 255, 255) == [255, 128, 128])
    }

    @Test("are lit as graphics in HDR: white at 203 cd/m² in PQ, at three quarters in HLG")
    func hdr() {
        // Source: ITU-R BT.2408 §2.1: 58 % of PQ, 75 % of HLG.
        let pq = Self.code(Self.tags("bt2020nc", transfer: "smpte2084"), bits: 10, 255, 255, 255)
        #expect(abs(pq[0] - (64 + 876 * 58 / 100)) <= 3 && abs(pq[1] - 512) <= 1 && abs(pq[2] - 512) <= 1)
        let hlg = Self.code(Self.tags("bt2020nc", transfer: "arib-std-b67"), bits: 10, 255, 255, 255)
        #expect(abs(hlg[0] - (64 + 876 * 75 / 100)) <= 2)
        #expect(Self.code(Self.tags("bt2020nc", transfer: "smpte2084"), bits: 10, 0, 0, 0) == [64, 512, 512])
    }
}
