"""docs/benchmarks.md."""

from table import Table, as_markdown

PREFACE = """# Benchmarks

Reelpool beside the `ffmpeg` command line, same settings, same number of threads. Written by `make bench`; numbers are \
for the machine below, ratios travel better. The pool beside TaskIQ's and Celery's workers: \
[benchmarks-pool.md](benchmarks-pool.md). Transfers beside rclone and boto3: \
[benchmarks-transfers.md](benchmarks-transfers.md).
"""

METHOD = """## How it is measured

- Programs that are compared run in turn (A B C, A B C, …), {rounds} rounds. A number is the median over rounds; a \
ratio is the median over rounds of the ratio within one round, with its lowest and highest value in brackets. Verdicts \
go by the median.
- CPU seconds are user and system time of the whole process tree, and peak memory is the largest resident set, both as \
the kernel reports them at exit.
- A *floor* is what nothing built as Reelpool is could go below: for CPU, what the command line of the same version as \
the linked libraries takes; for memory, that command line's peak plus what Reelpool's executable itself (Swift's runtime \
is in it) has resident. Where a floor is above the bar, the bar is 1.1 times the floor.
- The recording is {seconds} s of 1080p30 H.264 with grain and AAC stereo sound in bursts; the long one is 10 minutes of \
180p30 with a keyframe every second, small so that what is not pixels shows.
- `--threads N` is for decoder, filters and encoder together, and keeps no more than *N* cores busy; of x264's frame \
threads, which wait for each other, two more are started. A command line gets `-threads N` for its decoder and again \
for its encoder, and one filter thread; ffmpeg 9.0 adds threads of its own even then. \
With *its own threads* nothing is said to it.
- *Proxy, picture only*: libx264 veryfast crf 23, bicubic to 720p, a keyframe every second, index first. Reelpool makes \
`sprite.jpg` and `poster.jpg` in the same run, and is not credited for them. VMAF is against the source, both at 1080p.
- *Proxy set*: `proxy.mp4`, `audio.mp3`, `sprite.jpg`, `waveform.json`, `poster.jpg`. The command lines write raw \
samples in place of the waveform, which is less work than peaks.
- *Probe*: one Reelpool process for all files, against one `ffprobe -show_format -show_streams` for each. Reelpool also \
finds keyframe distances and edit lists. Files that are broken or encrypted are among them, for both.
- *Render*: three quarters of the recording in five ranges, libx264 veryfast crf 20 and AAC; the command lines use trim, \
atrim and concat.
- *Ranges*: the same number of frames of the same ten minutes, in 500 ranges and in 5.
- *Memory growth*: peak memory of a nine-minute render less that of a one-minute render, by the eight minutes between.
"""


def page(table: Table, setting: list[tuple[str, str]], rounds: int, seconds: int, quick: bool) -> str:
    warning = "\n**A quick run: one round on short inputs. The numbers mean nothing.**\n" if quick else ""
    lines = "\n".join(f"| {label} | {value} |" for label, value in setting)
    return "\n".join([
        PREFACE + warning, "## What it ran on", "", "| | |", "|---|---|", lines, "", "## Results", "",
        as_markdown(table), "", METHOD.format(rounds=rounds, seconds=seconds)])
