internal import CAss
internal import FoundationEssentials

/// Sets text by libass: shaped, broken into lines, outlined and boxed. Not thread-safe.
package struct Letterer: ~Copyable {
    private let library: OpaquePointer
    private let renderer: OpaquePointer
    private let header: String

    /// - Parameters:
    ///   - header: a script's style, as `CaptionScript` writes it.
    ///   - font: the family that it names; there has to be one of that name among the fonts.
    ///   - width: of the picture.
    ///   - pixelAspect: how much wider than high the picture's pixels are shown.
    package init(
        header: String, font: String, fonts: FontSet, width: Int, height: Int, pixelAspect: Double
    ) throws(LetteringError) {
        guard !fonts.fonts.isEmpty else { throw .noFonts }
        let family = fonts.fonts(ofFamily: font)
        guard !family.isEmpty else { throw .noFont(font) }
        guard let library = ass_library_init() else { throw .outOfMemory }
        // It prints otherwise.
        ass_set_message_cb(library, { _, _, _, _ in }, nil)
        for font in family + (font == FontSet.fallback ? [] : fonts.fonts(ofFamily: FontSet.fallback)) {
            font.bytes.withUnsafeBytes { bytes in
                // Copied; the parameter is not const for no reason.
                ass_add_font(
                    library, font.name, UnsafeMutablePointer(mutating: bytes.bindMemory(to: CChar.self).baseAddress),
                    Int32(bytes.count))
            }
        }
        guard let renderer = ass_renderer_init(library) else {
            ass_library_done(library)
            throw .outOfMemory
        }
        ass_set_frame_size(renderer, Int32(width), Int32(height))
        ass_set_storage_size(renderer, Int32(width), Int32(height))
        ass_set_pixel_aspect(renderer, pixelAspect)
        // Only what was given: the same text looks the same on every machine.
        ass_set_fonts(renderer, nil, font, Int32(ASS_FONTPROVIDER_NONE.rawValue), nil, 1)
        (self.library, self.renderer, self.header) = (library, renderer, header)
    }

    deinit {
        ass_renderer_done(renderer)
        ass_library_done(library)
    }

    /// - Parameter event: as `CaptionScript` writes it.
    /// - Returns: `nil` where nothing of it is seen.
    package func set(_ event: String) throws(LetteringError) -> LetteredText? {
        guard let track = ass_new_track(library) else { throw .outOfMemory }
        defer { ass_free_track(track) }
        var script = Array(header.utf8CString)
        ass_process_codec_private(track, &script, Int32(script.count - 1))
        var text = Array(event.utf8CString)
        ass_process_chunk(track, &text, Int32(text.count - 1), 0, 1000)
        guard let images = ass_render_frame(renderer, track, 500, nil) else { return nil }
        return Self.combined(images)
    }

    private static func combined(_ first: UnsafeMutablePointer<ASS_Image>) -> LetteredText? {
        let images = sequence(first: first) { $0.pointee.next }.map(\.pointee).filter { $0.w > 0 && $0.h > 0 }
        guard let left = images.map(\.dst_x).min(), let top = images.map(\.dst_y).min(),
            let right = images.map({ $0.dst_x + $0.w }).max(), let bottom = images.map({ $0.dst_y + $0.h }).max()
        else { return nil }
        var text = LetteredText(x: Int(left), y: Int(top), width: Int(right - left), height: Int(bottom - top))
        for image in images {
            func byte(_ shift: UInt32) -> Int { Int(image.color >> shift & 255) }
            text.lay(
                (byte(24), byte(16), byte(8), 255 - byte(0)), x: Int(image.dst_x), y: Int(image.dst_y),
                width: Int(image.w), height: Int(image.h), coverage: image.bitmap, stride: Int(image.stride))
        }
        return text
    }
}
