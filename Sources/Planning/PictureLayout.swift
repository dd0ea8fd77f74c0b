package import Model

/// Where a source's picture goes on the output's canvas. All sizes in pixels, even where the output is subsampled.
package struct PictureLayout: Codable, Sendable, Hashable {
    package var orientation: Orientation
    package var arrangement: Arrangement

    package enum Arrangement: Codable, Sendable, Hashable {
        /// The picture is the canvas.
        case identity
        /// One row or column less, for odd sizes that 4:2:0 cannot hold.
        case trim(width: Int, height: Int)
        /// The whole picture is the canvas, resized.
        case scale(width: Int, height: Int)
        /// Resized to `width` × `height`, black around it.
        case fit(width: Int, height: Int, x: Int, y: Int, canvasWidth: Int, canvasHeight: Int)
        /// Resized to `width` × `height`, then the canvas is cut out of its centre.
        case fill(width: Int, height: Int, x: Int, y: Int, canvasWidth: Int, canvasHeight: Int)
        /// As `fit`, over a blurred copy that fills the canvas (`fill`'s numbers second).
        case blur(
            width: Int, height: Int, x: Int, y: Int, backWidth: Int, backHeight: Int, backX: Int, backY: Int,
            canvasWidth: Int, canvasHeight: Int)
    }

    package init(orientation: Orientation, arrangement: Arrangement) {
        (self.orientation, self.arrangement) = (orientation, arrangement)
    }

}

/// The output's picture size.
package struct Canvas: Codable, Sendable, Hashable {
    package var width: Int
    package var height: Int
    package var sampleAspectRatio: Rational

    package init(width: Int, height: Int, sampleAspectRatio: Rational = .one) {
        (self.width, self.height, self.sampleAspectRatio) = (width, height, sampleAspectRatio)
    }

    /// The canvas for these sources, the first of them leading.
    ///
    /// Without a resolution or an aspect ratio, sources of one shape keep it pixel for pixel. Else the canvas has
    /// square pixels, and is no larger than shows the leading source without enlarging it, unless `upscale`.
    package init(for sources: [VideoStream], settings: EditSettings) {
        let leading = sources[0]
        let oneShape = sources.allSatisfy {
            $0.width == leading.width && $0.height == leading.height
                && $0.sampleAspectRatio == leading.sampleAspectRatio
        }
        if settings.resolution == .source, settings.aspectRatio == .source, oneShape {
            self.init(
                width: max(2, leading.width & ~1), height: max(2, leading.height & ~1),
                sampleAspectRatio: leading.sampleAspectRatio)
            return
        }
        let size = leading.squarePixelSize
        let aspect = settings.aspectRatio.value?.seconds ?? size.width / size.height
        // The largest canvas of this aspect on which the leading picture is not enlarged.
        let natural =
            switch settings.background {
            case .fill:
                size.width / size.height > aspect
                    ? (width: size.height * aspect, height: size.height)
                    : (width: size.width, height: size.width / aspect)
            case .fit, .blur:
                Self.canvas(shortSide: min(size.width, size.height), aspect: aspect)
            }
        var chosen = natural
        if let wanted = settings.resolution.shortSide.map(Double.init) {
            let asked = Self.canvas(shortSide: wanted, aspect: aspect)
            if settings.upscale || asked.width * asked.height < natural.width * natural.height { chosen = asked }
        }
        self.init(width: evenNearest(chosen.width), height: evenNearest(chosen.height))
    }

    private static func canvas(shortSide: Double, aspect: Double) -> (width: Double, height: Double) {
        aspect >= 1 ? (shortSide * aspect, shortSide) : (shortSide, shortSide / aspect)
    }

    /// How one source's picture is laid on this canvas.
    package func layout(of source: VideoStream, background: EditSettings.Background) -> PictureLayout {
        PictureLayout(orientation: source.orientation, arrangement: arrangement(of: source, background))
    }

    private func arrangement(
        of source: VideoStream, _ background: EditSettings.Background
    ) -> PictureLayout.Arrangement {
        if source.sampleAspectRatio == sampleAspectRatio {
            if source.width == width, source.height == height { return .identity }
            if source.width & ~1 == width, source.height & ~1 == height { return .trim(width: width, height: height) }
        }
        let size = source.squarePixelSize
        let canvas = (width: Double(width) * sampleAspectRatio.seconds, height: Double(height))
        let (across, down) = (canvas.width / size.width, canvas.height / size.height)
        func scaled(_ factor: Double) -> (width: Int, height: Int) {
            (
                evenNearest(size.width * factor / sampleAspectRatio.seconds),
                evenNearest(size.height * factor)
            )
        }
        let inside = scaled(min(across, down))
        let covering = scaled(max(across, down))
        let fitted = (width: min(width, inside.width), height: min(height, inside.height))
        let covered = (width: max(width, covering.width), height: max(height, covering.height))
        if fitted == (width, height) { return .scale(width: width, height: height) }
        let (x, y) = (evenBelow((width - fitted.width) / 2), evenBelow((height - fitted.height) / 2))
        let (backX, backY) = (evenBelow((covered.width - width) / 2), evenBelow((covered.height - height) / 2))
        switch background {
        case .fit:
            return .fit(
                width: fitted.width, height: fitted.height, x: x, y: y, canvasWidth: width, canvasHeight: height)
        case .fill:
            return .fill(
                width: covered.width, height: covered.height, x: backX, y: backY, canvasWidth: width,
                canvasHeight: height)
        case .blur:
            return .blur(
                width: fitted.width, height: fitted.height, x: x, y: y, backWidth: covered.width,
                backHeight: covered.height, backX: backX, backY: backY, canvasWidth: width, canvasHeight: height)
        }
    }
}

extension VideoStream {
    /// As shown, with pixels made square by widening or narrowing.
    fileprivate var squarePixelSize: (width: Double, height: Double) {
        (Double(width) * sampleAspectRatio.seconds, Double(height))
    }
}

private func evenNearest(_ value: Double) -> Int { max(2, Int((value / 2).rounded()) * 2) }
private func evenBelow(_ value: Int) -> Int { value & ~1 }
