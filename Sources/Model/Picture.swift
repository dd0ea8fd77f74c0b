/// How a stored picture is turned to be shown: the eight ways a display matrix can permute and flip the axes.
///
/// Angles are clockwise, as seen by the viewer.
package enum Orientation: String, Codable, Sendable, CaseIterable {
    case upright
    case rotated90
    case rotated180
    case rotated270
    case mirrored
    case flipped
    /// Mirrored, then turned 90° clockwise.
    case mirroredRotated90
    /// Mirrored, then turned 270° clockwise.
    case mirroredRotated270

    package var swapsAxes: Bool {
        switch self {
        case .rotated90, .rotated270, .mirroredRotated90, .mirroredRotated270: true
        case .upright, .rotated180, .mirrored, .flipped: false
        }
    }

    /// Clockwise, after mirroring.
    package var degrees: Int {
        switch self {
        case .upright, .mirrored: 0
        case .rotated90, .mirroredRotated90: 90
        case .rotated180, .flipped: 180
        case .rotated270, .mirroredRotated270: 270
        }
    }

    /// From the upper left 2×2 of a display matrix, row by row: `(x', y') = (a·x + c·y, b·x + d·y)`, y down.
    ///
    /// Angles between the right ones are taken to the nearest.
    /// Source: ISO/IEC 14496-12 §6.2.2, libavutil/display.h.
    package init(a: Int32, b: Int32, c: Int32, d: Int32) {
        if Swift.abs(Int64(a)) >= Swift.abs(Int64(b)) {
            switch (a >= 0, d >= 0) {
            case (true, true): self = .upright
            case (false, false): self = .rotated180
            case (false, true): self = .mirrored
            case (true, false): self = .flipped
            }
        } else {
            switch (b >= 0, c >= 0) {
            case (true, false): self = .rotated90
            case (false, true): self = .rotated270
            case (true, true): self = .mirroredRotated270
            case (false, false): self = .mirroredRotated90
            }
        }
    }
}

/// How samples become light, in the names libavutil uses; `nil` where the stream does not say.
package struct ColorTags: Codable, Sendable, Hashable {
    package var range: String?
    package var matrix: String?
    package var primaries: String?
    package var transfer: String?
    package var chromaLocation: String?

    package init(
        range: String? = nil, matrix: String? = nil, primaries: String? = nil, transfer: String? = nil,
        chromaLocation: String? = nil
    ) {
        (self.range, self.matrix, self.primaries) = (range, matrix, primaries)
        (self.transfer, self.chromaLocation) = (transfer, chromaLocation)
    }

    /// PQ (SMPTE ST 2084) or HLG (ARIB STD-B67).
    package var isHDR: Bool { transfer == "smpte2084" || transfer == "arib-std-b67" }
    package var isFullRange: Bool { range == "pc" }
}

/// Static HDR metadata. Source: SMPTE ST 2086 and CTA-861.3.
package struct HDRMetadata: Codable, Sendable, Hashable {
    package enum System: String, Codable, Sendable { case pq, hlg }

    package var system: System
    package var mastering: MasteringDisplay?
    package var maxContentLightLevel: Int?
    package var maxFrameAverageLightLevel: Int?
    /// A Dolby Vision configuration is present; Reelpool carries the base layer only.
    package var dolbyVision: Bool

    package init(system: System, dolbyVision: Bool = false) {
        (self.system, self.dolbyVision) = (system, dolbyVision)
    }
}

/// Chromaticities in CIE 1931 xy, luminance in cd/m².
package struct MasteringDisplay: Codable, Sendable, Hashable {
    package struct Point: Codable, Sendable, Hashable {
        package var x: Rational
        package var y: Rational
        package init(x: Rational, y: Rational) { (self.x, self.y) = (x, y) }
    }

    package var red: Point
    package var green: Point
    package var blue: Point
    package var whitePoint: Point
    package var minLuminance: Rational
    package var maxLuminance: Rational

    package init(
        red: Point, green: Point, blue: Point, whitePoint: Point, minLuminance: Rational, maxLuminance: Rational
    ) {
        (self.red, self.green, self.blue, self.whitePoint) = (red, green, blue, whitePoint)
        (self.minLuminance, self.maxLuminance) = (minLuminance, maxLuminance)
    }
}
