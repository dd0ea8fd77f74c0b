"""Whether outputs that are compared for speed are the same thing: frames, size, likeness to the source."""

import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from machine import Tools, libvmaf


@dataclass(frozen=True)
class Output:
    frames: int
    size: int  # bytes
    likeness: float  # VMAF, or PSNR in dB


class Judge:
    """Measures outputs against the source at the source's size: VMAF where a peer has it, else PSNR."""

    def __init__(self, tools: Tools):
        self.tools = tools
        self.has_vmaf = libvmaf(tools.static)
        self.name = "VMAF" if self.has_vmaf else "PSNR"
        self.tolerance = 0.1

    def judge(self, output: Path, source: Path, width: int, height: int) -> Output:
        return Output(self.frames(output), output.stat().st_size, self._likeness(output, source, width, height))

    def frames(self, file: Path) -> int:
        counted = subprocess.run(
            [self.tools.ffprobe or "ffprobe", "-v", "error", "-select_streams", "v:0", "-count_packets",
             "-show_entries", "stream=nb_read_packets", "-of", "json", str(file)],
            capture_output=True, text=True, check=True)
        return int(json.loads(counted.stdout)["streams"][0]["nb_read_packets"])

    def _likeness(self, output: Path, source: Path, width: int, height: int) -> float:
        enlarge = f"[0:v]setpts=PTS-STARTPTS,scale={width}:{height}:flags=bicubic[a];[1:v]setpts=PTS-STARTPTS[b];[a][b]"
        if not self.has_vmaf:
            text = self._filter(self.tools.ffmpeg.path, output, source, enlarge + "psnr")
            return float(re.search(r"average:([\d.]+)", text).group(1))
        with tempfile.NamedTemporaryFile(suffix=".json") as log:
            self._filter(
                self.tools.static.path, output, source,
                enlarge + f"libvmaf=n_threads=2:n_subsample=3:log_fmt=json:log_path={log.name}")
            return float(json.load(log)["pooled_metrics"]["vmaf"]["mean"])

    @staticmethod
    def _filter(program: str, output: Path, source: Path, graph: str) -> str:
        done = subprocess.run(
            [program, "-nostdin", "-hide_banner", "-i", str(output), "-i", str(source), "-filter_complex", graph,
             "-an", "-f", "null", "-"], capture_output=True, text=True, check=True)
        return done.stderr
