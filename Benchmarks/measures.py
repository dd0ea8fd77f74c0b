"""What is measured, one function a question, each adding its rows to the table."""

from dataclasses import dataclass
from pathlib import Path

import commands
from inputs import FRAMES_PER_SECOND, Inputs
from machine import Peer, Tools
from measuring import Ratio, Subject, interleave, own_pages, say
from quality import Judge, Output
from table import Table, number

MEDIA_SUFFIXES = {
    ".mp4", ".m4a", ".mov", ".mkv", ".webm", ".avi", ".flv", ".ts", ".mp3", ".flac", ".ogg", ".wav", ".jpg", ".png",
    ".heic",
}


@dataclass(frozen=True)
class Bench:
    """What every measurement needs."""

    tools: Tools
    inputs: Inputs
    work: Path  # for outputs
    rounds: int
    threads: list[int]
    table: Table

    @property
    def most_threads(self) -> int:
        return max(self.threads)

    def folder(self, name: str) -> Path:
        return self.work / name.replace(" ", "-").replace(",", "")

    def measure(self, title: str, subjects: list[Subject]) -> None:
        interleave(title, subjects, self.rounds, say)


def proxy_picture_only(bench: Bench) -> None:
    """The proxy of a source without sound. Reelpool also makes sprite.jpg and poster.jpg of it, uncredited."""
    source = bench.inputs.picture_only
    judge = Judge(bench.tools)
    for threads in bench.threads:
        work = f"proxy, picture only, {_threads(threads)}"
        ours = _subject(bench, "reelpool", work)
        ours.commands = [commands.reelpool_proxy(bench.tools, threads, source, ours.folder)]
        theirs = []
        for peer in bench.tools.peers:
            subject = _subject(bench, peer.name, work)
            subject.commands = [commands.ffmpeg_proxy(peer, threads, source, subject.folder, sound=False)]
            theirs.append(subject)
        bench.measure(work, [ours, *theirs])
        runtime = own_pages(ours.commands[0])
        linked = theirs[0]
        for subject in theirs:
            bench.table.at_most(work, "cpu", ours, subject, 1.03, Ratio.of(linked, subject, "cpu").median)
            bench.table.at_most(work, "wall", ours, subject, None)
            floor = (linked.median("rss") + runtime) / subject.median("rss")
            bench.table.at_most(work, "rss", ours, subject, 1, floor)
        _compare_outputs(bench, judge, work, ours, theirs, source)


def _compare_outputs(
    bench: Bench, judge: Judge, work: str, ours: Subject, theirs: list[Subject], source: Path
) -> None:
    """The speeds are comparable only if the outputs are: as many frames, as large, as good."""
    def look(subject: Subject) -> Output:
        return judge.judge(subject.folder / "proxy.mp4", source, 1920, 1080)

    mine = look(ours)
    for subject in theirs:
        other = look(subject)
        add = bench.table.fact
        add(work, "frames", f"{mine.frames}", subject.name, f"{other.frames}", "", "equal", mine.frames == other.frames)
        size = mine.size / other.size
        add(work, "kB", number(mine.size / 1000), subject.name, number(other.size / 1000), f"{size:.3f}", "± 2 %",
            abs(size - 1) <= 0.02)
        gap = mine.likeness - other.likeness
        add(work, judge.name, f"{mine.likeness:.2f}", subject.name, f"{other.likeness:.2f}", f"{gap:+.3f}",
            f"≥ -{judge.tolerance:g}", gap >= -judge.tolerance)


def proxy_set(bench: Bench) -> None:
    """All five outputs: from five commands, and from one command with five outputs."""
    source, seconds, threads = bench.inputs.recording, bench.inputs.seconds, bench.most_threads
    work = f"proxy set, {_threads(threads)}"
    ours = _subject(bench, "reelpool", work)
    ours.commands = [commands.reelpool_proxy(bench.tools, threads, source, ours.folder)]
    separate, together = [], []
    for peer in bench.tools.peers:
        five = _subject(bench, f"{peer.name}, five commands", work)
        five.commands = commands.ffmpeg_set_separately(peer, threads, source, five.folder, seconds)
        separate.append(five)
        one = _subject(bench, f"{peer.name}, one command", work)
        one.commands = [commands.ffmpeg_set_at_once(peer, threads, source, one.folder, seconds)]
        together.append(one)
    bench.measure(work, [ours, *separate, *together])
    for subject in separate:
        bench.table.times_less(work, "cpu", ours, subject, 1.25)
    for subject in together:
        bench.table.at_most(work, "cpu", ours, subject, 1.03)
        bench.table.at_most(work, "wall", ours, subject, None)
        bench.table.at_most(work, "rss", ours, subject, 1)


def probing(bench: Bench, folders: list[Path]) -> None:
    """Many files by one process, against a process for each."""
    folder = next((folder for folder in folders if folder.is_dir()), None)
    if not folder:
        return bench.table.skip("probing: no folder with media was found")
    if folder != folders[0]:
        bench.table.skip(f"probing {folders[0].name}: not there; {folder.parent.name}/{folder.name} was probed instead")
    if not bench.tools.ffprobe:
        return bench.table.skip("probing: ffprobe is not installed")
    files = sorted(file for file in folder.iterdir() if file.suffix in MEDIA_SUFFIXES)
    work = f"probe of {len(files)} files"
    # Broken files belong to the folder; both programs tell so and exit with a failure.
    ours = Subject("reelpool, one process", [commands.reelpool_probe(bench.tools, files)], may_fail=True)
    theirs = Subject(
        f"ffprobe {bench.tools.ffmpeg.name.split()[1]}, one per file",
        [commands.ffprobe(bench.tools.ffprobe, file) for file in files], may_fail=True)
    bench.measure(work, [ours, theirs])
    bench.table.times_less(work, "wall", ours, theirs, 15)
    bench.table.times_less(work, "cpu", ours, theirs, None)


def render(bench: Bench) -> None:
    """Five ranges of a 1080p recording, encoded again at the same size."""
    source, threads = bench.inputs.recording, bench.most_threads
    ranges = commands.spread(5, bench.inputs.seconds * FRAMES_PER_SECOND * 3 // 4, bench.inputs.seconds * FRAMES_PER_SECOND)
    work = f"render of 5 ranges, {_threads(threads)}"
    ours = _subject(bench, "reelpool", work)
    edit = commands.write_edit(bench.work / "five.json", source, ranges, 128)
    ours.commands = [commands.reelpool_render(bench.tools, threads, edit, ours.folder)]
    theirs, free = [], []
    for peer in bench.tools.peers:
        for found, name, number_of_threads in ((theirs, peer.name, threads), (free, f"{peer.name}, its own threads", None)):
            subject = _subject(bench, name, work)
            subject.commands = [commands.ffmpeg_render(peer, number_of_threads, source, ranges, subject.folder, 128)]
            found.append(subject)
    bench.measure(work, [ours, *theirs, *free])
    judge = Judge(bench.tools)
    runtime = own_pages(ours.commands[0])
    linked = theirs[0]
    for subject, fastest in zip(theirs, free):
        bench.table.at_most(work, "cpu", ours, subject, 1.03, Ratio.of(linked, subject, "cpu").median)
        bench.table.at_most(work, "wall", ours, subject, None)
        bench.table.at_most(work, "rss", ours, subject, 1, (linked.median("rss") + runtime) / subject.median("rss"))
        bench.table.at_most(work, "wall", ours, fastest, 1.05)
        bench.table.at_most(work, "rss", ours, fastest, 1)
        frames = [judge.frames(each.folder / "out.mp4") for each in (ours, subject)]
        sizes = [(each.folder / "out.mp4").stat().st_size / 1000 for each in (ours, subject)]
        bench.table.fact(work, "frames", f"{frames[0]}", subject.name, f"{frames[1]}", "", "equal", frames[0] == frames[1])
        bench.table.fact(work, "kB", number(sizes[0]), subject.name, number(sizes[1]), f"{sizes[0] / sizes[1]:.3f}",
                         "± 2 %", abs(sizes[0] / sizes[1] - 1) <= 0.02)


def many_ranges(bench: Bench) -> None:
    """The same span and the same number of frames, cut into few ranges and into many."""
    total = bench.inputs.long_seconds * FRAMES_PER_SECOND
    many = 500 if bench.inputs.long_seconds >= 600 else 50
    kept = total * 17 // 18 // many * many
    work = f"render of {kept} frames, {many} ranges"
    subjects = []
    for count in (many, 5):
        subject = _subject(bench, "reelpool" if count == many else f"reelpool, {count} ranges", work)
        edit = commands.write_edit(
            bench.work / f"{count}-ranges.json", bench.inputs.long, commands.spread(count, kept, total), 64)
        subject.commands = [commands.reelpool_render(bench.tools, bench.most_threads, edit, subject.folder)]
        subjects.append(subject)
    bench.measure(work, subjects)
    bench.table.at_most(work, "cpu", *subjects, 1.1)
    bench.table.at_most(work, "wall", *subjects, 1.1)
    bench.table.at_most(work, "rss", *subjects, None)


def memory_growth(bench: Bench) -> None:
    """Peak memory of a long render less that of a short one, for each minute of output between them."""
    total = bench.inputs.long_seconds * FRAMES_PER_SECOND
    pairs = [total // 10, total * 9 // 10]
    minutes = (pairs[1] - pairs[0]) / FRAMES_PER_SECOND / 60
    work = f"memory growth, {pairs[0] / FRAMES_PER_SECOND / 60:g} to {pairs[1] / FRAMES_PER_SECOND / 60:g} min"
    ours, theirs = [], []
    for frames in pairs:
        ranges = [commands.Range(0, frames)]
        edit = commands.write_edit(bench.work / f"{frames}-frames.json", bench.inputs.long, ranges, 64)
        subject = _subject(bench, f"reelpool, {frames} frames", work)
        subject.commands = [commands.reelpool_render(bench.tools, bench.most_threads, edit, subject.folder)]
        ours.append(subject)
        peer = bench.tools.ffmpeg
        subject = _subject(bench, f"{peer.name}, {frames} frames", work)
        subject.commands = [commands.ffmpeg_render(
            peer, bench.most_threads, bench.inputs.long, ranges, subject.folder, 64)]
        theirs.append(subject)
    bench.measure(work, [*ours, *theirs])
    growth = [(long.median("rss") - short.median("rss")) / minutes for short, long in (ours, theirs)]
    bench.table.fact(
        work, "MB per output minute", f"{growth[0]:.2f}", bench.tools.ffmpeg.name, f"{growth[1]:.2f}", "", "≤ 1",
        growth[0] <= 1)


def _subject(bench: Bench, name: str, work: str) -> Subject:
    return Subject(name, [], bench.folder(f"{work} {name}"))


def _threads(count: int) -> str:
    return f"{count} thread{'s' if count > 1 else ''}"
