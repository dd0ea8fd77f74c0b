#include "CFFmpegShims.h"

#include <errno.h>
#include <libavutil/log.h>
#include <libavutil/opt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

const int rp_error_again = AVERROR(EAGAIN);
const int rp_error_eof = AVERROR_EOF;
const int rp_error_invalid_data = AVERROR_INVALIDDATA;
const int rp_error_exit = AVERROR_EXIT;
const int rp_error_io = AVERROR(EIO);
const int rp_error_nomem = AVERROR(ENOMEM);
const int rp_error_decoder_not_found = AVERROR_DECODER_NOT_FOUND;
const int rp_error_encoder_not_found = AVERROR_ENCODER_NOT_FOUND;
const int rp_error_patchwelcome = AVERROR_PATCHWELCOME;
const int64_t rp_nopts = AV_NOPTS_VALUE;

// MARK: Log capture

enum { LOG_LINE_BYTES = 512 };

// Each thread's own: jobs side by side must not explain each other's errors.
static _Thread_local char last_line[LOG_LINE_BYTES];
static bool echo_lines = false;

static void capture(void *context, int level, const char *format, va_list arguments) {
    if (echo_lines) {
        va_list again;
        va_copy(again, arguments);
        av_log_default_callback(context, level, format, again);
        va_end(again);
    }
    if (level > AV_LOG_ERROR) return;
    char line[LOG_LINE_BYTES];
    int print_prefix = 1;
    if (av_log_format_line2(context, level, format, arguments, line, sizeof line, &print_prefix) < 0) return;
    size_t length = strcspn(line, "\r\n");
    if (length == 0) return;
    line[length] = 0;
    memcpy(last_line, line, length + 1);
}

void rp_log_install(bool echo) {
    echo_lines = echo;
    av_log_set_callback(capture);
}

void rp_log_quieten_encoders(void) { setenv("SVT_LOG", "1", 0); }

void rp_memory_keep_small(void) {
    // Sources: PR_SET_THP_DISABLE in prctl(2), M_MMAP_THRESHOLD in mallopt(3).
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    mallopt(M_MMAP_THRESHOLD, 128 << 10);
    mallopt(M_ARENA_MAX, 1);
}

void rp_log_clear(void) { last_line[0] = 0; }

size_t rp_log_last(char *buffer, size_t capacity) {
    if (capacity == 0) return 0;
    snprintf(buffer, capacity, "%s", last_line);
    return strlen(buffer);
}

// MARK: Bytes through callbacks

AVIOContext *rp_io_alloc(int buffer_size, bool writable, void *opaque, rp_read_fn read, rp_write_fn write,
                         rp_seek_fn seek) {
    unsigned char *buffer = av_malloc((size_t)buffer_size);
    if (!buffer) return NULL;
    // write_packet takes a const buffer since libavformat 61; the callback never writes to it, so the
    // cast is sound for the older type.
    AVIOContext *io = avio_alloc_context(buffer, buffer_size, writable, opaque, read, (void *)write, seek);
    if (!io) av_free(buffer);
    return io;
}

void rp_io_free(AVIOContext **io) {
    if (!io || !*io) return;
    av_freep(&(*io)->buffer);
    avio_context_free(io);
}

static int deny_open(AVFormatContext *format, AVIOContext **io, const char *url, int flags, AVDictionary **options) {
    (void)io, (void)flags, (void)options;
    av_log(format, AV_LOG_ERROR, "refused to open a resource the file names\n");
    (void)url;
    return AVERROR(EPERM);
}

void rp_format_deny_nested_io(AVFormatContext *format) {
    format->io_open = deny_open;
}

// MARK: Version gates

// AVFrame.duration: libavutil 57.30 (6.0).
#define HAS_FRAME_DURATION (LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 30, 100))
// AV_FRAME_FLAG_KEY and _INTERLACED: libavutil 58.7 and 58.11 (6.1).
#define HAS_FRAME_FLAGS (LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 29, 100))
// AVCodecParameters.coded_side_data: libavcodec 60.30 (6.1).
#define HAS_CODED_SIDE_DATA (LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 31, 102))
// avcodec_get_supported_config: libavcodec 61.13 (7.1).
#define HAS_SUPPORTED_CONFIG (LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(61, 19, 100))

int64_t rp_frame_duration(const AVFrame *frame) {
#if HAS_FRAME_DURATION
    return frame->duration;
#else
    return frame->pkt_duration;
#endif
}

void rp_frame_set_duration(AVFrame *frame, int64_t duration) {
#if HAS_FRAME_DURATION
    frame->duration = duration;
#else
    frame->pkt_duration = duration;
#endif
}

bool rp_frame_is_key(const AVFrame *frame) {
#if HAS_FRAME_FLAGS
    return frame->flags & AV_FRAME_FLAG_KEY;
#else
    return frame->key_frame;
#endif
}

void rp_frame_clear_picture_type(AVFrame *frame) {
    frame->pict_type = AV_PICTURE_TYPE_NONE;
#if HAS_FRAME_FLAGS
    frame->flags &= ~AV_FRAME_FLAG_KEY;
#else
    frame->key_frame = 0;
#endif
}

const uint8_t *rp_stream_side_data(const AVStream *stream, enum AVPacketSideDataType type, size_t *size) {
#if HAS_CODED_SIDE_DATA
    const AVPacketSideData *found = av_packet_side_data_get(stream->codecpar->coded_side_data,
                                                            stream->codecpar->nb_coded_side_data, type);
    *size = found ? found->size : 0;
    return found ? found->data : NULL;
#else
    return av_stream_get_side_data(stream, type, size);
#endif
}

int rp_stream_add_side_data(AVStream *stream, enum AVPacketSideDataType type, const void *data, size_t size) {
#if HAS_CODED_SIDE_DATA
    AVPacketSideData *entry = av_packet_side_data_new(&stream->codecpar->coded_side_data,
                                                      &stream->codecpar->nb_coded_side_data, type, size, 0);
    if (!entry) return AVERROR(ENOMEM);
    memcpy(entry->data, data, size);
    return 0;
#else
    uint8_t *copy = av_stream_new_side_data(stream, type, size);
    if (!copy) return AVERROR(ENOMEM);
    memcpy(copy, data, size);
    return 0;
#endif
}

bool rp_encoder_takes_pixel_format(const AVCodec *codec, enum AVPixelFormat format) {
#if HAS_SUPPORTED_CONFIG
    const void *list = NULL;
    if (avcodec_get_supported_config(NULL, codec, AV_CODEC_CONFIG_PIX_FORMAT, 0, &list, NULL) < 0) return true;
    const enum AVPixelFormat *formats = list;
#else
    const enum AVPixelFormat *formats = codec->pix_fmts;
#endif
    if (!formats) return true;
    for (; *formats != AV_PIX_FMT_NONE; formats++)
        if (*formats == format) return true;
    return false;
}

enum AVSampleFormat rp_encoder_sample_format(const AVCodec *codec) {
#if HAS_SUPPORTED_CONFIG
    const void *list = NULL;
    if (avcodec_get_supported_config(NULL, codec, AV_CODEC_CONFIG_SAMPLE_FORMAT, 0, &list, NULL) < 0)
        return AV_SAMPLE_FMT_FLTP;
    const enum AVSampleFormat *formats = list;
#else
    const enum AVSampleFormat *formats = codec->sample_fmts;
#endif
    if (!formats) return AV_SAMPLE_FMT_FLTP;
    enum AVSampleFormat found = AV_SAMPLE_FMT_NONE;
    for (const enum AVSampleFormat *each = formats; *each != AV_SAMPLE_FMT_NONE; each++) {
        if (*each == AV_SAMPLE_FMT_FLTP) return *each;
        if (*each == AV_SAMPLE_FMT_FLT) found = *each;
    }
    return found;
}

int rp_encoder_sample_rate(const AVCodec *codec, int wanted) {
#if HAS_SUPPORTED_CONFIG
    const void *list = NULL;
    if (avcodec_get_supported_config(NULL, codec, AV_CODEC_CONFIG_SAMPLE_RATE, 0, &list, NULL) < 0) return wanted;
    const int *rates = list;
#else
    const int *rates = codec->supported_samplerates;
#endif
    if (!rates) return wanted;
    int above = 0, highest = 0;
    for (; *rates; rates++) {
        if (*rates >= wanted && (!above || *rates < above)) above = *rates;
        if (*rates > highest) highest = *rates;
    }
    return above ? above : highest;
}
