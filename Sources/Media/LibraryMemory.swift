internal import CFFmpegShims

/// What FFmpeg's libraries and their encoders take of the process's memory.
package enum LibraryMemory {
    /// Pages only where something is written, and large buffers given back when they are freed. For the start of a
    /// program.
    package static func keepSmall() { rp_memory_keep_small() }
}
