import Foundation
import Model
import Planning
import TestSupport
import Testing

@Suite("The canvas")
struct CanvasTests {
    static func settings(
        _ resolution: EditSettings.Resolution = .source, _ aspect: EditSettings.AspectRatio = .source,
        _ background: EditSettings.Background = .fit, upscale: Bool = false
    ) -> EditSettings {
        var settings = EditSettings()
        (settings.resolution, settings.aspectRatio) = (resolution, aspect)
        (settings.background, settings.upscale) = (background, upscale)
        return settings
    }

    @Test("of one shape without settings is that shape, pixel for pixel")
    func untouched() {
        let anamorphic = ProbedSource.video(width: 240, height: 180, aspect: Rational(4, 3))
        #expect(
            Canvas(for: [anamorphic, anamorphic], settings: Self.settings())
                == Canvas(width: 240, height: 180, sampleAspectRatio: Rational(4, 3)))
        let turned = ProbedSource.video(width: 320, height: 180, orientation: .rotated90)
        #expect(Canvas(for: [turned], settings: Self.settings()) == Canvas(width: 180, height: 320))
        let odd = ProbedSource.video(width: 319, height: 179)
        #expect(Canvas(for: [odd], settings: Self.settings()) == Canvas(width: 318, height: 178))
    }

    @Test(
        "has the size that is asked for, but never enlarges unasked",
        arguments: [
            ((1920, 1080), settings(.p720), (1280, 720)), ((1080, 1920), settings(.p720), (720, 1280)),
            ((640, 360), settings(.p1080), (640, 360)), ((640, 360), settings(.p1080, upscale: true), (1920, 1080)),
            ((1920, 1080), settings(.p1080), (1920, 1080)), ((1920, 1080), settings(.p480), (854, 480)),
            ((3840, 2160), settings(.p1440), (2560, 1440)), ((3840, 2160), settings(.p2160), (3840, 2160)),
            ((1920, 1080), settings(.source, .portrait), (1080, 1920)),
            ((1920, 1080), settings(.source, .portrait, .fill), (608, 1080)),
            ((1920, 1080), settings(.source, .square), (1080, 1080)),
            ((1920, 1080), settings(.source, .square, .fill), (1080, 1080)),
            ((1080, 1920), settings(.source, .landscape, .fill), (1080, 608)),
            ((1920, 1080), settings(.p720, .square), (720, 720)),
            ((1920, 1080), settings(.p720, .portrait), (720, 1280)),
            ((320, 180), settings(.p720, .portrait, .fill), (102, 180)),
            ((320, 180), settings(.p720, .portrait, .fill, upscale: true), (720, 1280)),
            ((1440, 1080), settings(.source, .landscape), (1920, 1080)),
        ] as [((Int, Int), EditSettings, (Int, Int))])
    func sizes(source: (Int, Int), settings: EditSettings, expected: (Int, Int)) {
        let canvas = Canvas(for: [ProbedSource.video(width: source.0, height: source.1)], settings: settings)
        #expect(canvas == Canvas(width: expected.0, height: expected.1))
    }

    @Test("has square pixels as soon as anything is resized")
    func squarePixels() {
        let anamorphic = ProbedSource.video(width: 720, height: 576, aspect: Rational(64, 45))
        #expect(Canvas(for: [anamorphic], settings: Self.settings(.p480)) == Canvas(width: 854, height: 480))
        let both = [anamorphic, ProbedSource.video(width: 720, height: 576)]
        #expect(Canvas(for: both, settings: Self.settings()) == Canvas(width: 1024, height: 576))
    }

    @Test("follows the first of several sources")
    func leading() {
        let sources = [ProbedSource.video(width: 640, height: 360), ProbedSource.video(width: 1920, height: 1080)]
        #expect(Canvas(for: sources, settings: Self.settings()) == Canvas(width: 640, height: 360))
    }

    @Test("is even, near the asked shape, and enlarges nothing", arguments: [UInt64](1...100))
    func properties(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let aspect = try #require([.one, Rational(4, 3), Rational(8, 9), Rational(3, 4)].randomElement(using: &random))
        let source = ProbedSource.video(
            width: .random(in: 100...4000, using: &random), height: .random(in: 100...4000, using: &random),
            aspect: aspect, orientation: .allCases.randomElement(using: &random) ?? .upright)
        var settings = EditSettings()
        settings.resolution = .allCases.randomElement(using: &random) ?? .p720
        settings.aspectRatio = .allCases.randomElement(using: &random) ?? .square
        settings.background = .allCases.randomElement(using: &random) ?? .fit
        let canvas = Canvas(for: [source], settings: settings)
        #expect(canvas.width % 2 == 0 && canvas.height % 2 == 0 && canvas.width >= 2 && canvas.height >= 2)
        guard settings.resolution != .source || settings.aspectRatio != .source else { return }

        let (width, height) = (Double(canvas.width), Double(canvas.height))
        let (shownWidth, shownHeight) = (Double(source.width) * source.sampleAspectRatio.seconds, Double(source.height))
        if let wanted = settings.aspectRatio.value {
            // Each side is rounded to an even number.
            #expect(abs(width - height * wanted.seconds) <= 1 + wanted.seconds)
        } else {
            #expect(abs(width - height * shownWidth / shownHeight) <= 1 + shownWidth / shownHeight)
        }
        let factor =
            settings.background == .fill
            ? max(width / shownWidth, height / shownHeight) : min(width / shownWidth, height / shownHeight)
        #expect(factor <= 1 + 2 / min(shownWidth, shownHeight), "the picture is enlarged \(factor) times")
        if let preset = settings.resolution.shortSide { #expect(min(canvas.width, canvas.height) <= preset) }
    }
}

@Suite("A picture's place on the canvas")
struct PictureLayoutTests {
    private static func arrangement(
        _ width: Int, _ height: Int, on canvas: Canvas, _ background: EditSettings.Background = .fit,
        aspect: Rational = .one
    ) -> PictureLayout.Arrangement {
        let source = ProbedSource.video(width: width, height: height, aspect: aspect)
        return canvas.layout(of: source, background: background).arrangement
    }

    @Test("is the canvas when the shapes are the same")
    func same() {
        #expect(Self.arrangement(640, 360, on: Canvas(width: 640, height: 360)) == .identity)
        #expect(Self.arrangement(641, 361, on: Canvas(width: 640, height: 360)) == .trim(width: 640, height: 360))
        #expect(Self.arrangement(1920, 1080, on: Canvas(width: 640, height: 360)) == .scale(width: 640, height: 360))
        let wide = Canvas(width: 240, height: 180, sampleAspectRatio: Rational(4, 3))
        #expect(Self.arrangement(240, 180, on: wide, aspect: Rational(4, 3)) == .identity)
        #expect(Self.arrangement(320, 180, on: wide) == .scale(width: 240, height: 180))
        #expect(
            Self.arrangement(240, 180, on: Canvas(width: 320, height: 180), aspect: Rational(4, 3))
                == .scale(width: 320, height: 180))
    }

    @Test("is centred between bars, cropped about the centre, or over a blurred copy")
    func backgrounds() {
        let canvas = Canvas(width: 1080, height: 1920)
        #expect(
            Self.arrangement(1920, 1080, on: canvas)
                == .fit(width: 1080, height: 608, x: 0, y: 656, canvasWidth: 1080, canvasHeight: 1920))
        #expect(
            Self.arrangement(1920, 1080, on: canvas, .fill)
                == .fill(width: 3414, height: 1920, x: 1166, y: 0, canvasWidth: 1080, canvasHeight: 1920))
        #expect(
            Self.arrangement(1920, 1080, on: canvas, .blur)
                == .blur(
                    width: 1080, height: 608, x: 0, y: 656, backWidth: 3414, backHeight: 1920, backX: 1166, backY: 0,
                    canvasWidth: 1080, canvasHeight: 1920))
    }

    @Test("is turned as the source says")
    func orientation() {
        let turned = ProbedSource.video(width: 320, height: 180, orientation: .rotated90)
        let layout = Canvas(width: 180, height: 320).layout(of: turned, background: .fit)
        #expect(layout == PictureLayout(orientation: .rotated90, arrangement: .identity))
    }

    @Test("keeps the shape, stays on the canvas and on even pixels", arguments: [UInt64](1...100))
    func properties(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let canvas = Canvas(
            width: 2 * .random(in: 50...1000, using: &random), height: 2 * .random(in: 50...1000, using: &random))
        let (width, height) = (Int.random(in: 50...4000, using: &random), Int.random(in: 50...4000, using: &random))
        let shape = Double(width) / Double(height)
        func expectShape(_ across: Int, _ down: Int) {
            // Both sides are rounded to even numbers and may not leave, or must cover, the canvas.
            #expect(abs(Double(across) - Double(down) * shape) <= 2 + 2 * shape, "\(across)x\(down)")
        }
        for background in EditSettings.Background.allCases {
            switch Self.arrangement(width, height, on: canvas, background) {
            case .identity: #expect(width == canvas.width && height == canvas.height)
            case .trim(let across, let down), .scale(let across, let down):
                #expect(across == canvas.width && down == canvas.height)
            case .fit(let across, let down, let x, let y, _, _):
                #expect([across, down, x, y].allSatisfy { $0 % 2 == 0 && $0 >= 0 })
                #expect(x + across <= canvas.width && y + down <= canvas.height)
                #expect(across == canvas.width || down == canvas.height)
                #expect(abs(canvas.width - across - 2 * x) <= 2 && abs(canvas.height - down - 2 * y) <= 2, "centred")
                expectShape(across, down)
            case .fill(let across, let down, let x, let y, _, _):
                #expect([across, down, x, y].allSatisfy { $0 % 2 == 0 && $0 >= 0 })
                #expect(x + canvas.width <= across && y + canvas.height <= down)
                #expect(abs(across - canvas.width - 2 * x) <= 2 && abs(down - canvas.height - 2 * y) <= 2, "centred")
                expectShape(across, down)
            case .blur(let across, let down, let x, let y, let backAcross, let backDown, let backX, let backY, _, _):
                #expect(x + across <= canvas.width && y + down <= canvas.height)
                #expect(backX + canvas.width <= backAcross && backY + canvas.height <= backDown)
                expectShape(across, down)
                expectShape(backAcross, backDown)
            }
        }
    }
}
