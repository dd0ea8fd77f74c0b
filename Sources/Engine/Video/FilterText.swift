internal import Media
internal import Model
internal import Planning

/// A picture layout and a colour treatment as libavfilter's text; empty where nothing is to be done.
enum FilterText {
    static func chain(_ recipe: PictureRecipe, input: PictureFormat) -> String {
        // One frame a pair of fields: the frame count stays, and progressive frames pass untouched.
        var parts = recipe.deinterlaces ? ["bwdif=mode=send_frame:deint=interlaced"] : []
        parts += orientation(recipe.layout.orientation)
        parts += colorBefore(recipe.color)
        parts += arrangement(recipe.layout.arrangement, scaling: scaling(recipe.color, input))
        let resized = parts.contains { $0.hasPrefix("scale=") }
        if !resized, case .convert = recipe.color { parts.append("scale=\(scaling(recipe.color, input))") }
        if input.pixelFormat != recipe.pixelFormat || !parts.isEmpty { parts.append("format=\(recipe.pixelFormat)") }
        let aspect = recipe.sampleAspectRatio
        if !parts.isEmpty { parts.append("setsar=\(aspect.numerator)/\(aspect.denominator)") }
        return parts.joined(separator: ",")
    }

    private static func orientation(_ orientation: Orientation) -> [String] {
        switch orientation {
        case .upright: []
        case .rotated90: ["transpose=clock"]
        case .rotated180: ["hflip", "vflip"]
        case .rotated270: ["transpose=cclock"]
        case .mirrored: ["hflip"]
        case .flipped: ["vflip"]
        case .mirroredRotated90: ["transpose=clock_flip"]
        case .mirroredRotated270: ["transpose=cclock_flip"]
        }
    }

    /// Tone mapping is done in linear light at full size, before scaling mixes bright and dark.
    ///
    /// Source: ITU-R BT.2408 (nominal peak and reference white), FFmpeg's zscale and tonemap filters.
    private static func colorBefore(_ treatment: ColorTreatment) -> [String] {
        guard case .toneMap(let tags) = treatment else { return [] }
        let input =
            "matrixin=\(tags.matrix ?? "bt2020nc"):primariesin=\(tags.primaries ?? "bt2020")"
            + ":transferin=\(tags.transfer ?? "smpte2084"):rangein=\(tags.isFullRange ? "full" : "limited")"
        return [
            "zscale=\(input):transfer=linear:npl=203", "format=gbrpf32le", "zscale=primaries=bt709",
            "tonemap=tonemap=hable:desat=0:peak=10", "zscale=transfer=bt709:matrix=bt709:range=limited",
        ]
    }

    /// The scale filter's colour arguments.
    private static func scaling(_ treatment: ColorTreatment, _ input: PictureFormat) -> String {
        guard case .convert(let from, let to) = treatment else { return "" }
        var arguments: [String] = []
        if let source = from.matrix, let target = to.matrix, source != target {
            arguments += ["in_color_matrix=\(source)", "out_color_matrix=\(target)"]
        }
        arguments += ["in_range=\(from.range ?? "tv")", "out_range=\(to.range ?? "tv")"]
        return arguments.joined(separator: ":")
    }

    private static func arrangement(_ arrangement: PictureLayout.Arrangement, scaling: String) -> [String] {
        func scale(_ width: Int, _ height: Int) -> String {
            "scale=\(width):\(height):flags=bicubic" + (scaling.isEmpty ? "" : ":" + scaling)
        }
        switch arrangement {
        case .identity: return []
        case .trim(let width, let height): return ["crop=\(width):\(height):0:0:exact=1"]
        case .scale(let width, let height): return [scale(width, height)]
        case .fit(let width, let height, let x, let y, let canvasWidth, let canvasHeight):
            return [scale(width, height), "setsar=1", "pad=\(canvasWidth):\(canvasHeight):\(x):\(y):black"]
        case .fill(let width, let height, let x, let y, let canvasWidth, let canvasHeight):
            return [scale(width, height), "crop=\(canvasWidth):\(canvasHeight):\(x):\(y):exact=1"]
        case .blur(
            let width, let height, let x, let y, let backWidth, let backHeight, let backX, let backY, let canvasWidth,
            let canvasHeight):
            // The background is blurred at a quarter of its size: a sixteenth of the work, and no eye sees it.
            let (smallWidth, smallHeight) = (max(2, backWidth / 4 & ~1), max(2, backHeight / 4 & ~1))
            return [
                "split[front][back];"
                    + "[back]\(scale(smallWidth, smallHeight)),gblur=sigma=8,"
                    + "scale=\(backWidth):\(backHeight):flags=bilinear,crop=\(canvasWidth):\(canvasHeight):\(backX):\(backY),"
                    + "eq=brightness=-0.08,setsar=1[soft];"
                    + "[front]\(scale(width, height)),setsar=1[sharp];"
                    + "[soft][sharp]overlay=\(x):\(y):format=auto"
            ]
        }
    }
}
