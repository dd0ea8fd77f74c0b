"""Recordings of 1080p30, H.264 and AAC, whose only difference is how far apart their keyframes are."""

from pathlib import Path

from inputs import FRAMES_PER_SECOND, cache_folder
from machine import Tools
from measuring import run, say

TALK = Path(__file__).resolve().parent.parent / "Fixtures/media/talk.mp4"
CLIP_SECONDS = 60


def recording_of(tools: Tools, gop: int, minutes: int) -> Path:
    """A talk, enlarged and with the grain of a camera; a minute of it is encoded, and repeated packet by packet."""
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    clip = folder / f"talk-1080p-g{gop}.mp4"
    if not clip.exists():
        say(f"making {clip.name}")
        part = clip.with_suffix(".partial.mp4")
        run([tools.ffmpeg.path, "-y", "-v", "error", "-nostdin", "-stream_loop", "9", "-i", str(TALK),
             "-t", str(CLIP_SECONDS), "-vf", "scale=1920:1080:flags=lanczos,noise=alls=3:all_seed=1:allf=t,format=yuv420p",
             "-r", str(FRAMES_PER_SECOND), "-c:v", "libx264", "-preset", "fast", "-crf", "21", "-g", str(gop),
             "-c:a", "aac", "-b:a", "128k", "-ar", "48000", "-ac", "2", str(part)])
        part.rename(clip)
    whole = folder / f"talk-1080p-g{gop}-{minutes}min.mp4"
    if not whole.exists():
        part = whole.with_suffix(".partial.mp4")
        run([tools.ffmpeg.path, "-y", "-v", "error", "-nostdin", "-stream_loop", str(minutes - 1), "-i", str(clip),
             "-c", "copy", str(part)])
        part.rename(whole)
    return whole
