internal import Media
internal import Model

/// Durations that can be believed, frame spacing and keyframe distance.
extension Prober {
    /// Below this a claimed duration is not media: even 6 kb/s speech has ten times as much.
    private static let implausibleBitsPerSecond = 500.0
    /// A scan that replaces a guess from the bit rate reads the whole file; beyond this size the guess stays.
    private static let measuredFileLimitBytes: Int64 = 256 << 20

    static func describeTime(
        _ report: inout ProbeReport, _ demuxer: inout Demuxer, mp4: MP4Structure?, endsEarly: Bool
    ) throws {
        guard !demuxer.isStillImage else {
            report.container.durationSeconds = nil
            return
        }
        let claimed = claimedDuration(report, demuxer)
        let size = report.container.sizeBytes
        describeIndexes(&report, demuxer)
        if let intact = intactSeconds(report, demuxer) {
            (report.container.truncated, report.container.intactSeconds) = (true, intact)
        }
        // A box that overruns the file matters only where no sample index tells more.
        let cutShort = endsEarly || (mp4?.endsEarly ?? false) && report.container.fragmented
        let implausible = claimed.map { $0 > 60 && Double(size) * 8 / $0 < implausibleBitsPerSecond } ?? true
        let guessed = demuxer.durationIsGuessed && size <= measuredFileLimitBytes
        if implausible || cutShort || guessed {
            let scan = try PacketScan(&demuxer, report, packetLimit: .max)
            report.container.truncated = report.container.truncated || cutShort
            report.container.durationSource = scan.endSeconds == nil ? .unknown : .measured
            report.container.durationSeconds = scan.endSeconds
            if cutShort {
                report.container.intactSeconds = scan.endSeconds
                // What the recording was meant to be is what was lost from.
                (report.container.durationSeconds, report.container.durationSource) =
                    implausible ? (scan.endSeconds, .measured) : (claimed, .container)
            } else if let claimed, let end = scan.endSeconds, abs(claimed - end) > 1 {
                report.container.claimedDurationSeconds = claimed
            }
            correctStreams(&report)
            apply(scan, to: &report)
        } else {
            (report.container.durationSeconds, report.container.durationSource) = (claimed, .container)
            let needsScan = report.video.contains { $0.keyframeIntervalSeconds == nil }
            if needsScan { apply(try PacketScan(&demuxer, report, packetLimit: 600), to: &report) }
        }
        if let duration = report.container.durationSeconds, duration > 0 {
            report.container.bitRate = Int64(Double(size) * 8 / duration)
        }
    }

    /// From the container's start to the end of its longest audio or video stream.
    private static func claimedDuration(_ report: ProbeReport, _ demuxer: borrowing Demuxer) -> Double? {
        let whole = demuxer.durationMicroseconds.map { Double($0) / 1e6 }
        let spans =
            report.video.map { ($0.startSeconds, $0.durationSeconds) }
            + report.audio.map { ($0.startSeconds, $0.durationSeconds) }
        let ends = spans.compactMap { start, duration in duration.map { (start ?? 0) + $0 } }
        // Fragmented files keep only their first fragment's durations with the streams.
        guard !spans.isEmpty, ends.count == spans.count, let last = ends.max(), !report.container.fragmented else {
            // Matroska counts its duration from zero, and an encoder's delay makes streams begin before.
            let beforeZero = report.container.format.hasPrefix("matroska") ? max(0, -report.container.startSeconds) : 0
            return whole.map { $0 + beforeZero }
        }
        return last - report.container.startSeconds
    }

    private static func describeIndexes(_ report: inout ProbeReport, _ demuxer: borrowing Demuxer) {
        for position in report.video.indices {
            let stream = report.video[position]
            guard let index = demuxer.index(ofStream: stream.index), !report.container.fragmented else { continue }
            report.video[position].variableFrameRate = index.isVariable(stream.timeBase)
            // Without a sync sample table every entry counts as a keyframe; then the packets themselves are asked.
            if index.keyframeCount == index.entryCount, ["h264", "hevc"].contains(stream.codec) { continue }
            report.video[position].keyframeIntervalSeconds =
                Double(index.longestKeyframeGap) * stream.timeBase.seconds
        }
    }

    private static func intactSeconds(_ report: ProbeReport, _ demuxer: borrowing Demuxer) -> Double? {
        let streams = report.video.map { ($0.index, $0.timeBase) } + report.audio.map { ($0.index, $0.timeBase) }
        return streams.compactMap { index, timeBase in
            demuxer.firstMissingTime(ofStream: index, sizeBytes: report.container.sizeBytes).map {
                max(0, Double($0 + demuxer.timeOffset(ofStream: index)) * timeBase.seconds)
            }
        }.min()
    }

    private static func correctStreams(_ report: inout ProbeReport) {
        guard report.container.claimedDurationSeconds != nil, let end = report.container.durationSeconds else { return }
        let limit = end + report.container.startSeconds
        for index in report.video.indices where (report.video[index].durationSeconds ?? 0) > limit {
            report.video[index].durationSeconds = nil
        }
        for index in report.audio.indices where (report.audio[index].durationSeconds ?? 0) > limit {
            report.audio[index].durationSeconds = nil
        }
    }

    private static func apply(_ scan: PacketScan, to report: inout ProbeReport) {
        for position in report.video.indices {
            let stream = report.video[position]
            guard stream.keyframeIntervalSeconds == nil, let spacing = scan.spacings[stream.index] else { continue }
            if spacing.times.count > 1 {
                report.video[position].variableFrameRate = spacing.isVariable(stream.timeBase)
            }
            if let claimed = stream.averageFrameRate, claimed > Rational(240) {
                report.video[position].averageFrameRate = spacing.average(stream.timeBase)
            }
            report.video[position].keyframeIntervalSeconds = spacing.keyframeInterval(
                stream.timeBase, sawWholeFile: scan.reachedEnd)
        }
    }
}

extension StreamIndex {
    /// Steps that differ by more than 2 ms; less is the rounding of a coarse time base.
    fileprivate func isVariable(_ timeBase: Rational) -> Bool {
        shortestStep < longestStep && Double(longestStep - shortestStep) * timeBase.seconds > 0.002
    }
}

/// A run through packets, without decoding: when the media really ends, and how frames are spaced.
private struct PacketScan {
    struct Spacing {
        var times: [Int64] = []
        var keyframes: [Int64] = []
        var end: Int64 = 0

        /// Frames per second over the times seen, to the thousandth.
        func average(_ timeBase: Rational) -> Rational? {
            guard let first = times.min(), let last = times.max(), last > first else { return nil }
            let seconds = Double(last - first) * timeBase.seconds
            return Rational(Int64((Double(times.count - 1) / seconds * 1000).rounded()), 1000)
        }

        func isVariable(_ timeBase: Rational) -> Bool {
            let sorted = times.sorted()
            let steps = zip(sorted.dropFirst(), sorted).map { $0 - $1 }
            guard let shortest = steps.min(), let longest = steps.max() else { return false }
            return Double(longest - shortest) * timeBase.seconds > 0.002
        }

        func keyframeInterval(_ timeBase: Rational, sawWholeFile: Bool) -> Double? {
            let marks = keyframes.sorted() + (sawWholeFile ? [end] : [])
            return zip(marks.dropFirst(), marks).map { $0 - $1 }.max().map { Double($0) * timeBase.seconds }
        }
    }

    var spacings: [Int: Spacing] = [:]
    /// From the container's start; `nil` when no packet had a time.
    var endSeconds: Double?
    var reachedEnd = false

    /// Enough times to judge the spacing, few enough to keep.
    private static let timesKept = 600
    private static let longestPauseSeconds = 600.0

    init(_ demuxer: inout Demuxer, _ report: ProbeReport, packetLimit: Int) throws {
        var bases: [Int: (unit: Double, offset: Int64)] = [:]
        for (index, base) in report.video.map({ ($0.index, $0.timeBase) })
            + report.audio.map({ ($0.index, $0.timeBase) })
        {
            bases[index] = (base.seconds, demuxer.timeOffset(ofStream: index))
        }
        let videos = Set(report.video.map(\.index))
        let doubted = report.video.first { $0.keyframeIntervalSeconds == nil && ["h264", "hevc"].contains($0.codec) }
        var parser: KeyframeParser?
        if let doubted { parser = try KeyframeParser(demuxer, stream: doubted.index) }
        var packet = try Packet()
        var count = 0
        while count < packetLimit {
            do {
                guard try demuxer.read(into: &packet) else {
                    reachedEnd = true
                    break
                }
            } catch let error as MediaError where error.code != .cancelled {
                // A damaged end ends the scan; rendering reports it.
                break
            }
            guard let base = bases[packet.streamIndex], let time = packet.presentationTime ?? packet.decodeTime else {
                continue
            }
            let end = time &+ packet.duration
            let seconds = Double(end &+ base.offset) * base.unit
            // What nothing leads up to is a broken timestamp: believed, it would make hours of a second.
            guard seconds - (endSeconds ?? 0) < Self.longestPauseSeconds else { continue }
            endSeconds = max(endSeconds ?? 0, seconds)
            guard videos.contains(packet.streamIndex) else { continue }
            count += 1
            var spacing = spacings.removeValue(forKey: packet.streamIndex) ?? Spacing()
            // Without presentation times (AVI) the order of decoding says nothing about spacing.
            if spacing.times.count < Self.timesKept, !packet.isDiscarded, packet.presentationTime != nil {
                spacing.times.append(time)
            }
            let isKey =
                packet.streamIndex == doubted?.index
                ? parser?.isKeyframe(packet) ?? packet.isKey : packet.isKey
            if isKey { spacing.keyframes.append(time) }
            spacing.end = max(spacing.end, end)
            spacings[packet.streamIndex] = spacing
        }
    }
}
