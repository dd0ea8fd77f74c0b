package import Model

/// What is laid over the programme's pictures.
package struct PlannedLayers: Codable, Sendable, Equatable {
    /// The captions' texts, in the edit's order.
    package var texts: [String]
    package var style: CaptionStyle
    package var overlays: [PlannedOverlay]
}

/// An image, and where it lies, in parts of the output's width and height.
package struct PlannedOverlay: Codable, Sendable, Equatable {
    /// Into `RenderPlan.sources`.
    package var source: Int
    package var x: Double
    package var y: Double
    package var width: Double
    package var opacity: Double
}

/// One of a plan's layers. Ordered as they lie above each other, the lowest first.
package struct Layer: Codable, Sendable, Hashable, Comparable {
    package enum Kind: String, Codable, Sendable { case overlay, caption }

    package var kind: Kind
    /// Into `PlannedLayers.overlays` or `PlannedLayers.texts`.
    package var index: Int

    package static func overlay(_ index: Int) -> Layer { Layer(kind: .overlay, index: index) }
    package static func caption(_ index: Int) -> Layer { Layer(kind: .caption, index: index) }

    package static func < (left: Layer, right: Layer) -> Bool {
        left.kind == right.kind ? left.index < right.index : left.kind == .overlay
    }
}

/// A half-open range `[start, end)` of a segment, in source time as its sound effects are, in which the same layers are
/// shown.
package struct LayerStretch: Codable, Sendable, Equatable {
    package var start: Rational
    package var end: Rational
    /// Sorted; never empty.
    package var layers: [Layer]
}

extension PlannedSegment {
    /// What is laid over the picture at a time of its source.
    package func layers(at time: Rational) -> [Layer] {
        var (low, high) = (0, layers.count)
        while low < high {
            let middle = (low + high) / 2
            if layers[middle].end <= time { low = middle + 1 } else { high = middle }
        }
        guard low < layers.count, layers[low].start <= time else { return [] }
        return layers[low].layers
    }
}
