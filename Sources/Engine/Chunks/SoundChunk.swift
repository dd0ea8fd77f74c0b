internal import FoundationEssentials
internal import Media
internal import Model
internal import Planning

/// The whole sound of a chunked render: one more chunk, behind those of the pictures, that anybody can encode beside them.
///
/// It is not divided: encoders of sound carry over from one packet to the next, and an hour takes about a minute.
struct SoundChunk {
    let plan: RenderPlan
    let audio: AudioPlan
    let chunks: ChunkPlan
    /// Of everything that its bytes follow from. The object lies beside those of the pictures, and is replaced when an
    /// edit changes what is heard and not what is seen.
    let digest: String

    /// - Returns: `nil` where the plan has no sound.
    init?(_ plan: RenderPlan, chunks: ChunkPlan, sourceVersions: [String]) throws {
        guard let audio = plan.audio else { return nil }
        (self.plan, self.audio, self.chunks) = (plan, audio, chunks)
        digest = try Identity(
            audio: audio, segments: plan.segments, sources: plan.sources, spans: chunks.programme,
            sourceVersions: sourceVersions, encoder: try audio.encoderName
        ).digest()
    }

    /// Its number is the one behind the pictures'; its ticks are samples.
    var chunk: ChunkPlan.Chunk { ChunkPlan.Chunk(index: chunks.chunks.count, ticks: 0..<samples) }

    var samples: Int64 { chunks.programme.length.ticks(in: Rational(1, Int64(audio.sampleRate))) }

    private struct Identity: Encodable {
        private let format = 1
        let audio: AudioPlan
        let segments: [PlannedSegment]
        let sources: [PlannedSource]
        let spans: ProgrammeSpans
        let sourceVersions: [String]
        let encoder: String
        private let library = Encoder.libraryVersion

        func digest() throws -> String { try Digest.ofCanonicalJSON(self) }
    }

    /// - Parameter progress: told how many seconds of the programme are encoded.
    func encode(
        into output: any StagedOutput, sources: OpenSources, cancellation: Cancellation, progress: (Double) -> Void
    ) throws -> ChunkReport {
        let encoder = try SoundEncoder(audio)
        let writer = try ChunkWriter(
            output, head: ChunkObject.head(digest: digest, chunk: chunk, configuration: encoder.configuration))
        let sink = Sink(encoder, writer)
        let sound = EncodedSound(sink, format: encoder.format, cancellation: cancellation)
        for span in chunks.programme.spans {
            let segment = plan.segments[span.segment]
            let session = try sources.session(for: segment.source)
            try session.position(at: segment.start)
            sound.begin(segment, session, origin: span.first)
            var position = Rational.one
            while position < span.length {
                try cancellation.check()
                try sound.advance(to: position)
                progress((span.start + position).seconds)
                position = position + .one
            }
            try sound.end(at: span.end)
        }
        try encoder.finish { packet in try writer.addSound(packet) }
        let size = try writer.finish(repeatedTimes: 0)
        return ChunkReport(index: chunk.index, frames: 0, repeatedTimes: 0, sizeBytes: size)
    }

    private final class Sink: SampleSink {
        private let encoder: SoundEncoder
        private let writer: ChunkWriter

        init(_ encoder: SoundEncoder, _ writer: ChunkWriter) { (self.encoder, self.writer) = (encoder, writer) }

        func takeSound(from sound: SegmentSound, upTo position: Int64, length: Int64?) throws {
            sound.take(upTo: position, length: length, into: &encoder.queue)
            try encoder.drain { packet in try writer.addSound(packet) }
        }
    }
}
