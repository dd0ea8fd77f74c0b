#!/usr/bin/env python3
"""Measures smart renders beside ffmpeg, which encodes the same ranges, smartcut, and a plain copy of the file.

    smart.py --reelpool .build/release/reelpool --python VENV/bin/python --output docs/benchmarks-smart.md

The source is ten minutes of 1080p30, H.264 and AAC, once with a keyframe every 48 pictures and once every 250. Every cell
is one source and one cut list; within a cell all run in turn, round after round, and ratios are within a round. With
three rounds of every cell this takes hours: ffmpeg encodes the same minutes again and again. Cells that are done are
kept beside the recordings: the next run, of the same programs, goes on behind them.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import commands
import machine
from commands import Range
from inputs import FRAMES_PER_SECOND, cache_folder
from machine import Peer, Tools
from measuring import CommandFailed, Subject, interleave, run, say
from table import Row, Table, as_markdown, as_text, number

REPOSITORY = Path(__file__).resolve().parent.parent
TALK = REPOSITORY / "Fixtures/media/talk.mp4"
CLIP_SECONDS = 60
GOPS = [48, 250]
LISTS = [5, 30, 50, 200]
THREADS = 2
KEPT = 0.8
"""Of the recording, in ranges of equal length."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--reelpool", default=str(REPOSITORY / ".build/release/reelpool"), help="a release build")
    parser.add_argument("--python", metavar="PATH", help="a Python that has imageio-ffmpeg and smartcut installed")
    parser.add_argument("--output", type=Path, help="the Markdown file to write; only printed when absent")
    parser.add_argument("--runs", type=int, default=3, help="rounds of every cell")
    parser.add_argument("--minutes", type=int, default=10, help="length of the recording")
    parser.add_argument("--gops", type=int, nargs="+", default=GOPS, help="distances of keyframes")
    parser.add_argument("--lists", type=int, nargs="+", default=LISTS, help="numbers of ranges")
    parser.add_argument("--anew", action="store_true", help="forget cells that are done")
    parser.add_argument("--without-ffmpeg", action="store_true", help="leave out what takes longest")
    return parser.parse_args()


# --- sources ---------------------------------------------------------------


def source(tools: Tools, gop: int, minutes: int) -> Path:
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


def ranges(count: int, minutes: int) -> list[Range]:
    """Cuts lie anywhere in a group of pictures: their distance is no multiple of any."""
    total = minutes * 60 * FRAMES_PER_SECOND
    return commands.spread(count, round(KEPT * total), total - 1)


# --- peers -----------------------------------------------------------------


def reelpool(tools: Tools, edit: Path, folder: Path, mode: str = "auto") -> list[str]:
    return [tools.reelpool, "render", str(edit), "--output", str(folder / "out.mp4"), "--threads", str(THREADS),
            "--mode", mode]


def ffmpeg(peer: Peer, recording: Path, kept: list[Range], folder: Path, scripts: Path) -> list[str]:
    """By one expression that selects pictures by number and samples by time: the least that ffmpeg can do."""
    pictures = "+".join(f"between(n,{r.first},{r.end - 1})" for r in kept)
    sound = "+".join(f"gte(t,{r.first / FRAMES_PER_SECOND:.6f})*lt(t,{r.end / FRAMES_PER_SECOND:.6f})" for r in kept)
    script = scripts / f"select-{len(kept)}.txt"
    script.write_text(
        f"[0:v]select='{pictures}',setpts=N/{FRAMES_PER_SECOND}/TB[v];[0:a]aselect='{sound}',asetpts=N/SR/TB[a]")
    return [
        peer.path, "-y", "-v", "error", "-nostdin", "-nostats", "-threads", str(THREADS), "-i", str(recording),
        *_script(peer, script), "-map", "[v]", "-map", "[a]", "-c:v", "libx264", "-preset", "veryfast", "-crf", "20",
        "-threads", str(THREADS), "-c:a", "aac", "-b:a", "128k", "-movflags", "+faststart", str(folder / "out.mp4"),
    ]


def _script(peer: Peer, script: Path) -> list[str]:
    """Newer versions read an option's value from a file; older ones have an option of their own for it."""
    major = int(peer.version.lstrip("n").split(".")[0])
    return ["-/filter_complex", str(script)] if major >= 7 else ["-filter_complex_script", str(script)]


def smartcut(python: str, recording: Path, kept: list[Range], folder: Path) -> list[str]:
    times = ",".join(f"{frame / FRAMES_PER_SECOND:.6f}" for r in kept for frame in (r.first, r.end))
    return [str(Path(python).with_name("smartcut")), str(recording), str(folder / "out.mp4"), "--keep", times]


def copy(peer: Peer, recording: Path, folder: Path) -> list[str]:
    return [peer.path, "-y", "-v", "error", "-nostdin", "-i", str(recording), "-c", "copy",
            "-movflags", "+faststart", str(folder / "out.mp4")]


# --- seams -----------------------------------------------------------------


@dataclass(frozen=True)
class PictureCosts:
    """Seconds that ffmpeg takes for a picture of the source, on as many threads."""

    decoding: float
    encoding: float

    @staticmethod
    def of(tools: Tools, recording: Path) -> "PictureCosts":
        pictures = 20 * FRAMES_PER_SECOND
        start = [tools.ffmpeg.path, "-y", "-v", "error", "-nostdin", "-threads", str(THREADS), "-i", str(recording),
                 "-frames:v", str(pictures), "-an"]
        decode = run([*start, "-f", "null", "-"]).wall
        both = run([*start, "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-crf", "18",
                    "-threads", str(THREADS), "-f", "null", "-"]).wall
        return PictureCosts(decode / pictures, max(0, both - decode) / pictures)

    def seams(self, smart: dict) -> float:
        decoded = smart.get("decoded_pictures", 0) + smart.get("verified_pictures", 0)
        return decoded * self.decoding + smart.get("encoded_pictures", 0) * self.encoding


def report(tools: Tools, edit: Path, folder: Path) -> dict:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    done = subprocess.run([*reelpool(tools, edit, folder), "--json"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def streams(tools: Tools, file: Path) -> dict[str, tuple[int, float]]:
    """Packets and seconds of picture and sound."""
    done = subprocess.run(
        [tools.ffprobe, "-v", "error", "-count_packets", "-show_entries", "stream=codec_type,nb_read_packets,duration",
         "-of", "json", str(file)], capture_output=True, text=True, check=True)
    return {s["codec_type"]: (int(s["nb_read_packets"]), float(s["duration"])) for s in json.loads(done.stdout)["streams"]}


# --- cells -----------------------------------------------------------------


def cell(
    options: argparse.Namespace, tools: Tools, title: str, gop: int, count: int, costs: PictureCosts, work: Path,
    table: Table,
) -> None:
    recording = source(tools, gop, options.minutes)
    kept = ranges(count, options.minutes)
    pictures = sum(r.end - r.first for r in kept)
    edit = commands.write_edit(work / f"{gop}-{count}.json", recording, kept, 128)
    ours = Subject("reelpool", [], work / "reelpool")
    ours.commands = [reelpool(tools, edit, ours.folder)]
    plain = Subject("ffmpeg -c copy", [], work / "copy")
    plain.commands = [copy(tools.ffmpeg, recording, plain.folder)]
    subjects = [ours, plain]
    encoders = []
    if not options.without_ffmpeg:
        for peer in tools.peers:
            subject = Subject(peer.name, [], work / peer.name.replace(" ", "-"))
            subject.commands = [ffmpeg(peer, recording, kept, subject.folder, work)]
            encoders.append(subject)
    other = None
    if options.python and Path(options.python).with_name("smartcut").exists():
        other = Subject("smartcut 1.7", [], work / "smartcut", may_fail=True)
        other.commands = [smartcut(options.python, recording, kept, other.folder)]
        subjects.append(other)
    interleave(title, [*subjects, *encoders], options.runs, say)

    made = report(tools, edit, work / "report")
    smart = made.get("smart") or {}
    rare = count / (options.minutes * 60) <= 1 / 20
    for subject in encoders:
        table.times_less(title, "wall", ours, subject, 20 if gop == 48 and rare else 1 / 1.05)
        table.times_less(title, "cpu", ours, subject, None)
        if smart.get("declined"):
            table.at_most(title, "rss", ours, subject, 1)
    if other:
        table.times_less(title, "wall", ours, other, 3 if gop == 48 and rare else None)
    minutes = pictures / FRAMES_PER_SECOND / 60
    if not smart.get("declined"):
        seams = costs.seams(smart)
        limit = 3 * plain.median("wall") + seams
        table.fact(title, "wall s", number(ours.median("wall")), "3 × -c copy + seams",
                   f"3 × {number(plain.median('wall'))} + {number(seams)}",
                   f"{ours.median('wall') / limit:.3f}", "≤ 1", ours.median("wall") <= limit)
        most = 150 + minutes
        table.fact(title, "peak MB", number(ours.median("rss")), "150 + 1 a minute", number(most),
                   f"{ours.median('rss') / most:.3f}", "≤ 1", ours.median("rss") <= most)
        table.fact(title, "pictures", f"{smart['copied_pictures']} copied, {smart['encoded_pictures']} encoded",
                   "decoded, verified", f"{smart['decoded_pictures']}, {smart['verified_pictures']}", "", "", None)
    predicted = smart.get("predicted_seconds")
    table.fact(title, "seconds predicted", number(predicted) if predicted else "", "taken",
               number(smart.get("seconds") or made["elapsed_seconds"]), smart.get("declined") or "", "", None)
    size = recording.stat().st_size / 1e6
    table.fact(title, "MB read", number(bytes_read(reelpool(tools, edit, work / "report")) / 1e6), "the file",
               number(size), "", "", None)
    there = streams(tools, ours.folder / "out.mp4")
    seconds = pictures / FRAMES_PER_SECOND
    good = there["video"][0] == pictures and all(abs(each[1] - seconds) < 0.05 for each in there.values())
    table.fact(title, "pictures; seconds", f"{there['video'][0]}; {there['video'][1]:.3f}", "the edit",
               f"{pictures}; {seconds:.3f}", f"sound {there['audio'][1]:.3f}", "equal", good)
    for subject in [*subjects, *encoders]:
        if subject.folder:
            shutil.rmtree(subject.folder, ignore_errors=True)


def bytes_read(command: list[str]) -> int:
    """By the kernel's account, while the process waits to be collected. Source: proc(5), io."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    account = Path(f"/proc/{process.pid}/io").read_text()
    process.wait()
    return int(account.split("rchar:")[1].split()[0])


class DoneCells:
    """The rows of cells that were measured, for as long as all programs and settings are the same."""

    def __init__(self, options: argparse.Namespace, tools: Tools, folder: Path):
        self.file = folder / "smart-cells.json"
        digest = hashlib.sha256(Path(tools.reelpool).read_bytes()).hexdigest()
        self.of = [digest, *(peer.version for peer in tools.peers), options.runs, options.minutes, KEPT, THREADS,
                   options.without_ffmpeg]
        self.cells: dict[str, list[dict]] = {}
        if self.file.exists() and not options.anew:
            kept = json.loads(self.file.read_text())
            if kept["of"] == self.of:
                self.cells = kept["cells"]

    def rows(self, title: str) -> list[Row] | None:
        found = self.cells.get(title)
        return found and [Row(**row) for row in found]

    def keep(self, title: str, rows: list[Row]) -> None:
        self.cells[title] = [asdict(row) for row in rows]
        part = self.file.with_suffix(".partial")
        part.write_text(json.dumps({"of": self.of, "cells": self.cells}))
        part.rename(self.file)


PAGE = """# Smart renders, measured

`make bench-smart` writes this page. {minutes} minutes of 1080p30, H.264 and AAC; {kept:.0%} of it kept, in ranges of equal
length; {threads} threads; medians of {runs} rounds. The peers: ffmpeg encodes the same pictures with `-preset veryfast
-crf 20`, chosen by `select`; smartcut cuts as Reelpool does; `ffmpeg -c copy` copies the whole file, which is what a disk
and a container cost. *Seams*: what the pictures that were decoded, encoded and verified would cost ffmpeg.

{setting}

{table}
"""


def main() -> int:
    options = arguments()
    try:
        tools = machine.find_tools(options.reelpool, options.python)
        setting = machine.describe(tools, REPOSITORY)
        table = Table()
        work = Path(tempfile.mkdtemp(prefix="smart-", dir=cache_folder()))
        try:
            costs = PictureCosts.of(tools, source(tools, 48, options.minutes))
            done = DoneCells(options, tools, cache_folder())
            for gop in options.gops:
                for count in options.lists:
                    title = f"GOP {gop}, {count} ranges"
                    rows = done.rows(title)
                    if rows is None:
                        fresh = Table()
                        cell(options, tools, title, gop, count, costs, work, fresh)
                        rows = fresh.rows
                        done.keep(title, rows)
                    table.rows += rows
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except (machine.ToolMissing, CommandFailed) as error:
        say(f"error: {error}")
        return 2
    print(as_text(table))
    if options.output:
        lines = "\n".join(f"- {label}: {value}" for label, value in setting)
        options.output.write_text(PAGE.format(
            minutes=options.minutes, kept=KEPT, threads=THREADS, runs=options.runs, setting=lines, table=as_markdown(table)))
        say(f"wrote {options.output}")
    say(f"{table.failures} of {sum(row.passed is not None for row in table.rows)} bars missed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
