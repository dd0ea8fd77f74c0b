import Foundation
import Model
import TestSupport
import Testing

extension ProxyTests {
    /// When a source is copied into its proxy, and that the copy is one.
    @Suite("of a source that is a good proxy already")
    struct Copies {
        static let ready = [
            "proxy_ready.mp4", "proxy_ready_moov_last.mp4", "bframes_closed.mp4", "hfr60.mp4", "pal25.mp4",
            "moov_last.mp4",
            "fragmented.mp4", "late_audio.mp4", "no_audio.mp4",
        ]

        @Test("is copied packet by packet", arguments: ready)
        func payloads(name: String) throws {
            let set = try ProxyTests.set(name)
            #expect(set.report.proxyMethod == .remuxed)
            let (source, proxy) = (
                try ProbedFile(set.source, hashes: true), try ProbedFile(set.proxy, hashes: true)
            )
            for kind in ["video", "audio"] {
                let (wanted, found) = (packets(source, kind), packets(proxy, kind))
                #expect(wanted.map(\.dataHash) == found.map(\.dataHash), "\(kind)")
                #expect(wanted.map(\.isKey) == found.map(\.isKey), "\(kind)")
                #expect(found.allSatisfy { $0.dataHash != nil })
            }
        }

        @Test("keeps the distances between its packets to the tick", arguments: ready)
        func spacing(name: String) throws {
            let set = try ProxyTests.set(name)
            let (source, proxy) = (try ProbedFile(set.source), try ProbedFile(set.proxy))
            for kind in ["video", "audio"] {
                let (wanted, found) = (packets(source, kind).map(\.seconds), packets(proxy, kind).map(\.seconds))
                try #require(wanted.count == found.count)
                guard let first = wanted.first, let start = found.first else { continue }
                let furthest = zip(wanted, found).map { abs(($0 - first) - ($1 - start)) }.max() ?? 0
                // ffprobe prints microseconds.
                #expect(furthest < 0.000_003, "\(kind)")
            }
        }

        @Test("lasts as long as before, its sound where it was", arguments: ready.filter { $0 != "no_audio.mp4" })
        func sound(name: String) throws {
            let set = try ProxyTests.set(name)
            let (wanted, found) = (try ReferenceAudio(set.source), try ReferenceAudio(set.proxy))
            #expect(found.sampleRate == wanted.sampleRate)
            #expect(abs(found.count - wanted.count) <= 1)
            let (lag, decibels) = Sound.alignment(
                of: found.channels.map { Array($0.dropFirst(24_000).prefix(8000)) },
                to: wanted.channels.map { Array($0.dropFirst(24_000).prefix(8000)) }, limit: 24)
            #expect(abs(lag) <= 1)
            #expect(decibels > 20)
        }

        private func packets(_ file: ProbedFile, _ kind: String) -> [ProbedFile.Packet] {
            file.packets(of: file.streams.first { $0.codecType == kind })
        }
    }
}
