/// What outputs are, by the endings of their names. Source: IANA, Media Types.
enum ContentTypes {
    private static let types = [
        "mp4": "video/mp4", "m4v": "video/mp4", "mov": "video/quicktime", "webm": "video/webm",
        "mkv": "video/matroska", "mp3": "audio/mpeg", "m4a": "audio/mp4", "aac": "audio/aac", "opus": "audio/ogg",
        "wav": "audio/wav", "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp",
        "json": "application/json", "vtt": "text/vtt",
    ]

    static func type(ofKey key: String) -> String? {
        guard let name = key.split(separator: "/").last, let dot = name.lastIndex(of: ".") else { return nil }
        return types[name[dot...].dropFirst().lowercased()]
    }
}
