// What Swift cannot import from FFmpeg (function-like macros, va_list callbacks), and every difference
// between the FFmpeg versions Reelpool compiles against: 5.1, 6.1, 7.1 and 8. No other file of the
// project has a version check.
#ifndef REELPOOL_CFFMPEG_SHIMS_H
#define REELPOOL_CFFMPEG_SHIMS_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/frame.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// MARK: Macros as constants

extern const int rp_error_again;
extern const int rp_error_eof;
extern const int rp_error_invalid_data;
extern const int rp_error_exit;
extern const int rp_error_io;
extern const int rp_error_nomem;
extern const int rp_error_decoder_not_found;
extern const int rp_error_encoder_not_found;
extern const int rp_error_patchwelcome;
extern const int64_t rp_nopts;

// MARK: Log capture

/// Routes av_log into per-thread memory of the last error line; nothing is printed unless `echo`.
void rp_log_install(bool echo);
/// Has SVT-AV1, which prints past av_log, tell errors only. Changes the environment: for a program's start, while there is
/// one thread.
void rp_log_quieten_encoders(void);
/// Has the process take the memory that it uses, and no more: x264 asks for pages of 2 MiB, which it fills in part, and
/// freed pictures stay with the allocator. Costs no time that could be measured. For a program's start.
void rp_memory_keep_small(void);
/// Forgets the calling thread's last line.
void rp_log_clear(void);
/// Copies the last error line of the calling thread; returns its length, 0 for none.
size_t rp_log_last(char *buffer, size_t capacity);

// MARK: Bytes through callbacks

typedef int (*rp_read_fn)(void *opaque, uint8_t *buffer, int size);
typedef int (*rp_write_fn)(void *opaque, const uint8_t *buffer, int size);
typedef int64_t (*rp_seek_fn)(void *opaque, int64_t offset, int whence);
/// An AVIOContext over callbacks. NULL when memory is short. `buffer_size` in bytes.
AVIOContext *rp_io_alloc(int buffer_size, bool writable, void *opaque, rp_read_fn read, rp_write_fn write,
                         rp_seek_fn seek);
void rp_io_free(AVIOContext **io);
/// Closes the door on every other resource: playlists, references and side files cannot be opened.
void rp_format_deny_nested_io(AVFormatContext *format);

// MARK: Version gates

int64_t rp_frame_duration(const AVFrame *frame);
void rp_frame_set_duration(AVFrame *frame, int64_t duration);
bool rp_frame_is_key(const AVFrame *frame);
/// A frame that the encoder should decide the type of itself.
void rp_frame_clear_picture_type(AVFrame *frame);

/// Stream-level side data of `type`, or NULL; valid while the stream lives.
const uint8_t *rp_stream_side_data(const AVStream *stream, enum AVPacketSideDataType type, size_t *size);
/// Attaches a copy of `data` to an output stream. Returns a negative AVERROR on failure.
int rp_stream_add_side_data(AVStream *stream, enum AVPacketSideDataType type, const void *data, size_t size);

/// Whether `codec` encodes from `format`; true when the codec does not say.
bool rp_encoder_takes_pixel_format(const AVCodec *codec, enum AVPixelFormat format);
/// Planar float where an encoder takes it, else interleaved float, else AV_SAMPLE_FMT_NONE.
enum AVSampleFormat rp_encoder_sample_format(const AVCodec *codec);
/// The supported rate nearest to and not below `wanted`, else the highest; `wanted` when the codec does not say.
int rp_encoder_sample_rate(const AVCodec *codec, int wanted);

#endif
