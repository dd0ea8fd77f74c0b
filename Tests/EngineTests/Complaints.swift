import TestSupport
import Testing

/// No player may find anything to complain of in the pictures, nor, where asked for, in the sound.
func expectNoComplaints(about file: String, withSound: Bool = false, _ comment: String = "") throws {
    let complaints = try Command.run(
        "ffmpeg",
        ["-v", "warning", "-nostdin", "-err_detect", "explode", "-i", file, "-map", "0:v"]
            + (withSound ? ["-map", "0:a?"] : [])
            + ["-fps_mode", "passthrough", "-enc_time_base", "-1", "-f", "null", "-"])
    #expect(complaints.errors.isEmpty, "\(complaints.errors.prefix(400)): \(comment)")
}
