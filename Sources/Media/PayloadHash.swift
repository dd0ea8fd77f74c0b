internal import CFFmpeg

/// A 128-bit hash of bytes that pass by, to prove that what leaves is what came (MurmurHash3 by libavutil).
///
/// It guards against mistakes, not against malice.
package struct PayloadHash: ~Copyable {
    private let context: OpaquePointer

    package init() throws(MediaError) {
        context = try allocated(av_murmur3_alloc(), "making a hash")
        av_murmur3_init(context)
    }

    deinit { av_free(UnsafeMutableRawPointer(context)) }

    package mutating func add(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        av_murmur3_update(context, start.assumingMemoryBound(to: UInt8.self), bytes.count)
    }

    /// The hash so far; what is added afterwards begins a new one.
    package mutating func take() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 16)
        av_murmur3_final(context, &digest)
        av_murmur3_init(context)
        return digest
    }
}
