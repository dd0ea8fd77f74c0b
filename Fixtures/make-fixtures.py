#!/usr/bin/env python3
"""Makes Reelpool's test media, and checks that it is still what was made.

Why a script and not just the files: each clip exists to show one property (an
edit list, an open GOP, a hole in the audio), and that property is only worth
testing against while everybody can read how it came about.  Everything is
synthetic - test patterns, sines, a speech synthesiser - so the results belong
to nobody and are published under CC0-1.0.

    make-fixtures.py                regenerate everything and MANIFEST.json
    make-fixtures.py NAME...        regenerate only these (ntsc.mp4, bomb.png)
    make-fixtures.py --check        compare the files with MANIFEST.json

Needs ffmpeg (5.1, with x264, x265, vpx, SVT-AV1, opus, mp3lame) and espeak-ng.
Every encoder runs on one thread and in "bitexact" mode, so two runs with the
same versions of these tools give the same bytes; other versions may not.

What can be read off every test picture:
  * testsrc2's own clock and frame counter, top left;
  * a strip of 16x16 squares, bottom left: one white square, then the number of
    the source frame as ten bits, least significant first (see `frame_strip`);
  * a white flash in a black box, top right, in the frame at each whole second,
    while the sound beeps for 40 ms.
"""

import argparse
import array
import hashlib
import json
import random
import shlex
import shutil
import struct
import subprocess
import sys
import wave
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
MEDIA = Path("media")
HOSTILE = Path("hostile")
BUILD = Path("build")  # intermediate files; removed at the end
MANIFEST = HERE / "MANIFEST.json"
LICENCE = "CC0-1.0"

RECIPES = {}  # "media/x.mp4" -> (purpose, function that makes it)
COMMANDS = []  # what the recipe that is running has done so far


# --- running things ---------------------------------------------------------


def recipe(path, purpose):
    """Registers a function as the maker of one fixture."""

    def register(function):
        RECIPES[str(path)] = (purpose, function)
        return function

    return register


def run(*args):
    """Runs a command inside Fixtures/ and records it for the manifest."""
    args = [str(a) for a in args]
    COMMANDS.append(shlex.join(args))
    done = subprocess.run(args, cwd=HERE, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{COMMANDS[-1]}\n{done.stderr}")


def note(step):
    """Records a step that this script does by itself."""
    COMMANDS.append(f"make-fixtures.py: {step}")


def ffmpeg(*args):
    """Runs ffmpeg; the last argument is the output, which is made reproducible."""
    *options, output = args
    exact = ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"]
    run("ffmpeg", "-v", "error", "-nostdin", "-y", "-filter_threads", "1",
        *options, *exact, output)


def lavfi(graph):
    """A synthetic input for ffmpeg."""
    return ["-f", "lavfi", "-i", graph]


# --- pictures ---------------------------------------------------------------

SCALE = "flags=bicubic+accurate_rnd+bitexact"
BT709 = f"scale=out_color_matrix=bt709:out_range=tv:{SCALE},format=yuv420p"
BT709_TAGS = ["-colorspace", "bt709", "-color_primaries", "bt709",
              "-color_trc", "bt709", "-color_range", "tv"]


def frame_strip(rate, seconds):
    """The source frame's number in white squares: marker, then bits 0 to 9."""
    bit = "mod(floor(N/pow(2,floor(X/16)-1)),2)"
    return (f"nullsrc=size=176x16:rate={rate}:duration={seconds},format=gray,"
            f"geq=lum='255*if(lt(X,16),1,{bit})'")


def second_flash():
    """Lights up in the frame that starts a second, as the sound beeps."""
    return ("drawbox=x=iw-40:y=0:w=40:h=40:c=black:t=fill,"
            "drawbox=x=iw-36:y=4:w=32:h=32:c=white:t=fill:enable='lt(mod(t+0.002,1),0.03)'")


def with_strip(graph, height, rate, seconds):
    """Lays the frame strip over a graph's picture, aligned to macroblocks."""
    top = (height - 16) // 16 * 16
    return (f"{graph}[picture];{frame_strip(rate, seconds)}[strip];"
            f"[picture][strip]overlay=0:{top}:format=rgb")


def rgb_picture(size, rate, seconds, marks=None):
    """The moving test picture in RGB, before any choice of matrix or range."""
    height = int(size.split("x")[1])
    source = (f"testsrc2=size={size}:rate={rate}:duration={seconds},format=rgb24,"
              f"{marks or second_flash()}")
    return with_strip(source, height, rate, seconds)


def picture(size="320x180", rate="30", seconds=3, then="", convert=BT709):
    """The moving test picture as an encoder wants it (BT.709 4:2:0 unless told)."""
    return lavfi(f"{rgb_picture(size, rate, seconds)}{then},{convert}")


def x264(gop=30, crf=31, bframes=3, extra="", closed=True):
    """H.264 options with keyframes exactly every `gop` frames."""
    params = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={bframes}"
    params += ":b-pyramid=normal" if bframes > 1 else ""
    params += ":open-gop=0" if closed else ":open-gop=1"
    return ["-c:v", "libx264", "-threads", "1", "-preset", "medium", "-crf", crf,
            "-x264-params", params + extra, *BT709_TAGS]


def x265(params, crf=30):
    """HEVC options; the tag is the one that Apple's players insist on."""
    return ["-c:v", "libx265", "-preset", "medium", "-crf", crf, "-tag:v", "hvc1",
            "-x265-params", f"log-level=error:pools=1:frame-threads=1:scenecut=0:{params}"]


# --- sounds -----------------------------------------------------------------


def tone(hertz, level=0.12):
    """A steady sine that beeps two octaves higher at each whole second."""
    return (f"{level}*sin({hertz}*2*PI*t)"
            f"+{2 * level}*sin({4 * hertz}*2*PI*t)*lt(mod(t,1),0.04)")


def sound(seconds=3, rate=48000, hertz=(440, 550)):
    """A tone for each channel; one channel is mono, two are stereo."""
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[len(hertz)]
    channels = "|".join(tone(h) for h in hertz)
    return lavfi(f"aevalsrc='{channels}':c={layout}:s={rate}:d={seconds}")


def aac(kbits=64):
    return ["-c:a", "aac", "-b:a", f"{kbits}k"]


def opus(kbits=48):
    return ["-c:a", "libopus", "-b:a", f"{kbits}k"]


def speak(text, output, voice="en-us", speed=165):
    """Has espeak-ng read a text into a WAV file (22.05 kHz, mono)."""
    run("espeak-ng", "-v", voice, "-s", speed, "-w", output, text)


ENGLISH = "The quick brown fox jumps over the lazy dog while the camera keeps rolling."
SHORT = "Sound without a picture."
GERMAN = "Der schnelle braune Fuchs springt hinter der laufenden Kamera entlang."


# --- talk.mp4: a speaker, with the truth about what is in it ----------------

TALK_SECONDS = 24
TALK_RATE = 30
TALK_GOP = 60
TALK_LEAD = 0.5
TALK_NOISE_DBFS = -60
TALK_SCENE_CUT_FRAME = 351
TALK_BLACK_FRAMES = (558, 588)  # from, up to (not including)
TALK_FADE_FRAMES = 6

# Each sentence, and the pause that follows it.  No commas: the voice would pause.
TALK = [
    ("Welcome back to the workshop", 0.4),
    ("Today we take a clock apart on this table", 0.8),
    ("The first step is to remove the four screws", 1.5),
    ("Keep every part in the order it came out", 0.4),
    ("Now look at the wheel that drives the hand", 3.5),
    ("That was the hardest part of all", 0.8),
    ("Thank you for watching and see you again", 0.0),
]


def read_samples(path):
    with wave.open(str(HERE / path)) as wav:
        assert wav.getnchannels() == 1 and wav.getsampwidth() == 2
        samples = array.array("h", wav.readframes(wav.getnframes()))
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def write_samples(path, samples, rate):
    data = array.array("h", samples)
    if sys.byteorder == "big":
        data.byteswap()
    with wave.open(str(HERE / path), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(rate)
        wav.writeframes(data.tobytes())


def audible_range(samples, threshold=184):
    """First and one past the last sample above the threshold (-45 dBFS)."""
    loud = [i for i, s in enumerate(samples) if abs(s) > threshold]
    return loud[0], loud[-1] + 1


def spoken_sentence(index, text, rate):
    speak(text, BUILD / f"talk{index}.raw.wav")
    wav = BUILD / f"talk{index}.wav"
    ffmpeg("-i", BUILD / f"talk{index}.raw.wav", "-ar", rate, "-c:a", "pcm_s16le", wav)
    return read_samples(wav)


def make_talk_speech(output, rate=48000):
    """Puts the sentences on a silent track; returns when each is audible."""
    track = array.array("h", bytes(2 * rate * TALK_SECONDS))
    sentences = []
    position = round(TALK_LEAD * rate)
    for index, (text, pause) in enumerate(TALK):
        samples = spoken_sentence(index, text, rate)
        first, last = audible_range(samples)
        for i, sample in enumerate(samples):
            track[position - first + i] += sample
        end = position + last - first
        sentences.append({"text": text, "start": position / rate, "end": end / rate})
        position = end + round(pause * rate)
    write_samples(output, track, rate)
    note(f"place the sentences on one track, write {output}")
    return sentences


def make_face(output):
    """A head to move about: skin, hair, eyes; transparent around it."""
    inside = "lt(hypot((X-80)/76,(Y-100)/96),1)"
    eye = "lt(hypot(abs(X-80)-30,Y-84),11)"
    hair = "lt(Y,48+6*sin(X/5))"
    ffmpeg(*lavfi("nullsrc=size=160x200,format=rgba,"
                  f"geq=r='if({eye},30,if({hair},70,205-abs(X-80)/2))'"
                  f":g='if({eye},30,if({hair},45,160-abs(X-80)/2))'"
                  f":b='if({eye},60,if({hair},30,135-abs(X-80)/2))'"
                  f":a='255*{inside}'"),
           "-frames:v", 1, output)


def make_mouth(output):
    """An open mouth, laid over the face while a sentence is spoken."""
    ffmpeg(*lavfi("nullsrc=size=48x28,format=rgba,"
                  "geq=r=120:g=20:b=30:a='255*lt(hypot((X-24)/23,(Y-14)/13),1)'"),
           "-frames:v", 1, output)


def talk_graph(sentences):
    """Two rooms with a hard cut between them, a speaker, one second of black."""
    cut = TALK_SCENE_CUT_FRAME / TALK_RATE
    rest = TALK_SECONDS - cut
    black_from, black_to = (f / TALK_RATE for f in TALK_BLACK_FRAMES)
    fade = TALK_FADE_FRAMES / TALK_RATE
    middle = (black_from + black_to) / 2
    x, y = "240+30*sin(2*PI*t/3.1)", "80+10*sin(2*PI*t/1.3)"
    speaking = "+".join(f"between(t,{s['start']:.3f},{s['end']:.3f})" for s in sentences)
    size = f"size=640x360:rate={TALK_RATE}"
    room1 = (f"gradients={size}:duration={cut}:c0=0x6888a8:c1=0xd0e8ff:c2=0x90a8c0"
             f":nb_colors=3:x0=0:y0=0:x1=640:y1=360:seed=3:speed=0.005,format=rgb24,"
             "drawgrid=w=80:h=60:t=2:c=0x182030")
    room2 = (f"mandelbrot={size}:maxiter=120:start_scale=1.2:end_scale=0.4:end_pts=600,"
             f"trim=duration={rest},format=rgb24,gblur=sigma=3,eq=saturation=0.6:brightness=-0.08,format=rgb24")
    clock = f"testsrc2=size=320x180:rate={TALK_RATE}:duration={TALK_SECONDS},crop=100:33:3:3"
    scene = (f"{room1}[room1];{room2}[room2];{clock}[clock];"
             f"[room1][room2]concat=n=2:v=1[room];"
             f"[room][0:v]overlay=x='{x}':y='{y}':format=rgb[person];"
             f"[person][1:v]overlay=x='56+{x}':y='140+{y}':format=rgb"
             f":enable='({speaking})*lt(mod(t,0.2),0.12)'[talking];"
             f"[talking][clock]overlay=0:0:format=rgb,format=rgb24,{second_flash()}")
    dark = (f"fade=t=out:st={black_from - fade:.4f}:d={fade:.4f}:enable='lt(t,{middle})',"
            f"fade=t=in:st={black_to - 1 / TALK_RATE:.4f}:d={fade:.4f}:enable='gte(t,{middle})',"
            "drawbox=c=black:t=fill:"
            f"enable='between(n,{TALK_BLACK_FRAMES[0]},{TALK_BLACK_FRAMES[1] - 1})'")
    return (with_strip(scene, 360, TALK_RATE, TALK_SECONDS)
            + f",format=rgb24,{dark},trim=duration={TALK_SECONDS},{BT709}[video]")


def talk_truth(sentences):
    """What a detector should find in talk.mp4."""
    edges = [0.0, *(t for s in sentences for t in (s["start"], s["end"])), TALK_SECONDS]
    pauses = [{"start": round(a, 4), "end": round(b, 4), "seconds": round(b - a, 4)}
              for a, b in zip(edges[0::2], edges[1::2])]
    spoken = [{"text": s["text"], "start": round(s["start"], 4), "end": round(s["end"], 4)}
              for s in sentences]
    return {
        "file": "talk.mp4",
        "duration": TALK_SECONDS,
        "frame_rate": TALK_RATE,
        "frames": TALK_SECONDS * TALK_RATE,
        "keyframe_every_frames": TALK_GOP,
        "noise_floor_dbfs": TALK_NOISE_DBFS,
        "audible_above_dbfs": -45,
        "sentences": spoken,
        "pauses": pauses,
        "scene_cuts": [{"time": TALK_SCENE_CUT_FRAME / TALK_RATE,
                        "frame": TALK_SCENE_CUT_FRAME}],
        "black": [{"start": TALK_BLACK_FRAMES[0] / TALK_RATE,
                   "end": TALK_BLACK_FRAMES[1] / TALK_RATE,
                   "fade_seconds_either_side": round(TALK_FADE_FRAMES / TALK_RATE, 4)}],
    }


@recipe(MEDIA / "talk.mp4",
        "a speaker: sentences with pauses of known length over a low noise floor, one hard "
        "scene cut inside a GOP, one second of black between fades; GOP 60 with B-frames")
def talk(out):
    speech, face, mouth = BUILD / "talk.wav", BUILD / "face.png", BUILD / "mouth.png"
    sentences = make_talk_speech(speech)
    make_face(face)
    make_mouth(mouth)
    noise = f"anoisesrc=color=pink:amplitude=0.0046:seed=11:sample_rate=48000:duration={TALK_SECONDS}"
    ffmpeg("-loop", 1, "-framerate", TALK_RATE, "-i", face,
           "-loop", 1, "-framerate", TALK_RATE, "-i", mouth,
           "-i", speech, *lavfi(noise),
           "-filter_complex", talk_graph(sentences) +
           ";[2:a][3:a]amix=inputs=2:normalize=0[audio]",
           "-map", "[video]", "-map", "[audio]", "-t", TALK_SECONDS,
           *x264(gop=TALK_GOP, crf=37), *aac(36), out)
    write_talk_truth(sentences)


def write_talk_truth(sentences):
    text = json.dumps(talk_truth(sentences), indent=2) + "\n"
    (HERE / MEDIA / "talk.truth.json").write_text(text, encoding="utf-8")


@recipe(MEDIA / "talk.truth.json",
        "the truth about talk.mp4: sentences, pauses, scene cut and black stretch in seconds")
def talk_truth_file(out):
    write_talk_truth(make_talk_speech(BUILD / "talk.wav"))
    note(f"write {out} from the places of the sentences")


# --- GOP structure ----------------------------------------------------------


@recipe(MEDIA / "bframes_closed.mp4", "H.264 with 3 B-frames and a B-pyramid, closed GOPs of 24")
def bframes_closed(out):
    ffmpeg(*picture(), *sound(rate=44100), *x264(gop=24), *aac(), out)


@recipe(MEDIA / "open_gop.mp4", "H.264 with open GOPs of 24: leading B-frames after non-IDR I-frames")
def open_gop(out):
    ffmpeg(*picture(), *sound(), *x264(gop=24, closed=False), *aac(), out)


@recipe(MEDIA / "open_gop_hevc.mp4", "HEVC with open GOPs of 24 (CRA with RASL pictures), tag hvc1")
def open_gop_hevc(out):
    ffmpeg(*picture(), *sound(), *x265("open-gop=1:keyint=24:min-keyint=24:bframes=3"),
           *BT709_TAGS, *aac(), out)


@recipe(MEDIA / "intra_refresh.mp4",
        "H.264 with periodic intra refresh: one IDR frame, then only recovery points")
def intra_refresh(out):
    ffmpeg(*picture(), *sound(), *x264(bframes=0, extra=":intra-refresh=1"), *aac(), out)


@recipe(MEDIA / "long_gop.mp4", "20 seconds with one keyframe only, the first")
def long_gop(out):
    ffmpeg(*picture(rate="25", seconds=20), *sound(20, hertz=(440,)),
           *x264(gop=9999, crf=37), *aac(32), out)


# --- time ---------------------------------------------------------------------


def irregular_picture(timebase):
    """60 fps thinned out unevenly, jittered by up to 12 ms, frozen for half a second."""
    keep = "lt(mod(n*n,7),3)*not(between(t,1.5,2))"
    jitter = "PTS+mod(N*5,3)*0.006/TB"
    return picture(rate="60", seconds=4,
                   then=f",settb={timebase},select='{keep}',setpts='{jitter}'")


@recipe(MEDIA / "vfr.mp4", "variable frame rate: uneven spacing and a freeze of half a second")
def vfr_mp4(out):
    ffmpeg(*irregular_picture("1/90000"), *sound(4), "-fps_mode", "vfr",
           "-enc_time_base:v", "1:90000", "-video_track_timescale", 90000, *x264(), *aac(), out)


@recipe(MEDIA / "vfr.mkv", "the same variable frame rate in Matroska, rounded to milliseconds")
def vfr_mkv(out):
    ffmpeg(*irregular_picture("1/1000"), *sound(4), "-fps_mode", "vfr",
           "-enc_time_base:v", "1:1000", *x264(), *opus(), out)


@recipe(MEDIA / "ntsc.mp4", "30000/1001 frames per second")
def ntsc(out):
    ffmpeg(*picture(rate="30000/1001"), *sound(), *x264(), *aac(), out)


@recipe(MEDIA / "mark.png", "an image with holes and soft edges, to be laid over pictures")
def mark(out):
    def hole(x, y, radius):
        return f"clip(hypot(X-{x},Y-{y})-{radius},0,1)"

    holes = "*".join([hole(79.5, 79.5, 9), *(hole(x, y, 19) for x, y in [
        (79.5, 39.5), (79.5, 119.5), (39.5, 79.5), (119.5, 79.5)])])
    ffmpeg(*lavfi("color=c=white:s=160x160:r=1:d=1"), "-vf",
           f"format=rgba,geq=r=255:g=200:b=60:a='255*clip(78-hypot(X-79.5,Y-79.5),0,1)*{holes}'",
           "-frames:v", "1", out)


@recipe(MEDIA / "pal25.mp4", "25 fps, 4:3 picture, mono sound at 32 kHz")
def pal25(out):
    ffmpeg(*picture("320x240", "25"), *sound(rate=32000, hertz=(440,)), *x264(gop=25), *aac(48), out)


@recipe(MEDIA / "film24.mkv", "24000/1001 frames per second in Matroska with Opus")
def film24(out):
    ffmpeg(*picture(rate="24000/1001"), *sound(), *x264(gop=24), *opus(), out)


@recipe(MEDIA / "hfr60.mp4", "60 frames per second")
def hfr60(out):
    ffmpeg(*picture(rate="60"), *sound(), *x264(gop=60), *aac(), out)


@recipe(MEDIA / "start_offset.ts", "MPEG-TS whose clock starts beyond 100 seconds")
def start_offset(out):
    ffmpeg(*picture(), *sound(), *x264(), *aac(), "-output_ts_offset", 100, out)


@recipe(MEDIA / "start_10s.mp4", "MP4 whose first frame is shown at 10 seconds (empty edits)")
def start_10s(out):
    ffmpeg(*picture(), *sound(), *x264(), *aac(), "-output_ts_offset", 10, out)


@recipe(MEDIA / "late_video.mkv", "the video starts 0.3 s after the audio")
def late_video(out):
    ffmpeg("-itsoffset", 0.3, *picture(), *sound(4), *x264(), *opus(), out)


@recipe(MEDIA / "late_audio.mp4", "the audio starts 0.5 s after the video")
def late_audio(out):
    ffmpeg(*picture(), "-itsoffset", 0.5, *sound(2.5), *x264(), *aac(), out)


@recipe(MEDIA / "edit_list.mp4",
        "an edit list that starts mid-GOP: the packets before it are to be decoded, not shown")
def edit_list(out):
    whole = BUILD / "edit_list.whole.mp4"
    ffmpeg(*picture(seconds=6), *sound(6), *x264(gop=60, crf=30), *aac(), whole)
    ffmpeg("-ss", 2.7, "-i", whole, "-t", 3, "-c", "copy", out)


@recipe(MEDIA / "gapped_audio.mkv", "audio with a hole in its timestamps from 1.5 s to 2.2 s")
def gapped_audio(out):
    whole = BUILD / "gapped_audio.whole.mkv"
    ffmpeg(*picture(seconds=4), *sound(4), *x264(), *opus(), whole)
    ffmpeg("-i", whole, "-c", "copy",
           "-bsf:a", "noise=drop='gte(pts*tb,1.49)*lt(pts*tb,2.19)'", out)


# --- geometry -----------------------------------------------------------------

# An F and coloured corners, as they must be seen: red top left, green top right,
# blue bottom right.  No turn or mirroring of these looks like another one.
ORIENTATION_MARKS = ",".join([
    "drawbox=x=0:y=0:w=32:h=32:c=red:t=fill",
    "drawbox=x=iw-32:y=0:w=32:h=32:c=lime:t=fill",
    "drawbox=x=iw-32:y=ih-64:w=32:h=64:c=blue:t=fill",
    "drawbox=x=iw/2-32:y=ih/2-40:w=64:h=80:c=black:t=fill",
    "drawbox=x=iw/2-20:y=ih/2-32:w=12:h=64:c=white:t=fill",
    "drawbox=x=iw/2-20:y=ih/2-32:w=40:h=12:c=white:t=fill",
    "drawbox=x=iw/2-20:y=ih/2-6:w=28:h=12:c=white:t=fill",
])


def boxes(data, start=0, end=None):
    """The boxes of an MP4 file at one level: (type, where it starts, where it ends)."""
    end = len(data) if end is None else end
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        if size == 1:
            size = struct.unpack_from(">Q", data, start + 8)[0]
        elif size == 0:
            size = end - start
        yield kind.decode("latin-1"), start, start + size
        start += size


def find_box(data, path, start=0, end=None):
    """The first box at a path such as moov/trak/tkhd: (start, end)."""
    head, _, rest = path.partition("/")
    for kind, begin, finish in boxes(data, start, end):
        if kind == head:
            return find_box(data, rest, begin + 8, finish) if rest else (begin, finish)
    raise ValueError(f"no box {path}")


def set_display_matrix(path, a, b, c, d, tx, ty):
    """Overwrites the first track's matrix, as a camera held askew would write it."""
    data = bytearray((HERE / path).read_bytes())
    start, _ = find_box(data, "moov/trak/tkhd")
    version = data[start + 8]
    offset = start + 8 + (52 if version == 1 else 40)
    fixed = [a << 16, b << 16, 0, c << 16, d << 16, 0, tx << 16, ty << 16, 1 << 30]
    struct.pack_into(">9i", data, offset, *fixed)
    (HERE / path).write_bytes(data)
    note(f"set the tkhd matrix of {path} to a={a} b={b} c={c} d={d} tx={tx} ty={ty}")


def make_turned(out, shown_size, undo, matrix):
    """Codes the picture turned by `undo`, and asks the player to turn it back."""
    graph = f"{rgb_picture(shown_size, '30', 2, ORIENTATION_MARKS)},{undo},{BT709}"
    ffmpeg(*lavfi(graph), *sound(2), *x264(), *aac(), out)
    set_display_matrix(out, *matrix)


@recipe(MEDIA / "rotated90.mp4", "coded 320x180, to be shown turned 90 degrees clockwise as 180x320")
def rotated90(out):
    make_turned(out, "180x320", "transpose=cclock", (0, 1, -1, 0, 180, 0))


@recipe(MEDIA / "rotated180.mp4", "coded 320x180, to be shown turned by 180 degrees")
def rotated180(out):
    make_turned(out, "320x180", "hflip,vflip", (-1, 0, 0, -1, 320, 180))


@recipe(MEDIA / "rotated270.mp4",
        "coded 320x180, to be shown turned 90 degrees anticlockwise as 180x320")
def rotated270(out):
    make_turned(out, "180x320", "transpose=clock", (0, -1, 1, 0, 0, 320))


@recipe(MEDIA / "mirrored.mp4", "coded 320x180, to be shown mirrored left to right")
def mirrored(out):
    make_turned(out, "320x180", "hflip", (-1, 0, 0, 1, 320, 0))


@recipe(MEDIA / "anamorphic.mp4", "240x180 with pixels 4:3 wide: shown as 16:9")
def anamorphic(out):
    ffmpeg(*picture("240x180", then=",setsar=4/3"), *sound(), *x264(), *aac(), out)


@recipe(MEDIA / "odd_size.webm", "VP9 with odd sides, 319x179")
def odd_size(out):
    # By way of a file: libvpx also reads the padding to the right of an odd row,
    # which holds chance bytes when the picture comes straight out of a filter.
    exact = BUILD / "odd_size.mkv"
    ffmpeg(*picture("319x179"), "-c:v", "ffv1", "-threads", 1, exact)
    ffmpeg("-threads", 1, "-i", exact, *sound(), *vp9(), *opus(), out)


# --- colour -------------------------------------------------------------------


def hdr(transfer):
    """The test picture lifted into BT.2020 with a wide transfer curve."""
    return ("format=gbrp,setparams=color_primaries=bt709:color_trc=bt709:colorspace=gbr,"
            f"zscale=primaries=bt2020:transfer={transfer}:matrix=bt2020nc:range=limited"
            ":npl=1000,format=yuv420p10le")


def hdr_tags(transfer):
    return ["-colorspace", "bt2020nc", "-color_primaries", "bt2020",
            "-color_trc", transfer, "-color_range", "tv"]


@recipe(MEDIA / "hdr10.mp4",
        "HEVC Main 10, PQ, BT.2020, with mastering display and content light level (SEI)")
def hdr10(out):
    params = ("keyint=30:hdr10=1:repeat-headers=1:colorprim=bt2020:transfer=smpte2084"
              ":colormatrix=bt2020nc:range=limited"
              ":master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
              ":max-cll=1000,400")
    ffmpeg(*picture(convert=hdr("smpte2084")), *sound(), *x265(params),
           *hdr_tags("smpte2084"), *aac(), out)


@recipe(MEDIA / "hlg.mp4", "HEVC Main 10, HLG, BT.2020")
def hlg(out):
    params = "keyint=30:colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc:range=limited"
    ffmpeg(*picture(convert=hdr("arib-std-b67")), *sound(), *x265(params),
           *hdr_tags("arib-std-b67"), *aac(), out)


@recipe(MEDIA / "fullrange.mp4", "H.264 with full-range samples (pc), as phones record")
def fullrange(out):
    full = f"scale=out_color_matrix=bt709:out_range=pc:{SCALE},format=yuvj420p"
    ffmpeg(*picture(convert=full), *sound(), *x264(), "-color_range", "pc", *aac(), out)


@recipe(MEDIA / "bt601.mp4", "H.264 tagged (and coded) as SMPTE 170M")
def bt601(out):
    sd = f"scale=out_color_matrix=bt601:out_range=tv:{SCALE},format=yuv420p"
    ffmpeg(*picture("320x240", "30000/1001", convert=sd), *sound(), *x264(),
           "-colorspace", "smpte170m", "-color_primaries", "smpte170m",
           "-color_trc", "smpte170m", *aac(), out)


@recipe(MEDIA / "yuv444.mp4", "H.264 High 4:4:4 Predictive: no chroma subsampling")
def yuv444(out):
    ffmpeg(*picture(convert=BT709.replace("yuv420p", "yuv444p")), *sound(),
           *x264(), "-profile:v", "high444", *aac(), out)


@recipe(MEDIA / "tenbit_h264.mp4", "H.264 High 10: ten bits, 4:2:0")
def tenbit_h264(out):
    ffmpeg(*picture(convert=BT709.replace("yuv420p", "yuv420p10le")), *sound(),
           *x264(), "-profile:v", "high10", *aac(), out)


# --- audio --------------------------------------------------------------------

# FL, FR, FC, LFE, BL, BR
SURROUND = (220, 330, 440, 60, 660, 880)


@recipe(MEDIA / "surround51.mp4",
        "AAC 5.1, another sine in each channel: FL 220, FR 330, FC 440, LFE 60, BL 660, BR 880 Hz")
def surround51_mp4(out):
    ffmpeg(*picture(), *sound(hertz=SURROUND), *x264(), *aac(192), out)


@recipe(MEDIA / "surround51.mkv", "AC-3 5.1(side), the same sines as in surround51.mp4")
def surround51_mkv(out):
    ffmpeg(*picture(), *sound(hertz=SURROUND), *x264(),
           "-c:a", "ac3", "-b:a", "224k", out)


@recipe(MEDIA / "two_audio.mkv", "two audio tracks: English (default) and German speech")
def two_audio(out):
    english, german = BUILD / "eng.wav", BUILD / "deu.wav"
    speak(ENGLISH, english)
    speak(GERMAN, german, voice="de")
    ffmpeg(*picture(seconds=4), "-i", english, "-i", german,
           "-map", 0, "-map", 1, "-map", 2, "-t", 4, *x264(), *opus(24), "-ar", 48000,
           "-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=deu",
           "-disposition:a:0", "default", "-disposition:a:1", "0", out)


@recipe(MEDIA / "no_audio.mp4", "video only")
def no_audio(out):
    ffmpeg(*picture(), *x264(), out)


@recipe(MEDIA / "no_video.m4a", "audio only: AAC speech, mono, 44.1 kHz")
def no_video(out):
    speak(ENGLISH, BUILD / "speech.wav")
    ffmpeg("-i", BUILD / "speech.wav", "-ar", 44100, *aac(48), out)


@recipe(MEDIA / "speech.flac", "audio only: FLAC speech, mono, 22.05 kHz")
def speech_flac(out):
    speak(SHORT, BUILD / "speech.wav")
    ffmpeg("-i", BUILD / "speech.wav", "-c:a", "flac", out)


@recipe(MEDIA / "voice.ogg", "audio only: Opus speech in Ogg, mono")
def voice_ogg(out):
    speak(ENGLISH, BUILD / "speech.wav")
    ffmpeg("-i", BUILD / "speech.wav", "-ar", 48000, *opus(24), out)


@recipe(MEDIA / "tone.wav", "audio only: two seconds of PCM, mono, 16 kHz")
def tone_wav(out):
    ffmpeg(*sound(2, 16000, (440,)), "-c:a", "pcm_s16le", out)


@recipe(MEDIA / "music.mp3", "audio only: plucked chords, stereo MP3 at 44.1 kHz with ID3 tags")
def music(out):
    decay = "exp(-4*mod(t,0.5))"
    step = "floor(mod(t,4)/1)"  # four chords, one each second
    root = f"(220*pow(2,(if(eq({step},1),5,if(eq({step},2),7,if(eq({step},3),-2,0))))/12))"
    left = f"0.2*{decay}*(sin(2*PI*{root}*t)+sin(2*PI*{root}*1.5*t))"
    right = f"0.2*{decay}*(sin(2*PI*{root}*t)+sin(2*PI*{root}*1.25*t))"
    ffmpeg(*lavfi(f"aevalsrc='{left}|{right}':c=stereo:s=44100:d=6"),
           "-c:a", "libmp3lame", "-b:a", "96k",
           "-metadata", "title=Four Chords", "-metadata", "artist=Reelpool Fixtures", out)


# --- containers and codecs ------------------------------------------------------


def vp9():
    return ["-c:v", "libvpx-vp9", "-threads", "1", "-deadline", "good", "-cpu-used", "5",
            "-crf", "46", "-b:v", "0", "-g", "30", *BT709_TAGS]


@recipe(MEDIA / "fragmented.mp4", "fragmented MP4: empty moov, one moof for each GOP")
def fragmented(out):
    ffmpeg(*picture(), *sound(), *x264(), *aac(),
           "-movflags", "+frag_keyframe+empty_moov+delay_moov+default_base_moof", out)


@recipe(MEDIA / "moov_last.mp4", "plain MP4 with its index at the end")
def moov_last(out):
    ffmpeg(*picture(), *sound(), *x264(), *aac(), out)


@recipe(MEDIA / "vp9_opus.webm", "VP9 and Opus in WebM")
def vp9_opus(out):
    ffmpeg(*picture(), *sound(), *vp9(), *opus(), out)


@recipe(MEDIA / "av1_opus.mp4", "AV1 and Opus in MP4")
def av1_opus(out):
    ffmpeg(*picture(), *sound(), "-c:v", "libsvtav1", "-preset", 8, "-crf", 45, "-g", 30,
           "-svtav1-params", "lp=1", *BT709_TAGS, *opus(), out)


@recipe(MEDIA / "mpeg2.ts", "interlaced MPEG-2 (50 fields a second, top field first) with MP2 sound")
def mpeg2(out):
    fields = f"{rgb_picture('352x288', '50', 2)},interlace=scan=tff:lowpass=off,setfield=tff,setsar=12/11"
    sd = f"scale=out_color_matrix=bt601:out_range=tv:interl=1:{SCALE},format=yuv420p"
    ffmpeg(*lavfi(f"{fields},{sd}"), *sound(2), "-c:v", "mpeg2video", "-threads", 1,
           "-q:v", 11, "-g", 12, "-bf", 2, "-flags:v", "+ilme+ildct", "-top", 1,
           "-field_order", "tt", "-c:a", "mp2", "-b:a", "96k", out)


@recipe(MEDIA / "mpeg4.avi", "MPEG-4 part 2 and MP3 in AVI, without colour tags")
def mpeg4(out):
    ffmpeg(*picture(rate="25"), *sound(rate=44100), "-c:v", "mpeg4", "-threads", 1,
           "-q:v", 12, "-g", 25, "-c:a", "libmp3lame", "-b:a", "64k",
           "-avoid_negative_ts", "disabled", out)


@recipe(MEDIA / "prores.mov", "ProRes 422 Proxy with PCM sound: every frame a keyframe, 10 bits")
def prores(out):
    tagged = "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709"
    ffmpeg(*picture(rate="25", seconds=1, convert=BT709.replace("yuv420p", "yuv422p10le")),
           *sound(1, hertz=(440,)), "-c:v", "prores_ks", "-threads", 1, "-profile:v", 0, "-vf", tagged,
           "-bits_per_mb", 200, *BT709_TAGS, "-c:a", "pcm_s16le", out)


def make_proxy(out, *muxing):
    ffmpeg(*picture("640x360", seconds=4), *sound(4), *x264(gop=30, crf=30),
           "-profile:v", "high", *aac(), *muxing, out)


@recipe(MEDIA / "proxy_ready.mp4",
        "a perfect proxy already: 640x360 8-bit 4:2:0, closed GOPs of one second, faststart")
def proxy_ready(out):
    make_proxy(out, "-movflags", "+faststart")


@recipe(MEDIA / "proxy_ready_moov_last.mp4", "as proxy_ready.mp4, but its index comes last")
def proxy_ready_moov_last(out):
    make_proxy(out)


# --- hostile files --------------------------------------------------------------


def write_bytes(out, data, step):
    (HERE / out).write_bytes(data)
    note(step)


def write_text(out, text):
    write_bytes(out, text.encode("utf-8"), f"write {len(text)} characters of text")


def small_clip(*muxing):
    """A sound one-second file of a few kilobytes, to be damaged."""
    clip = BUILD / "small.mp4"
    ffmpeg(*picture("192x108", "15", 1), *sound(1, hertz=(440,)), *x264(gop=15, crf=32),
           *aac(32), *muxing, clip)
    return (HERE / clip).read_bytes()


def make_truncated(out, *muxing):
    data = small_clip(*muxing)
    keep = len(data) * 60 // 100
    write_bytes(out, data[:keep], f"keep the first {keep} of {len(data)} bytes")


@recipe(HOSTILE / "empty.mp4", "no bytes at all")
def empty(out):
    write_bytes(out, b"", "write no bytes")


@recipe(HOSTILE / "text.mp4", "plain text under a video's name")
def text(out):
    write_text(out, "This is a letter and not a film, whatever its name says.\n" * 20)


@recipe(HOSTILE / "truncated.mp4", "index first, cut off at 60 %: opens, then runs out of data")
def truncated(out):
    make_truncated(out, "-movflags", "+faststart")


@recipe(HOSTILE / "truncated_no_moov.mp4", "index last, cut off at 60 %: there is no index left")
def truncated_no_moov(out):
    make_truncated(out)


@recipe(HOSTILE / "garbage.mp4", "random bytes under a video's name")
def garbage(out):
    write_bytes(out, random.Random(20240229).randbytes(4096), "4096 bytes from random seed 20240229")


@recipe(HOSTILE / "bitflips.mp4", "a good index, but one byte in 150 of the media data is wrong")
def bitflips(out):
    data = bytearray(small_clip("-movflags", "+faststart"))
    start, end = find_box(data, "mdat")
    dice = random.Random(7)
    for position in dice.sample(range(start + 8, end), (end - start) // 150):
        data[position] ^= dice.randrange(1, 256)
    write_bytes(out, bytes(data), "flip bits in one byte of 150 inside mdat, seed 7")


def hls(url):
    return ("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:3\n#EXT-X-MEDIA-SEQUENCE:0\n"
            f"#EXTINF:3.0,\n{url}\n#EXT-X-ENDLIST\n")


@recipe(HOSTILE / "playlist_local.mp4", "an HLS playlist under a video's name that reads another file")
def playlist_local(out):
    write_text(out, hls("../media/no_audio.mp4"))


@recipe(HOSTILE / "playlist_http.m3u8", "an HLS playlist that makes the reader open a connection")
def playlist_http(out):
    write_text(out, hls("http://127.0.0.1:9/x.ts"))


@recipe(HOSTILE / "manifest.mpd", "a DASH manifest that makes the reader open a connection")
def manifest_mpd(out):
    write_text(out, """\
<?xml version="1.0" encoding="UTF-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT3S"
     minBufferTime="PT1S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011">
  <BaseURL>http://127.0.0.1:9/</BaseURL>
  <Period>
    <AdaptationSet mimeType="video/mp4" codecs="avc1.64000c">
      <Representation id="1" bandwidth="200000" width="320" height="180">
        <BaseURL>http://127.0.0.1:9/x.mp4</BaseURL>
        <SegmentList duration="3">
          <SegmentURL media="http://127.0.0.1:9/x.m4s"/>
        </SegmentList>
      </Representation>
    </AdaptationSet>
  </Period>
</MPD>
""")


@recipe(HOSTILE / "list.ffconcat", "a concat script that reads another file")
def ffconcat(out):
    write_text(out, "ffconcat version 1.0\nfile '../media/no_audio.mp4'\n")


@recipe(HOSTILE / "subs.srt", "subtitles alone: a stream, but nothing to see or hear")
def subs(out):
    write_text(out, "1\n00:00:00,500 --> 00:00:02,000\nNothing to see here.\n\n"
                    "2\n00:00:02,500 --> 00:00:04,000\nNothing to hear either.\n")


def png_chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def make_image_bomb(side=16000):
    """A PNG with one bit per pixel, of 16000x16000 black pixels.

    It is the largest square that FFmpeg does not refuse by itself: a few
    kilobytes that want 768 MB as soon as somebody converts them to RGB.
    """
    row = bytes(1 + side // 8)
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header)
            + png_chunk(b"IDAT", packed) + png_chunk(b"IEND", b""))


@recipe(HOSTILE / "bomb.png", "a picture of 16000x16000 pixels in a few kilobytes")
def bomb(out):
    write_bytes(out, make_image_bomb(), "16000x16000 PNG, one bit per pixel, all black")


# --- manifest -------------------------------------------------------------------


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def ffmpeg_version():
    shown = subprocess.run(["ffmpeg", "-version"], capture_output=True, text=True, check=True)
    return shown.stdout.splitlines()[0]


def read_manifest():
    if not MANIFEST.exists():
        return {"ffmpeg": "", "files": []}
    return json.loads(MANIFEST.read_text(encoding="utf-8"))


def make(path):
    """Makes one fixture; returns its entry for the manifest."""
    purpose, function = RECIPES[path]
    COMMANDS.clear()
    print(path, flush=True)
    function(Path(path))
    made = HERE / path
    return {"path": path, "sha256": digest(made), "bytes": made.stat().st_size,
            "licence": LICENCE, "purpose": purpose, "made_by": list(COMMANDS)}


def chosen_recipes(names):
    if not names:
        return list(RECIPES)
    chosen = [path for path in RECIPES if path in names or Path(path).name in names]
    unknown = set(names) - {n for path in chosen for n in (path, Path(path).name)}
    if unknown:
        sys.exit(f"no such fixture: {', '.join(sorted(unknown))}")
    return chosen


def remove_all():
    for folder in (MEDIA, HOSTILE):
        shutil.rmtree(HERE / folder, ignore_errors=True)


def generate(names):
    chosen = chosen_recipes(names)
    if not names:
        remove_all()
    for folder in (MEDIA, HOSTILE, BUILD):
        (HERE / folder).mkdir(exist_ok=True)
    try:
        made = {path: make(path) for path in chosen}
    finally:
        shutil.rmtree(HERE / BUILD, ignore_errors=True)
    kept = {entry["path"]: entry for entry in read_manifest()["files"]} if names else {}
    entries = {**kept, **made}
    files = [entries[path] for path in RECIPES if path in entries]
    text = json.dumps({"ffmpeg": ffmpeg_version(), "files": files}, indent=1, ensure_ascii=False)
    MANIFEST.write_text(text + "\n", encoding="utf-8")
    print(f"{len(files)} files, {sum(f['bytes'] for f in files)} bytes")


def differences():
    """What is wrong with the files on disk, one readable line each."""
    wanted = {entry["path"]: entry["sha256"] for entry in read_manifest()["files"]}
    if not wanted:
        yield "MANIFEST.json is missing or empty"
    for path, sha256 in wanted.items():
        if not (HERE / path).is_file():
            yield f"missing: {path}"
        elif digest(HERE / path) != sha256:
            yield f"differs: {path}"
    for folder in (MEDIA, HOSTILE):
        for file in sorted((HERE / folder).glob("*")):
            if str(file.relative_to(HERE)) not in wanted:
                yield f"not in the manifest: {file.relative_to(HERE)}"


def check():
    found = list(differences())
    for line in found:
        print(line)
    if not found:
        print(f"all {len(read_manifest()['files'])} fixtures are as the manifest says")
    return 1 if found else 0


def main():
    parser = argparse.ArgumentParser(description="Make or check the test media.")
    parser.add_argument("--check", action="store_true",
                        help="compare the files with MANIFEST.json and change nothing")
    parser.add_argument("names", nargs="*", metavar="NAME", help="make only these")
    options = parser.parse_args()
    if options.check:
        return check()
    generate(options.names)
    return 0


if __name__ == "__main__":
    sys.exit(main())
