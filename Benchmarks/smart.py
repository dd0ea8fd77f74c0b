#!/usr/bin/env python3
"""Measures smart renders beside ffmpeg, which encodes the same ranges, smartcut, and a plain copy of the file.

    smart.py --reelpool .build/release/reelpool --python VENV/bin/python --output docs/benchmarks-smart.md

The source is ten minutes of 1080p30, H.264 and AAC, once with a keyframe every 48 pictures and once every 250. Every cell
is one source and one cut list; all run in turn, round after round, and ratios are within a round. What encodes everything
takes turns of seconds: minutes apart, the machine itself differs by more than what is compared. What ffmpeg encodes
hardly depends on how many ranges its pictures come in: it runs for one cut list of each source, where Reelpool is nearest
to its bar, and stands beside all. With three rounds this takes more than an hour all the same. Runs that are done are kept
beside the recordings: called again with the same programs, it goes on behind them.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from statistics import median

import commands
import machine
from commands import Range
from inputs import FRAMES_PER_SECOND, cache_folder
from machine import Peer, Tools
from measuring import CommandFailed, Ratio, Subject, Usage, run_in_turns, run_line, run_once, say, undisturbed
from recordings import recording_of
from table import Table, as_markdown, number, publish

REPOSITORY = Path(__file__).resolve().parent.parent
GOPS = [48, 250]
LISTS = [5, 30, 50, 200]
ENCODED_LISTS = {48: (30, 200), 250: (200, 30)}
"""The cut list that ffmpeg encodes, by distance of keyframes; and another one, once, to see what lists cost it."""
USUAL_LISTS = (30, 200)
MOST_FOR_SMARTCUT = 50
"""Ranges that smartcut cuts: with more it takes longer than encoding everything."""
THREADS = 2
SOUND_PACKET_SECONDS = 1024 / 48000
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
    parser.add_argument("--anew", action="store_true", help="forget runs that are done")
    parser.add_argument("--without-ffmpeg", action="store_true", help="leave out what takes longest")
    return parser.parse_args()


# --- cut lists -------------------------------------------------------------


def ranges(count: int, minutes: int) -> list[Range]:
    """Cuts lie anywhere in a group of pictures: their distance is no multiple of any."""
    total = minutes * 60 * FRAMES_PER_SECOND
    return commands.spread(count, round(KEPT * total), total - 1)


def picture_times(tools: Tools, recording: Path) -> list[Fraction]:
    """When each picture is shown, in seconds. Where the recording's minutes meet, sound holds the next one up a little."""
    def ask(entries: str) -> list[str]:
        done = subprocess.run(
            [tools.ffprobe, "-v", "error", "-select_streams", "v:0", "-show_entries", entries, "-of", "csv=p=0",
             str(recording)], capture_output=True, text=True, check=True)
        return [line.strip(",") for line in done.stdout.split()]

    tick = Fraction(ask("stream=time_base")[0])
    return sorted(int(time) * tick for time in ask("packet=pts"))


def selection(times: list[Fraction], kept: list[Range]) -> tuple[int, Fraction]:
    """Pictures that are shown within the ranges, and their seconds: each range lasts to the next picture behind it."""
    bounds = [tuple(bisect_left(times, Fraction(at, FRAMES_PER_SECOND)) for at in (r.first, r.end)) for r in kept]
    return sum(end - first for first, end in bounds), sum(times[end] - times[first] for first, end in bounds)


# --- peers -----------------------------------------------------------------


def reelpool(tools: Tools, edit: Path, folder: Path, mode: str = "auto") -> list[str]:
    return [tools.reelpool, "render", str(edit), "--output", str(folder / "out.mp4"), "--threads", str(THREADS),
            "--mode", mode]


def ffmpeg(peer: Peer, recording: Path, kept: list[Range], folder: Path, scripts: Path) -> list[str]:
    """By one expression that selects pictures by number and samples by time: the least that ffmpeg can do. On as many
    threads as it likes."""
    pictures = _sum([f"between(n,{r.first},{r.end - 1})" for r in kept])
    sound = _sum([f"gte(t,{r.first / FRAMES_PER_SECOND:.6f})*lt(t,{r.end / FRAMES_PER_SECOND:.6f})" for r in kept])
    script = scripts / f"select-{len(kept)}.txt"
    script.write_text(
        f"[0:v]select='{pictures}',setpts=N/{FRAMES_PER_SECOND}/TB[v];[0:a]aselect='{sound}',asetpts=N/SR/TB[a]")
    return [
        peer.path, "-y", "-v", "error", "-nostdin", "-nostats", "-i", str(recording), *_script(peer, script),
        "-map", "[v]", "-map", "[a]", "-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-c:a", "aac",
        "-b:a", "128k", "-movflags", "+faststart", str(folder / "out.mp4"),
    ]


def _sum(terms: list[str]) -> str:
    """Halves of halves: more than a hundred in one row nest too deep for ffmpeg."""
    if len(terms) == 1:
        return terms[0]
    return f"({_sum(terms[:len(terms) // 2])}+{_sum(terms[len(terms) // 2:])})"


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


PICTURES = 20 * FRAMES_PER_SECOND
"""That a picture's cost is measured with."""


@dataclass(frozen=True)
class SeamWork:
    """What ffmpeg takes for pictures of the source, on as many threads: measured beside each run of Reelpool, since the
    machine's speed changes."""

    decoding: Subject
    encoding: Subject  # decodes, too

    @staticmethod
    def of(tools: Tools, recording: Path, name: str) -> "SeamWork":
        start = [tools.ffmpeg.path, "-y", "-v", "error", "-nostdin", "-threads", str(THREADS), "-i", str(recording),
                 "-frames:v", str(PICTURES), "-an"]
        encoder = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-crf", "18",
                   "-threads", str(THREADS)]
        return SeamWork(Subject(f"ffmpeg, decoding {name}", [[*start, "-f", "null", "-"]]),
                        Subject(f"ffmpeg, encoding {name}", [[*start, *encoder, "-f", "null", "-"]]))

    def seconds(self, smart: dict) -> list[float]:
        """For as many pictures as a render decoded, verified and encoded; one for each round."""
        decoded = smart.get("decoded_pictures", 0) + smart.get("verified_pictures", 0)
        encoded = smart.get("encoded_pictures", 0)
        return [(decoded * decoding.wall + encoded * max(0, both.wall - decoding.wall)) / PICTURES
                for decoding, both in zip(self.decoding.runs, self.encoding.runs, strict=True)]


@dataclass(frozen=True)
class Made:
    """What one render told of itself, and what it came to."""

    report: dict
    read: int  # bytes, by the kernel's account. Source: proc(5), io
    streams: dict[str, tuple[int, float]]  # packets and seconds of picture and sound

    @staticmethod
    def of(tools: Tools, edit: Path, folder: Path) -> "Made":
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with tempfile.TemporaryFile() as told:
            process = subprocess.Popen(
                [*reelpool(tools, edit, folder), "--json"], stdin=subprocess.DEVNULL, stdout=told,
                stderr=subprocess.DEVNULL)
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            account = Path(f"/proc/{process.pid}/io").read_text()
            if process.wait():
                raise CommandFailed(f"rendering {edit} failed")
            told.seek(0)
            report = json.load(told)
        return Made(report, int(account.split("rchar:")[1].split()[0]), streams(tools, folder / "out.mp4"))


def streams(tools: Tools, file: Path) -> dict[str, tuple[int, float]]:
    """Packets and seconds of picture and sound."""
    done = subprocess.run(
        [tools.ffprobe, "-v", "error", "-count_packets", "-show_entries", "stream=codec_type,nb_read_packets,duration",
         "-of", "json", str(file)], capture_output=True, text=True, check=True)
    return {s["codec_type"]: (int(s["nb_read_packets"]), float(s["duration"])) for s in json.loads(done.stdout)["streams"]}


# --- rounds ----------------------------------------------------------------


class KeptRuns:
    """What was measured, for as long as all programs and settings are the same."""

    def __init__(self, options: argparse.Namespace, tools: Tools, folder: Path):
        self.file = folder / "smart-runs.json"
        # Piece by piece: what this process ever held is counted with every command that it starts.
        with open(tools.reelpool, "rb") as program:
            digest = hashlib.file_digest(program, "sha256").hexdigest()
        self.of = [digest, *(peer.version for peer in tools.peers), options.minutes, KEPT, THREADS]
        self.kept: dict[str, dict] = {}
        if self.file.exists() and not options.anew:
            found = json.loads(self.file.read_text())
            if found["of"] == self.of:
                self.kept = found["kept"]

    def get(self, name: str, make: Callable[[], dict]) -> dict:
        if name not in self.kept:
            self.kept[name] = make()
            part = self.file.with_suffix(".partial")
            part.write_text(json.dumps({"of": self.of, "kept": self.kept}))
            part.rename(self.file)
        return self.kept[name]


@dataclass
class Cell:
    """One source and one cut list."""

    gop: int
    count: int
    pictures: int
    seconds: float
    edit: Path
    work: SeamWork
    ours: Subject
    smartcut: Subject | None
    made: Made

    @property
    def smart(self) -> dict:
        return self.made.report.get("smart") or {}

    @property
    def declined(self) -> bool:
        return bool(self.smart.get("declined"))

    @property
    def alone(self) -> list[Subject]:
        """What runs from beginning to end. Where everything is encoded, that takes turns with ffmpeg."""
        copying = [] if self.declined else [self.work.decoding, self.work.encoding, self.ours]
        return [*copying, *([self.smartcut] if self.smartcut else [])]

    @property
    def title(self) -> str:
        return f"GOP {self.gop}, {self.count} ranges"


class Block:
    """All cut lists of one source."""

    def __init__(self, options: argparse.Namespace, tools: Tools, kept: KeptRuns, gop: int, work: Path):
        self.options, self.tools, self.kept, self.gop, self.work = options, tools, kept, gop, work
        self.recording = recording_of(tools, gop, options.minutes)
        self.times = picture_times(tools, self.recording)
        self.copy = self.subject("ffmpeg -c copy", lambda folder: copy(tools.ffmpeg, self.recording, folder))
        self.cells = [self.cell(count) for count in options.lists]
        self.encoded, self.other = ENCODED_LISTS.get(gop, USUAL_LISTS)
        same = ranges(self.encoded, options.minutes)
        self.encoders = [] if options.without_ffmpeg else [
            self.subject(peer.name, lambda folder, peer=peer: ffmpeg(peer, self.recording, same, folder, work))
            for peer in tools.peers
        ]

    def subject(self, name: str, command: Callable[[Path], list[str]], may_fail: bool = False) -> Subject:
        folder = self.work / re.sub(r"\W+", "-", f"{self.gop}-{name}")
        return Subject(name, [command(folder)], folder, may_fail)

    def cell(self, count: int) -> Cell:
        chosen = ranges(count, self.options.minutes)
        edit = commands.write_edit(self.work / f"{self.gop}-{count}.json", self.recording, chosen, 128)
        python = self.options.python
        other = None
        if python and count <= MOST_FOR_SMARTCUT and Path(python).with_name("smartcut").exists():
            other = self.subject(
                f"smartcut 1.7, {count} ranges", lambda folder: smartcut(python, self.recording, chosen, folder), True)
        ours = self.subject(f"reelpool, {count} ranges", lambda folder: reelpool(self.tools, edit, folder))
        pictures, seconds = selection(self.times, chosen)
        work = SeamWork.of(self.tools, self.recording, f"beside {count} ranges")
        made = Made(**self.kept.get(
            f"GOP {self.gop}, {count} ranges: made", lambda: asdict(Made.of(self.tools, edit, self.work / "made"))))
        return Cell(self.gop, count, pictures, float(seconds), edit, work, ours, other, made)

    def run(self) -> None:
        """Every other round in the opposite order: what a run leaves behind is not always the same one's to bear."""
        say(f"\nGOP {self.gop}")
        declined = [cell.ours for cell in self.cells if cell.declined]
        alone = [self.copy, *(each for cell in self.cells for each in cell.alone)]
        groups = [group for group in (*([each] for each in alone), [*declined, *self.encoders]) if group]
        for number in range(1, self.options.runs + 1):
            for group in groups if number % 2 else reversed(groups):
                self.round(number, group if number % 2 else group[::-1])

    def round(self, number: int, group: list[Subject]) -> None:
        names = [f"GOP {self.gop}, round {number}: {subject.name}" for subject in group]
        usages = self.kept.get("; ".join(names), lambda: {
            name: asdict(usage) for name, usage in zip(names, self.measured(number, group), strict=True)})
        for name, subject in zip(names, group, strict=True):
            subject.runs.append(Usage(**usages[name]))

    def measured(self, number: int, group: list[Subject]) -> list[Usage]:
        if len(group) == 1:
            usages = [undisturbed(lambda: run_once(group[0]))]
        else:
            usages = run_in_turns(group)
        for subject, usage in zip(group, usages, strict=True):
            if subject.folder:
                shutil.rmtree(subject.folder, ignore_errors=True)
            say(run_line(number, self.options.runs, subject, usage))
        return usages

    def tell(self, table: Table) -> None:
        for cell in self.cells:
            self.compare(cell, table)
            self.limits(cell, table)
        if self.encoders:
            self.other_list(table)

    def other_list(self, table: Table) -> None:
        """Whether ffmpeg's time depends on the list."""
        count, peer = self.other, self.tools.peers[0]
        other = self.subject(
            f"{peer.name}, {count} ranges", lambda folder: ffmpeg(
                peer, self.recording, ranges(count, self.options.minutes), folder, self.work))
        usage = self.kept.get(f"{self.gop}: {other.name}", lambda: asdict(self.measured(1, [other])[0]))
        base = self.encoders[0].median("wall")
        table.fact(f"GOP {self.gop}, ffmpeg alone", f"wall s, {count} ranges", number(usage["wall"]),
                   f"{self.encoded} ranges", number(base), f"{usage['wall'] / base:.3f}", "", None)

    def compare(self, cell: Cell, table: Table) -> None:
        title, ours = cell.title, cell.ours
        often = cell.gop == 48 and cell.count / (self.options.minutes * 60) <= 1 / 20
        for subject in self.encoders:
            table.times_less(title, "wall", ours, subject, 20 if often else 1 / 1.05)
            table.times_less(title, "cpu", ours, subject, None)
            if cell.declined:
                table.at_most(title, "rss", ours, subject, 1)
        if cell.smartcut:
            table.times_less(title, "wall", ours, cell.smartcut, 3 if often else None)

    def limits(self, cell: Cell, table: Table) -> None:
        title, ours, smart, made = cell.title, cell.ours, cell.smart, cell.made
        if not cell.declined:
            seams = cell.work.seconds(smart)
            limits = [3 * copied.wall + seam for copied, seam in zip(self.copy.runs, seams, strict=True)]
            share = Ratio.among([run.wall / limit for run, limit in zip(ours.runs, limits, strict=True)])
            table.fact(title, "wall s", number(ours.median("wall")), "3 × -c copy + seams",
                       f"3 × {number(self.copy.median('wall'))} + {number(median(seams))}", str(share), "≤ 1",
                       share.median <= 1)
            most = 150 + cell.seconds / 60
            table.fact(title, "peak MB", number(ours.median("rss")), "150 + 1 a minute", number(most),
                       f"{ours.median('rss') / most:.3f}", "≤ 1", ours.median("rss") <= most)
            table.fact(title, "pictures", f"{smart['copied_pictures']} copied, {smart['encoded_pictures']} encoded",
                       "decoded, verified", f"{smart['decoded_pictures']}, {smart['verified_pictures']}", "", "", None)
        predicted = smart.get("predicted_seconds")
        table.fact(title, "seconds predicted", number(predicted) if predicted else "", "taken",
                   number(smart.get("seconds") or made.report["elapsed_seconds"]), smart.get("declined") or "", "",
                   None)
        table.fact(title, "MB read", number(made.read / 1e6), "the file",
                   number(self.recording.stat().st_size / 1e6), "", "", None)
        (pictures, shown), (_, heard) = made.streams["video"], made.streams["audio"]
        good = (pictures == cell.pictures and abs(shown - cell.seconds) < 0.001
                and abs(heard - cell.seconds) < SOUND_PACKET_SECONDS)
        table.fact(title, "pictures; seconds", f"{pictures}; {shown:.3f}", "the source within the ranges",
                   f"{cell.pictures}; {cell.seconds:.3f}", f"sound {heard:.3f}", "equal", good)


PAGE = """# Smart renders, measured

`make bench-smart` writes this page. {minutes} minutes of 1080p30, H.264 and AAC; {kept:.0%} of it kept, in ranges of equal
length; {threads} threads; medians of {runs} rounds. The peers: ffmpeg encodes as many pictures with `-preset veryfast
-crf 20`, chosen by `select`, on as many threads as it likes, in {encoded},
whatever the cell (what other lists cost it is measured, too); smartcut cuts as Reelpool does, up to {cut} ranges;
`ffmpeg -c copy` copies the whole file, which is what a disk and a container cost. A run of up to two minutes is repeated
once where the host took more than a twentieth of the processors' time meanwhile, and the less disturbed one counts. What
encodes everything, Reelpool's render and both ffmpegs, takes turns of five seconds, the others stopped: a machine's speed
changes within minutes by more than they differ. *Seams*: what the pictures that were decoded, encoded and verified would
cost ffmpeg, measured beside each run.

{setting}

{table}
"""


def main() -> int:
    options = arguments()
    try:
        tools = machine.find_tools(options.reelpool, options.python)
        table = Table()
        work = Path(tempfile.mkdtemp(prefix="smart-", dir=cache_folder()))
        try:
            kept = KeptRuns(options, tools, cache_folder())
            setting = kept.get("setting", lambda: dict(machine.describe(tools, REPOSITORY)))
            for gop in options.gops:
                block = Block(options, tools, kept, gop, work)
                block.run()
                block.tell(table)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except (machine.ToolMissing, CommandFailed) as error:
        say(f"error: {error}")
        return 2
    publish(table, options.output, lambda: PAGE.format(
        minutes=options.minutes, kept=KEPT, cut=MOST_FOR_SMARTCUT,
        encoded=" and ".join(f"{count} ranges where GOP is {gop}" for gop, (count, _) in ENCODED_LISTS.items()),
        threads=THREADS, runs=options.runs, setting=machine.as_list(list(setting.items())), table=as_markdown(table)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
