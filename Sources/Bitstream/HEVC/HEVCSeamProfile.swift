extension HEVC {
    /// What libx265 has to be told so that its pictures fit between a source's.
    package struct SeamProfile: Hashable, Sendable {
        /// For FFmpeg's libx265: `profile`, `bf`, `refs`, `g` and `x265-params`. Rate and speed are free.
        package let options: [String: String]
        /// FFmpeg's name of the form of the pictures.
        package let pixelFormat: String
        /// What the encoder is to be given, in luma samples: the cropped picture.
        package let width: Int
        package let height: Int

        package init(_ configuration: DecoderConfiguration) throws(Obstacle) {
            if let obstacle = configuration.obstacle { throw obstacle }
            let sequence = configuration.sequence
            let level = "\(sequence.level / 30).\(sequence.level % 30 / 3)"
            let parameters = [
                // Every picture at once, in the order shown.
                "keyint=-1", "scenecut=0", "open-gop=0", "bframes=0", "b-adapt=0", "rc-lookahead=0", "frame-threads=1",
                "ref=\(max(1, min(3, sequence.maxDecodedPictures - 1)))", "level-idc=\(level)",
                "high-tier=\(sequence.profileTierLevel.first.map { $0 & 0x20 != 0 } == true ? 1 : 0)",
                "repeat-headers=0", "info=0", "aud=0", "hrd=0", "temporal-layers=0", "log-level=none",
            ]
            let isDeep = sequence.bitDepthLuma > 8
            options = [
                "profile": isDeep || sequence.profile == 2 ? "main10" : "main", "bf": "0", "g": "100000",
                "x265-params": parameters.joined(separator: ":"),
            ]
            pixelFormat = isDeep ? "yuv420p10le" : "yuv420p"
            (width, height) = (sequence.croppedWidth, sequence.croppedHeight)
        }
    }
}
