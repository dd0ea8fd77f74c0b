internal import CFFmpeg
internal import CFFmpegShims

/// What a container's own index says about one stream, without reading any media.
package struct StreamIndex: Sendable {
    package var entryCount = 0
    package var keyframeCount = 0
    /// The longest distance between keyframes, the last one to the end included, in the stream's ticks.
    package var longestKeyframeGap: Int64 = 0
    /// The shortest and longest distance between neighbouring entries; only meaningful when every frame is listed.
    package var shortestStep: Int64 = .max
    package var longestStep: Int64 = 0
    /// Runs of neighbouring entries at equal distances.
    package var stepRuns = 0
    /// One past the last byte any entry claims.
    package var endByte: Int64 = 0
}

extension Demuxer {
    /// `nil` when the container has no index, or one that lists keyframes only (Matroska).
    package func index(ofStream number: Int) -> StreamIndex? {
        let stream = stream(number)
        let count = avformat_index_get_entries_count(stream)
        guard count > 1, formatName.hasPrefix("mov") else { return nil }
        var index = StreamIndex()
        index.entryCount = Int(count)
        var previous: Int64?
        var lastStep: Int64?
        var lastKeyframe: Int64?
        for position in 0..<count {
            guard let entry = avformat_index_get_entry(stream, position)?.pointee else { continue }
            index.endByte = max(index.endByte, entry.pos + Int64(entry.size))
            if let previous, entry.timestamp > previous {
                let step = entry.timestamp - previous
                index.shortestStep = min(index.shortestStep, step)
                index.longestStep = max(index.longestStep, step)
                if step != lastStep { index.stepRuns += 1 }
                lastStep = step
            }
            if entry.flags & AVINDEX_KEYFRAME != 0 {
                index.keyframeCount += 1
                if let lastKeyframe {
                    index.longestKeyframeGap = max(index.longestKeyframeGap, entry.timestamp - lastKeyframe)
                }
                lastKeyframe = entry.timestamp
            }
            previous = entry.timestamp
        }
        if let previous, let lastKeyframe {
            let step = index.shortestStep == .max ? 0 : index.shortestStep
            index.longestKeyframeGap = max(index.longestKeyframeGap, previous + step - lastKeyframe)
        }
        return index
    }

    /// When the first indexed sample that lies wholly or partly beyond `sizeBytes` is due, in the stream's ticks.
    package func firstMissingTime(ofStream number: Int, sizeBytes: Int64) -> Int64? {
        let stream = stream(number)
        let count = avformat_index_get_entries_count(stream)
        guard formatName.hasPrefix("mov") else { return nil }
        var earliest: Int64?
        for position in 0..<count {
            guard let entry = avformat_index_get_entry(stream, position)?.pointee else { continue }
            if entry.pos + Int64(entry.size) > sizeBytes { earliest = min(earliest ?? .max, entry.timestamp) }
        }
        return earliest
    }
}

extension Demuxer {
    /// The time the index gives for the last keyframe at or before `time`; `nil` without an index.
    package func keyframe(ofStream number: Int, before time: Int64) -> Int64? {
        let stream = stream(number)
        let position = av_index_search_timestamp(stream, time, AVSEEK_FLAG_BACKWARD)
        guard position >= 0, let entry = avformat_index_get_entry(stream, position)?.pointee else { return nil }
        return entry.timestamp
    }
}

extension Demuxer {
    /// How many pictures may be shown later than others that are decoded after them, as far as the stream says or the
    /// packets read when it was opened have shown.
    package func reorderDepth(ofStream number: Int) -> Int {
        Int(stream(number).pointee.codecpar.pointee.video_delay)
    }

    /// When the index's keyframes are decoded, in the stream's ticks; empty without an index.
    ///
    /// In MP4 the index has decode times, which are earlier than presentation by the reordering delay.
    package func keyframeTimes(ofStream number: Int) -> [Int64] {
        let stream = stream(number)
        let count = avformat_index_get_entries_count(stream)
        var times: [Int64] = []
        for position in 0..<count {
            guard let entry = avformat_index_get_entry(stream, position)?.pointee else { continue }
            if entry.flags & AVINDEX_KEYFRAME != 0 { times.append(entry.timestamp) }
        }
        return times
    }
}
