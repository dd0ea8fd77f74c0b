#!/usr/bin/env python3
"""Measures Reelpool beside the ffmpeg command line, and writes what it found.

    bench.py --reelpool .build/release/reelpool --output docs/benchmarks.md

Inputs are made once with ffmpeg into ~/.cache/reelpool/bench ($REELPOOL_CACHE moves it). Everything that is compared
runs in turn, round after round, and is judged by the median over rounds of the ratio within a round. CPU seconds are
the kernel's own account of the whole process tree.

The exit status is 0 whether or not bars are met, unless --strict.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import inputs
import machine
import measures
import report
from measuring import CommandFailed, say
from table import Table, publish

REPOSITORY = Path(__file__).resolve().parent.parent
MEASURES = {
    "proxy": measures.proxy_picture_only,
    "set": measures.proxy_set,
    "probe": None,  # takes folders, see below
    "render": measures.render,
    "ranges": measures.many_ranges,
    "growth": measures.memory_growth,
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--reelpool", default=str(REPOSITORY / ".build/release/reelpool"), help="a release build")
    parser.add_argument("--output", type=Path, help="the Markdown file to write; only printed when absent")
    parser.add_argument("--imageio-python", metavar="PATH", help="a Python that has imageio-ffmpeg installed")
    parser.add_argument("--media", type=Path, default=REPOSITORY.parent / "shared/media", help="files to probe")
    parser.add_argument("--runs", type=int, default=5, help="rounds of every measurement")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="thread counts of the proxy comparison")
    parser.add_argument("--seconds", type=int, default=20, help="length of the 1080p recording")
    parser.add_argument("--only", nargs="+", choices=MEASURES, metavar="MEASURE", help=f"some of: {', '.join(MEASURES)}")
    parser.add_argument("--quick", action="store_true", help="short inputs and one round: shows that the bench works")
    parser.add_argument("--strict", action="store_true", help="exit with status 1 when a bar is not met")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    rounds, seconds, long_seconds = (1, 4, 60) if options.quick else (options.runs, options.seconds, 600)
    try:
        tools = machine.find_tools(options.reelpool, options.imageio_python)
        show(tools)
        setting = machine.describe(tools, REPOSITORY)
        table = measure(options, tools, rounds, seconds, long_seconds)
    except (machine.ToolMissing, CommandFailed) as error:
        say(f"error: {error}")
        return 2
    publish(table, options.output, lambda: report.page(table, setting, rounds, seconds, options.quick))
    return 1 if options.strict and table.failures else 0


def show(tools: machine.Tools) -> None:
    for peer in tools.peers:
        say(f"found {peer.name}: {peer.path} ({peer.version})")
    if not tools.static:
        say("not found: the static ffmpeg of imageio-ffmpeg (--imageio-python); its rows are left out")
    say(f"found ffprobe: {tools.ffprobe}" if tools.ffprobe else "not found: ffprobe; its rows are left out")


def measure(
    options: argparse.Namespace, tools: machine.Tools, rounds: int, seconds: int, long_seconds: int
) -> Table:
    cache = inputs.cache_folder()
    made = inputs.prepare(tools, cache, seconds, long_seconds, say)
    table = Table()
    if not tools.static:
        table.skip("everything against the static ffmpeg: imageio-ffmpeg is not installed")
    work = Path(tempfile.mkdtemp(prefix="run-", dir=cache))
    try:
        bench = measures.Bench(tools, made, work, rounds, options.threads, table)
        for name in options.only or MEASURES:
            if name == "probe":
                measures.probing(bench, [options.media, REPOSITORY / "Fixtures/media"])
            else:
                MEASURES[name](bench)
    except KeyboardInterrupt:
        table.skip(f"{name} and what follows: interrupted")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return table


if __name__ == "__main__":
    sys.exit(main())
