"""Runs commands and measures what they cost: wall time, CPU time, peak memory."""

import os
import select
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

Command = Sequence[str]


@dataclass(frozen=True)
class Usage:
    """The cost of one run."""

    wall: float  # seconds
    cpu: float  # user and system seconds of the process and all it waited for
    rss: float  # peak resident MB of the largest process

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.wall + other.wall, self.cpu + other.cpu, max(self.rss, other.rss))


@dataclass
class Subject:
    """One way of doing a piece of work: commands run one after the other, writing into one folder."""

    name: str
    commands: list[Command]
    folder: Path | None = None  # emptied before every run
    may_fail: bool = False  # a failure exit status is part of the work
    runs: list[Usage] = field(default_factory=list)

    def median(self, quantity: str) -> float:
        return statistics.median(getattr(run, quantity) for run in self.runs)


class CommandFailed(Exception):
    pass


def stolen_seconds() -> float:
    """Processor time that the host took from this machine since it began. Source: proc_stat(5), steal."""
    with open("/proc/stat") as account:
        return int(account.readline().split()[8]) / os.sysconf("SC_CLK_TCK")


def undisturbed(measure: Callable[[], Usage]) -> Usage:
    """A second try where more than a twentieth of the processors' time was taken meanwhile; the better one of both. What
    takes minutes has what comes its way, like what it is compared with."""
    tries: list[tuple[float, Usage]] = []
    while len(tries) < 2:
        before = stolen_seconds()
        usage = measure()
        tries.append(((stolen_seconds() - before) / (usage.wall * (os.cpu_count() or 1)), usage))
        if tries[-1][0] <= 0.05 or usage.wall > 120:
            break
    return min(tries, key=lambda each: each[0])[1]


def run(
    command: Command, may_fail: bool = False, environment: dict[str, str] | None = None,
    output: int | IO[bytes] = subprocess.DEVNULL,
) -> Usage:
    """Runs one command to its end, in this process's environment unless there is another.

    The usage is the kernel's own account (wait4), which covers the children that the command waited for.
    Peak memory cannot read below this interpreter's own, some 20 MB: a child starts as its copy.
    """
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=errors)
        cpu, rss = _reap(process, command, errors, may_fail)
        return Usage(time.perf_counter() - start, cpu, rss)


def _reap(process: subprocess.Popen[bytes], command: Command, errors: IO[bytes], may_fail: bool) -> tuple[float, float]:
    """Waits for a command's end: its CPU seconds and peak MB."""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    died = process.returncode < 0
    if died or process.returncode != 0 and not may_fail:
        errors.seek(0)
        tail = errors.read().decode(errors="replace").strip()[-2000:]
        raise CommandFailed(f"{' '.join(command)}\nexit status {process.returncode}\n{tail}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


class Turn:
    """A command in a process group of its own, which runs only while it has the machine."""

    def __init__(self, command: Command):
        self.command, self.errors, self.wall = command, tempfile.TemporaryFile(), 0.0
        self.process: subprocess.Popen[bytes] | None = None
        self.usage: Usage | None = None

    def take(self, seconds: float) -> None:
        """Lets the command go on for as long, or to its end."""
        start = time.perf_counter()
        if self.process is None:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.errors,
                start_new_session=True)
        else:
            os.killpg(self.process.pid, signal.SIGCONT)
        end = os.pidfd_open(self.process.pid)
        try:
            ended = select.select([end], [], [], seconds)[0]
        finally:
            os.close(end)
        if not ended:
            os.killpg(self.process.pid, signal.SIGSTOP)
        self.wall += time.perf_counter() - start
        if ended:
            self.usage = Usage(self.wall, *_reap(self.process, self.command, self.errors, may_fail=False))

    def close(self) -> None:
        if self.process and self.process.returncode is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.errors.close()


def run_in_turns(subjects: list[Subject], seconds: float = 5) -> list[Usage]:
    """Runs subjects of one command each side by side, each alone on the machine for some seconds while others are stopped.

    A machine's speed changes within minutes, and by more than what is to be told apart: so it changes for all alike. Wall
    time is the sum of a subject's own turns.
    """
    for subject in subjects:
        empty(subject)
    turns = [Turn(*subject.commands) for subject in subjects]
    try:
        while waiting := [turn for turn in turns if turn.usage is None]:
            for turn in waiting:
                turn.take(seconds)
        return [turn.usage for turn in turns if turn.usage]
    finally:
        for turn in turns:
            turn.close()


def own_pages(command: Command) -> float:
    """The most that a program's own executable file has resident while it runs, in MB. Source: proc(5), smaps."""
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    executable, most = os.path.realpath(command[0]), 0
    while process.poll() is None:
        own, total = False, 0
        try:
            for line in Path(f"/proc/{process.pid}/smaps").read_text().splitlines():
                if not line[0].isupper():
                    own = line.endswith(executable)
                elif own and line.startswith("Rss:"):
                    total += int(line.split()[1])
        except OSError:
            break
        most = max(most, total)
        time.sleep(0.2)
    process.wait()
    return most / 1024


def empty(subject: Subject) -> None:
    if subject.folder:
        shutil.rmtree(subject.folder, ignore_errors=True)
        subject.folder.mkdir(parents=True)


def run_once(subject: Subject) -> Usage:
    empty(subject)
    total = Usage(0, 0, 0)
    for command in subject.commands:
        total += run(command, subject.may_fail)
    return total


def interleave(title: str, subjects: list[Subject], rounds: int, say: Callable[[str], None]) -> None:
    """Measures in the order A B C, A B C, ... so that a busy moment of the machine hits all alike."""
    say(f"\n{title}")
    for number in range(1, rounds + 1):
        for subject in subjects:
            usage = run_once(subject)
            subject.runs.append(usage)
            say(run_line(number, rounds, subject, usage))


def run_line(number: int, rounds: int, subject: Subject, usage: Usage) -> str:
    return (f"  {number}/{rounds} {subject.name:<34} {usage.wall:8.2f} s wall {usage.cpu:8.2f} s CPU"
            f" {usage.rss:7.0f} MB")


@dataclass(frozen=True)
class Ratio:
    """How one subject compares with another: the median over rounds of the ratio within a round, and its range."""

    median: float
    low: float
    high: float

    @staticmethod
    def of(ours: Subject, theirs: Subject, quantity: str, inverse: bool = False) -> "Ratio":
        pairs = [(getattr(a, quantity), getattr(b, quantity)) for a, b in zip(ours.runs, theirs.runs, strict=True)]
        return Ratio.among([b / a if inverse else a / b for a, b in pairs])

    @staticmethod
    def among(values: list[float]) -> "Ratio":
        return Ratio(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{self.median:.3f} ({self.low:.3f}–{self.high:.3f})"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
