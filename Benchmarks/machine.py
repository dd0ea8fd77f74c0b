"""What a benchmark ran on and against."""

import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from datetime import date
from pathlib import Path


@dataclass(frozen=True)
class Peer:
    """An ffmpeg program to compare with."""

    name: str  # as the tables call it
    path: str
    version: str


@dataclass(frozen=True)
class Tools:
    reelpool: str
    ffmpeg: Peer  # the distribution's: the same libraries as Reelpool's
    static: Peer | None  # imageio-ffmpeg's
    ffprobe: str | None

    @property
    def peers(self) -> list[Peer]:
        return [self.ffmpeg] + ([self.static] if self.static else [])


class ToolMissing(Exception):
    pass


def find_tools(reelpool: str, imageio_python: str | None) -> Tools:
    if not os.access(reelpool, os.X_OK):
        raise ToolMissing(f"{reelpool} is not a program; build it with: swift build -c release")
    ffmpeg = shutil.which("ffmpeg")
    if not ffmpeg:
        raise ToolMissing("ffmpeg is not installed (Debian package: ffmpeg)")
    static = _static_ffmpeg(imageio_python) if imageio_python else None
    return Tools(os.path.abspath(reelpool), _peer(ffmpeg), _peer(static) if static else None, shutil.which("ffprobe"))


def _static_ffmpeg(python: str) -> str | None:
    """The program that PyPI's imageio-ffmpeg carries, or nothing when that is not installed there."""
    found = subprocess.run(
        [python, "-c", "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())"],
        capture_output=True, text=True)
    return found.stdout.strip() or None


def _peer(path: str) -> Peer:
    version = _first_line([path, "-version"]).split()[2]
    short = re.search(r"\d+\.\d+", version)
    return Peer(f"ffmpeg {short.group() if short else version}", path, version)


def libvmaf(peer: Peer | None) -> bool:
    if not peer:
        return False
    listed = subprocess.run([peer.path, "-hide_banner", "-filters"], capture_output=True, text=True)
    return " libvmaf " in listed.stdout


def describe(tools: Tools, repository: Path) -> list[tuple[str, str]]:
    """Label and value of everything that a reader needs to judge the numbers."""
    peers = [(peer.name, peer.version) for peer in tools.peers]
    return [
        ("Date", date.today().isoformat()),
        ("Reelpool", _git(repository)),
        ("Swift", _first_line(["swift", "--version"])),
        *peers,
        ("CPU", f"{_cpu_model()}, {os.cpu_count()} cores"),
        ("Memory", f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"),
        ("System", f"{_distribution()}, kernel {platform.release()}"),
        ("Load before", f"{os.getloadavg()[0]:.1f}"),
    ]


def as_list(setting: list[tuple[str, str]]) -> str:
    """What `describe` says, as a list in Markdown."""
    return "\n".join(f"- {label}: {value}" for label, value in setting)


def _git(repository: Path) -> str:
    revision = _first_line(["git", "-C", str(repository), "rev-parse", "--short=12", "HEAD"])
    changed = subprocess.run(
        ["git", "-C", str(repository), "status", "--porcelain", "--", "Sources", "Package.swift"],
        capture_output=True, text=True).stdout
    return f"revision {revision}" + (" with local changes" if changed.strip() else "")


def _cpu_model() -> str:
    text = Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return model.group(1).strip() if model else platform.machine()


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def _first_line(command: list[str]) -> str:
    try:
        output = subprocess.run(command, capture_output=True, text=True).stdout
    except OSError:
        return "unknown"
    return (output.splitlines() or ["unknown"])[0].strip()
