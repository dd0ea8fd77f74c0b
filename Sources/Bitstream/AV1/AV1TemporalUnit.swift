extension AV1 {
    /// One OBU of a packet. Source: §5.3.
    struct Unit {
        let type: Int
        let hasLayer: Bool
        /// Its payload, in the packet.
        let payload: Range<Int>

        static let sequenceHeader = 1
        static let frameHeader = 3
        static let frame = 6

        /// - Returns: `nil` when the packet is damaged.
        static func all(in packet: UnsafeRawBufferPointer) -> [Unit]? {
            var units: [Unit] = []
            var offset = 0
            while offset < packet.count {
                let header = packet[offset]
                offset += 1
                guard header & 0x80 == 0 else { return nil }
                var hasLayer = false
                if header & 4 != 0 {
                    guard offset < packet.count else { return nil }
                    hasLayer = packet[offset] & 0xF8 != 0
                    offset += 1
                }
                var size = packet.count - offset
                if header & 2 != 0 {
                    guard let told = leb128(packet, &offset), told <= packet.count - offset else { return nil }
                    size = told
                }
                units.append(
                    Unit(type: Int(header >> 3 & 15), hasLayer: hasLayer, payload: offset..<offset + size))
                offset += size
            }
            return units
        }

        /// Source: §4.10.5.
        private static func leb128(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) -> Int? {
            var value = 0
            for index in 0..<8 {
                guard offset < bytes.count else { return nil }
                let byte = bytes[offset]
                offset += 1
                value |= Int(byte & 0x7F) << (7 * index)
                if byte & 0x80 == 0 { return value }
            }
            return nil
        }
    }

    /// The sequence header in a container's record (AV1CodecConfigurationRecord), or in plain OBUs.
    ///
    /// Source: AV1 Codec ISO Media File Format Binding §2.3.
    package static func sequenceHeader(in configuration: [UInt8]) throws(Obstacle) -> SequenceHeader {
        let start = configuration.first == 0x81 ? 4 : 0
        guard configuration.count > start else { throw .noParameterSets }
        return try Array(configuration[start...]).reading { (bytes) throws(Obstacle) in
            guard let units = Unit.all(in: bytes) else { throw .damaged }
            let headers = units.filter { $0.type == Unit.sequenceHeader }
            guard let header = headers.first else { throw .noParameterSets }
            guard headers.count == 1 else { throw .severalSequenceSets }
            return try SequenceHeader(payload: bytes[header.payload])
        }
    }

    /// The one in a packet; `nil` where it has none.
    package static func sequenceHeader(of packet: UnsafeRawBufferPointer) throws(Obstacle) -> SequenceHeader? {
        guard let units = Unit.all(in: packet) else { throw .damaged }
        guard let unit = units.first(where: { $0.type == Unit.sequenceHeader }) else { return nil }
        return try SequenceHeader(payload: packet[unit.payload])
    }

    /// What a container stores as one: frames of which exactly one is shown.
    package struct TemporalUnit: Hashable, Sendable {
        package let frames: [FrameHeader]
        /// Whether it repeats the sequence header.
        package let hasSequenceHeader: Bool

        /// - Parameter sequence: the stream's.
        /// - Throws: an obstacle when the packet is damaged, or is nothing that could be copied: another sequence
        ///   header, layers, pictures of another size, or not exactly one that is shown.
        package init(_ packet: UnsafeRawBufferPointer, _ sequence: SequenceHeader) throws(Obstacle) {
            guard let units = Unit.all(in: packet) else { throw .damaged }
            var frames: [FrameHeader] = []
            var hasHeader = false
            for unit in units {
                guard !unit.hasLayer else { throw .layers }
                switch unit.type {
                case Unit.sequenceHeader:
                    guard try SequenceHeader(payload: packet[unit.payload]) == sequence else { throw .changingSets }
                    hasHeader = true
                case Unit.frameHeader, Unit.frame:
                    let bytes = UnsafeRawBufferPointer(rebasing: packet[unit.payload])
                    frames.append(try FrameHeader(bytes, sequence))
                default: break
                }
            }
            let shown = frames.count(where: \.isShown)
            guard shown == 1 else { throw shown == 0 ? .damaged : .severalPictures }
            guard !frames.contains(where: \.hasOtherSize) else { throw .pictureSizes }
            (self.frames, hasSequenceHeader) = (frames, hasHeader)
        }

        /// Whether decoding can begin here: with a keyframe that is shown at once, after which nothing refers to what
        /// was before. One that is shown later (a forward keyframe) may be followed by pictures that do.
        package var isEntry: Bool { frames.first.map { $0.isKey && $0.isShown } ?? false }
    }

    /// The first bits of uncompressed_header( ). Source: §5.9.2.
    package struct FrameHeader: Hashable, Sendable {
        package private(set) var isShown = true
        /// It is a frame that was decoded before, and has no data of its own.
        package private(set) var showsExisting = false
        package private(set) var isKey = false
        /// It may be of another size than the sequence header's, or is to be shown so.
        package private(set) var hasOtherSize = false

        init(_ bytes: UnsafeRawBufferPointer, _ sequence: SequenceHeader) throws(Obstacle) {
            var reader = BitReader(bytes, isEscaped: false)
            read(&reader, sequence)
            guard !reader.hasFailed else { throw .damaged }
        }

        private mutating func read(_ reader: inout BitReader, _ sequence: SequenceHeader) {
            showsExisting = reader.flag()
            if showsExisting {
                _ = reader.u(3)
                return
            }
            let type = reader.u(2)
            isKey = type == 0
            isShown = reader.flag()
            if !isShown { _ = reader.flag() }
            let isSwitch = type == 3
            // error_resilient_mode, where it is not implied; then disable_cdf_update.
            if !isSwitch, !(isKey && isShown) { _ = reader.flag() }
            _ = reader.flag()
            let screenContent = sequence.screenContentTools == 2 ? reader.flag() : sequence.screenContentTools == 1
            if screenContent, sequence.integerVectors == 2 { _ = reader.flag() }
            _ = reader.u(sequence.frameIDBits)
            hasOtherSize = isSwitch || reader.flag()
            guard isKey, isShown, !hasOtherSize else { return }
            _ = reader.u(sequence.orderHintBits)
            // use_superres, render_and_frame_size_different
            if sequence.tools.superResolution, reader.flag() { _ = reader.u(3) }
            hasOtherSize = reader.flag()
        }
    }
}
