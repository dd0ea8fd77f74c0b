"""The commands that are compared: Reelpool's, and the ffmpeg command lines that make the same.

Every setting is what Reelpool uses (Sources/Engine/Proxy, Sources/Engine/Video). `threads` is Reelpool's one number
for everything; a command line is given the same number for its decoder and again for its encoder.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path

from inputs import FRAMES_PER_SECOND
from machine import Peer, Tools
from measuring import Command

PROXY_SCALE = "scale=1280:720:flags=bicubic,format=yuv420p"
PROXY_VIDEO = [
    "-c:v", "libx264", "-preset", "veryfast", "-crf", "23",
    "-force_key_frames", "expr:gte(t,n_forced*1)", "-forced-idr", "1",
]
PROXY_AUDIO = ["-c:a", "aac", "-b:a", "128k", "-ar", "48000", "-ac", "2"]
SPEECH = ["-c:a", "libmp3lame", "-b:a", "64k", "-ar", "16000", "-ac", "1"]
WAVEFORM = ["-f", "s16le", "-c:a", "pcm_s16le", "-ar", "48000", "-ac", "2"]
INDEX_FIRST = ["-movflags", "+faststart"]
STILL = ["-frames:v", "1", "-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p", "-update", "1"]


def _ffmpeg(peer: Peer, threads: int | None, source: Path, *before_input: str) -> list[str]:
    """On as many threads as it likes where no number is given."""
    few = ["-filter_threads", "1", "-filter_complex_threads", "1", *_on(threads)] if threads else []
    return [peer.path, "-y", "-v", "error", "-nostdin", "-nostats", *few, *before_input, "-i", str(source)]


def _on(threads: int | None) -> list[str]:
    return ["-threads", str(threads)] if threads else []


# --- the proxy -------------------------------------------------------------


def reelpool_proxy(tools: Tools, threads: int, source: Path, folder: Path) -> Command:
    return [tools.reelpool, "proxy", str(source), "--output", str(folder), "--threads", str(threads)]


def ffmpeg_proxy(peer: Peer, threads: int, source: Path, folder: Path, sound: bool) -> Command:
    return [*_ffmpeg(peer, threads, source), "-map", "0:v:0", "-vf", PROXY_SCALE, *PROXY_VIDEO,
            "-threads", str(threads), *(["-map", "0:a:0", *PROXY_AUDIO] if sound else ["-an"]),
            *INDEX_FIRST, str(folder / "proxy.mp4")]


def _sprite(seconds: int) -> str:
    """Reelpool's sheet: a tile every so many seconds, at most 100, ten a row, 160 pixels wide."""
    every = max(1, math.ceil(seconds / 100))
    tiles = min(100, math.ceil(seconds / every))
    columns = min(10, tiles)
    return f"fps=1/{every},scale=160:90:flags=area,tile={columns}x{math.ceil(tiles / columns)}"


def _poster_time(seconds: int) -> float:
    return math.ceil(min(5, seconds * 0.1))


def ffmpeg_set_separately(peer: Peer, threads: int, source: Path, folder: Path, seconds: int) -> list[Command]:
    """Five commands, each the usual one for its output. The waveform's is given the benefit of raw samples."""
    start = _ffmpeg(peer, threads, source)
    at_poster = _ffmpeg(peer, threads, source, "-ss", str(_poster_time(seconds)))
    return [
        ffmpeg_proxy(peer, threads, source, folder, sound=True),
        [*start, "-vn", *SPEECH, str(folder / "audio.mp3")],
        [*start, "-an", "-vf", _sprite(seconds), *STILL, str(folder / "sprite.jpg")],
        [*start, "-vn", *WAVEFORM, str(folder / "waveform.raw")],
        [*at_poster, "-an", "-vf", PROXY_SCALE, *STILL, str(folder / "poster.jpg")],
    ]


def ffmpeg_set_at_once(peer: Peer, threads: int, source: Path, folder: Path, seconds: int) -> Command:
    """One command with five outputs, which decodes and scales once."""
    frame = int(_poster_time(seconds) * FRAMES_PER_SECOND)
    graph = (f"[0:v]{PROXY_SCALE},split=3[proxy][small][large];[small]{_sprite(seconds)}[sprite];"
             f"[large]select=eq(n\\,{frame})[poster];[0:a]asplit=3[sound][speech][wave]")
    return [
        *_ffmpeg(peer, threads, source), "-filter_complex", graph,
        "-map", "[proxy]", *PROXY_VIDEO, "-threads", str(threads), "-map", "[sound]", *PROXY_AUDIO,
        *INDEX_FIRST, str(folder / "proxy.mp4"),
        "-map", "[speech]", *SPEECH, str(folder / "audio.mp3"),
        "-map", "[sprite]", *STILL, str(folder / "sprite.jpg"),
        "-map", "[wave]", *WAVEFORM, str(folder / "waveform.raw"),
        "-map", "[poster]", *STILL, str(folder / "poster.jpg"),
    ]


# --- probing ---------------------------------------------------------------


def reelpool_probe(tools: Tools, files: list[Path]) -> Command:
    return [tools.reelpool, "probe", "--json", *map(str, files)]


def ffprobe(program: str, file: Path) -> Command:
    return [program, "-v", "quiet", "-of", "json", "-show_format", "-show_streams", str(file)]


# --- renders ---------------------------------------------------------------


@dataclass(frozen=True)
class Range:
    """Frames of a source, the end not included."""

    first: int
    end: int


def spread(count: int, kept: int, total: int) -> list[Range]:
    """So many ranges of equal length that keep `kept` frames of `total`, with equal gaps between."""
    length = kept // count
    gap = (total - length * count) // max(1, count - 1)
    return [Range(i * (length + gap), i * (length + gap) + length) for i in range(count)]


def write_edit(path: Path, source: Path, ranges: list[Range], audio_kbps: int, codec: str = "h264") -> Path:
    def time(frame: int) -> dict[str, int]:
        return {"value": frame, "rate": FRAMES_PER_SECOND}

    edit = {
        "sources": [{"id": "a", "uri": str(source)}],
        "timeline": [{"source": "a", "start_ms": time(r.first), "end_ms": time(r.end)} for r in ranges],
        "output": {
            "container": "mp4",
            "video": {"codec": codec, "preset": "veryfast", **({"crf": 20} if codec == "h264" else {})},
            "audio": {"codec": "aac", "bitrate_kbps": audio_kbps},
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(edit))
    return path


def reelpool_render(tools: Tools, threads: int, edit: Path, folder: Path) -> Command:
    return [tools.reelpool, "render", str(edit), "--output", str(folder / "out.mp4"), "--threads", str(threads),
            "--mode", "full"]


def ffmpeg_render(
    peer: Peer, threads: int | None, source: Path, ranges: list[Range], folder: Path, audio_kbps: int
) -> Command:
    """The same ranges by trim, atrim and concat, half a frame early so that rounding cannot move a cut."""
    def seconds(frame: int) -> str:
        return f"{max(0.0, (frame - 0.5) / FRAMES_PER_SECOND):.6f}"

    parts = [
        f"[0:v]trim=start={seconds(r.first)}:end={seconds(r.end)},setpts=PTS-STARTPTS[v{i}];"
        f"[0:a]atrim=start={r.first / FRAMES_PER_SECOND:.6f}:end={r.end / FRAMES_PER_SECOND:.6f},"
        f"asetpts=PTS-STARTPTS[a{i}];"
        for i, r in enumerate(ranges)
    ]
    pads = "".join(f"[v{i}][a{i}]" for i in range(len(ranges)))
    graph = "".join(parts) + f"{pads}concat=n={len(ranges)}:v=1:a=1[v][a]"
    return [
        *_ffmpeg(peer, threads, source), "-filter_complex", graph, "-map", "[v]", "-map", "[a]",
        "-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-forced-idr", "1", *_on(threads),
        "-c:a", "aac", "-b:a", f"{audio_kbps}k", *INDEX_FIRST, str(folder / "out.mp4"),
    ]
