"""The inputs: made once with ffmpeg, kept in a cache folder, named after their recipe."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from machine import Tools
from measuring import run

FRAMES_PER_SECOND = 30

# Sound in bursts with pauses, as speech has them, over a hum.
SPEECH_LIKE = (
    "anoisesrc=color=pink:amplitude=0.5:sample_rate=48000:seed=1,"
    r"volume='0.05+0.9*abs(sin(2*PI*1.3*t))*gt(sin(2*PI*0.21*t)\,-0.6)':eval=frame[voice];"
    "sine=frequency=180:sample_rate=48000,volume=0.1[hum];[voice][hum]amix=inputs=2"
)


@dataclass(frozen=True)
class Inputs:
    recording: Path  # 1080p30 H.264 with grain, AAC stereo
    picture_only: Path  # the same without its sound
    seconds: int
    long: Path  # 180p30 H.264 and AAC mono at a low bit rate
    long_seconds: int


def cache_folder() -> Path:
    override = os.environ.get("REELPOOL_CACHE")
    return (Path(override) if override else Path.home() / ".cache" / "reelpool") / "bench"


def prepare(tools: Tools, folder: Path, seconds: int, long_seconds: int, say: Callable[[str], None]) -> Inputs:
    folder.mkdir(parents=True, exist_ok=True)
    recording = _make(
        tools, folder, "recording",
        ["-f", "lavfi", "-i", "testsrc2=size=1920x1080:rate=30,noise=alls=5:all_seed=1:allf=t",
         "-f", "lavfi", "-i", SPEECH_LIKE, "-t", str(seconds), "-pix_fmt", "yuv420p",
         "-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-g", "60",
         "-c:a", "aac", "-b:a", "128k", "-ac", "2"], say)
    picture_only = _make(tools, folder, "picture", ["-i", str(recording), "-map", "0:v", "-c", "copy"], say)
    long = _make(
        tools, folder, "long",
        ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30", "-f", "lavfi", "-i", SPEECH_LIKE,
         "-t", str(long_seconds), "-pix_fmt", "yuv420p",
         "-c:v", "libx264", "-preset", "veryfast", "-crf", "30", "-g", "30",
         "-c:a", "aac", "-b:a", "64k", "-ac", "1"], say)
    return Inputs(recording, picture_only, seconds, long, long_seconds)


def _make(tools: Tools, folder: Path, name: str, arguments: list[str], say: Callable[[str], None]) -> Path:
    recipe = " ".join([tools.ffmpeg.version, *arguments])
    path = folder / f"{name}-{hashlib.sha256(recipe.encode()).hexdigest()[:10]}.mp4"
    if not path.exists():
        say(f"making {path.name}")
        unfinished = path.with_suffix(".partial.mp4")
        run([tools.ffmpeg.path, "-y", "-v", "error", "-nostdin", *arguments, str(unfinished)])
        unfinished.rename(path)
    return path
