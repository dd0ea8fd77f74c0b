#!/usr/bin/env python3
"""Measures full encodes that are divided into chunks: what sharing them gains, and what dividing costs.

    chunks.py --programs .build/release --python VENV/bin/python --output docs/benchmarks-chunks.md

A pool of one daemon renders, with one slot and with two: a slot that has nothing else to do takes chunks. Two cores show
what two slots gain; what more would is worked out from the times that the chunks of a render took.
"""

import argparse
import contextlib
import heapq
import json
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import commands
import machine
from daemon import Daemon
from inputs import FRAMES_PER_SECOND, cache_folder
from machine import Tools
from measuring import CommandFailed, run, say
from quality import Judge
from recordings import recording_of
from table import Table, as_markdown, number, publish

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED_SECONDS = 125
"""Of the render that one slot makes, and two: two minutes and more are divided."""
SHARED_CHUNK_SECONDS = 10
QUALITY_SECONDS = 120
SMALL_SECONDS = 60
CHUNK_SECONDS = 30
HOUR = 3600
WORKERS = [4, 16, 64]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--programs", type=Path, default=REPOSITORY / ".build/release", help="release builds")
    parser.add_argument("--python", metavar="PATH", help="a Python that has imageio-ffmpeg installed")
    parser.add_argument("--output", type=Path, help="the Markdown file to write; only printed when absent")
    parser.add_argument("--runs", type=int, default=3, help="rounds of what is compared")
    parser.add_argument("--minutes", type=int, default=10, help="length of the recording")
    return parser.parse_args()


# --- a pool ----------------------------------------------------------------


@dataclass
class PoolRun:
    """One render by a pool, by the clock of whoever asked for it."""

    seconds: float = 0
    divided: float = 0
    """When the first chunk was begun."""
    made: dict[int, float] = field(default_factory=dict)
    """When each chunk had its name."""
    report: dict = field(default_factory=dict)

    @property
    def joining(self) -> float:
        return self.seconds - max(self.made.values())

    def durations(self) -> dict[int, float]:
        """What each chunk took where one slot makes one after the other, everything around it included."""
        order = sorted(self.made, key=self.made.get)
        begun = [self.divided, *(self.made[chunk] for chunk in order)]
        return {chunk: self.made[chunk] - begun[index] for index, chunk in enumerate(order)}


def is_divided(database: Path) -> bool:
    """Whether there are chunks for workers to take."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as store:
        return store.execute("SELECT count(*) FROM chunk_sets").fetchone()[0] > 0


def pool_render(programs: Path, edit: dict, slots: int, chunk_seconds: int) -> PoolRun:
    folder = Path(tempfile.mkdtemp(prefix="chunks-", dir=cache_folder()))
    daemon = Daemon(programs, folder, {
        "REELPOOL_SLOTS": str(slots), "REELPOOL_CHUNK_SECONDS": str(chunk_seconds), "RENDER_FFMPEG_THREADS": "1",
        "RENDER_MEMORY": "2g", "PROXY_MEMORY": "1g", "ANALYSIS_MEMORY": "1g",
        "REELPOOL_ALLOW_LOCAL": f"{cache_folder()},{folder}"})
    found, over = PoolRun(), threading.Event()
    started = time.monotonic()

    def watch() -> None:
        while not over.is_set():
            if not found.divided and is_divided(folder / "jobs.db"):
                found.divided = time.monotonic() - started
            for object in folder.glob("out.mp4.chunks/*/*/*"):
                if object.name.isdigit():
                    found.made.setdefault(int(object.name), time.monotonic() - started)
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    try:
        started = time.monotonic()
        job = daemon.submit("render", {"edit": edit, "output": f"{folder}/out.mp4", "mode": "full"})
        watcher.start()
        state = daemon.wait(job, pause=0.05)
        found.seconds = time.monotonic() - started
        if state["state"] != "succeeded":
            raise CommandFailed(f"the pool's render: {state}")
        found.report = state["result"]["report"]
        return found
    finally:
        over.set()
        if watcher.is_alive():
            watcher.join()
        daemon.stop()
        shutil.rmtree(folder, ignore_errors=True)


def edit_of(file: Path, ranges: list[commands.Range]) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        return json.loads(commands.write_edit(Path(folder) / "edit.json", file, ranges, 128).read_text())


# --- sharing ---------------------------------------------------------------


def ffmpeg_parts(tools: Tools, file: Path, parts: int, folder: Path) -> float:
    """Seconds until so many processes, of one thread each, have encoded equal parts of what the pool renders."""
    length = SHARED_SECONDS / parts
    started = time.monotonic()
    processes = [
        subprocess.Popen(
            [tools.ffmpeg.path, "-y", "-v", "error", "-nostdin", "-nostats", "-threads", "1", "-ss", str(part * length),
             "-i", str(file), "-t", str(length), "-c:v", "libx264", "-preset", "veryfast", "-crf", "20",
             "-threads", "1", "-c:a", "aac", "-b:a", "128k", str(folder / f"part-{part}.mp4")])
        for part in range(parts)
    ]
    if any([process.wait() for process in processes]):
        raise CommandFailed("ffmpeg could not encode a part")
    return time.monotonic() - started


def sharing(options: argparse.Namespace, tools: Tools, file: Path, table: Table) -> None:
    edit = edit_of(file, [commands.Range(0, SHARED_SECONDS * FRAMES_PER_SECOND)])
    title = f"{SHARED_SECONDS} s in chunks of {SHARED_CHUNK_SECONDS} s, a thread each"
    say(f"\n{title}")
    one, two, alone, both = [], [], [], []
    with tempfile.TemporaryDirectory(dir=cache_folder()) as folder:
        for turn in range(options.runs):
            one.append(pool_render(options.programs, edit, 1, SHARED_CHUNK_SECONDS).seconds)
            two.append(pool_render(options.programs, edit, 2, SHARED_CHUNK_SECONDS).seconds)
            alone.append(ffmpeg_parts(tools, file, 1, Path(folder)))
            both.append(ffmpeg_parts(tools, file, 2, Path(folder)))
            say(f"  {turn + 1}/{options.runs} one slot {one[-1]:.1f} s, two {two[-1]:.1f} s; "
                f"ffmpeg {alone[-1]:.1f} s, two at a time {both[-1]:.1f} s")
    ours = [a / b for a, b in zip(one, two)]
    limit = [a / b for a, b in zip(alone, both)]
    shares = [a / b for a, b in zip(ours, limit)]
    table.fact(
        title, "speed-up by a second slot", f"{statistics.median(ours):.2f}", "two ffmpeg processes beside one",
        f"{statistics.median(limit):.2f}",
        f"{statistics.median(shares):.3f} ({min(shares):.3f}–{max(shares):.3f})", "≥ 0.9",
        statistics.median(shares) >= 0.9)
    table.fact(title, "wall s", f"{statistics.median(one):.1f}; {statistics.median(two):.1f}", "ffmpeg, one and two",
               f"{statistics.median(alone):.1f}; {statistics.median(both):.1f}", "", "", None)


# --- what dividing costs ---------------------------------------------------


def quality(options: argparse.Namespace, tools: Tools, table: Table) -> None:
    """By x264 at the size of the recording; by the others, which take longer, of a smaller and shorter one."""
    with tempfile.TemporaryDirectory(dir=cache_folder()) as name:
        folder = Path(name)
        for gop in (48, 250):
            source = folder / f"source-{gop}.mp4"
            run([tools.ffmpeg.path, "-y", "-v", "error", "-i", str(recording_of(tools, gop, options.minutes)),
                 "-t", str(QUALITY_SECONDS), "-c", "copy", str(source)])
            compare_quality(tools, Clip(source, QUALITY_SECONDS, 1920, 1080, f"GOP {gop}"), "h264", folder, table)
        small = folder / "small.mp4"
        run([tools.ffmpeg.path, "-y", "-v", "error", "-i", str(folder / "source-48.mp4"), "-t", str(SMALL_SECONDS),
             "-vf", "scale=854:480", "-c:v", "libx264", "-preset", "veryfast", "-qp", "1", "-c:a", "copy", str(small)])
        for codec in ("hevc", "vp9", "av1"):
            compare_quality(tools, Clip(small, SMALL_SECONDS, 854, 480, "854x480"), codec, folder, table)


@dataclass(frozen=True)
class Clip:
    file: Path
    seconds: int
    width: int
    height: int
    name: str


def compare_quality(tools: Tools, clip: Clip, codec: str, folder: Path, table: Table) -> None:
    title = f"{clip.seconds} s, {clip.name}, {codec}, beside one go"
    say(f"\n{title}")
    ranges = [commands.Range(0, clip.seconds * FRAMES_PER_SECOND)]
    edit = commands.write_edit(folder / "edit.json", clip.file, ranges, 128, codec)
    outputs = {}
    judge = Judge(tools)
    for kind, more in (("one go", []), ("chunks", ["--chunks", str(folder / "kept"), "--chunk-seconds",
                                                   str(CHUNK_SECONDS)])):
        output = folder / f"{kind.split()[0]}.mp4"
        run([tools.reelpool, "render", str(edit), "--output", str(output), "--mode", "full", "--threads", "2", *more])
        outputs[kind] = judge.judge(output, clip.file, clip.width, clip.height)
    whole, divided = outputs["one go"], outputs["chunks"]
    ratio = divided.size / whole.size
    table.fact(title, "MB", number(divided.size / 1e6), "one go", number(whole.size / 1e6), f"{ratio:.4f}", "≤ 1.01",
               ratio <= 1.01)
    loss = whole.likeness - divided.likeness
    table.fact(title, judge.name, f"{divided.likeness:.3f}", "one go", f"{whole.likeness:.3f}", f"{loss:+.3f} less",
               "≤ 0.1", loss <= 0.1)
    table.fact(title, "frames", str(divided.frames), "one go", str(whole.frames), "", "equal",
               divided.frames == whole.frames)


# --- many workers ----------------------------------------------------------


def makespan(units: list[float], workers: int) -> float:
    """Whoever is free takes the next one."""
    free = [0.0] * workers
    for unit in units:
        heapq.heappush(free, heapq.heappop(free) + unit)
    return max(free)


def hour(options: argparse.Namespace, tools: Tools, table: Table) -> None:
    """An hour as six times what ten minutes took, and longer in what cannot be shared."""
    total = options.minutes * 60 * FRAMES_PER_SECOND
    kept = commands.spread(5, round(0.8 * total), total - 1)
    say(f"\n{options.minutes} minutes in chunks of {CHUNK_SECONDS} s by one slot")
    made = pool_render(options.programs, edit_of(recording_of(tools, 48, options.minutes), kept), 1, CHUNK_SECONDS)
    durations = made.durations()
    *pictures, sound = [durations[chunk] for chunk in sorted(durations)]
    seconds = made.report["duration_seconds"]
    times = HOUR / seconds
    serial = times * (made.divided + made.joining)
    # As ChunkPlan divides: the last quarter of many is halved.
    rate = sum(pictures) / seconds
    spread = [one / statistics.mean(pictures[:len(pictures) // 2]) for one in pictures[:len(pictures) // 2]]
    lengths = [CHUNK_SECONDS] * (HOUR * 3 // 4 // CHUNK_SECONDS) + [CHUNK_SECONDS / 2] * (HOUR // 2 // CHUNK_SECONDS)
    units = [times * sound, *(length * rate * spread[index % len(spread)] for index, length in enumerate(lengths))]
    alone = sum(units) + serial
    title = f"An hour of 1080p, worked out from {len(pictures)} chunks"
    table.fact(title, "seconds of a chunk", f"{min(pictures):.1f}–{max(pictures):.1f}", "of the sound",
               f"{sound:.1f}", f"dividing {made.divided:.1f}, joining {made.joining:.1f}", "", None)
    for workers in WORKERS:
        taken = makespan(units, workers) + serial
        efficiency = alone / workers / taken
        table.fact(
            title, f"wall s, {workers} workers", number(taken), "one worker", number(alone),
            f"{alone / taken:.1f}×, efficiency {efficiency:.3f}", "≥ 0.9" if workers == 16 else "",
            efficiency >= 0.9 if workers == 16 else None)


PAGE = """# Renders in chunks, measured

`make bench-chunks` writes this page. A recording of 1080p30, H.264 and AAC, is encoded by x264 `veryfast`, crf 20. What
dividing costs: in chunks of {chunk} s and in one go, by the command, two threads; by other codecs' encoders a smaller one.
What sharing gains: chunk by chunk by the slots of a pool, one thread each. Medians of {runs} rounds, ratios within a round.
The hour is worked out, not rendered: its chunks take as long for a second of programme as those that were measured, whoever
is free takes the next one, and looking, dividing, the sound and joining take as much longer as the programme is.

{setting}

{table}
"""


def main() -> int:
    options = arguments()
    try:
        tools = machine.find_tools(str(options.programs / "reelpool"), options.python)
        setting = machine.describe(tools, REPOSITORY)
        table = Table()
        quality(options, tools, table)
        hour(options, tools, table)
        sharing(options, tools, recording_of(tools, 48, options.minutes), table)
    except (machine.ToolMissing, CommandFailed) as error:
        say(f"error: {error}")
        return 2
    publish(table, options.output, lambda: PAGE.format(
        runs=options.runs, chunk=CHUNK_SECONDS, setting=machine.as_list(setting), table=as_markdown(table)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
