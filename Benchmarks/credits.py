#!/usr/bin/env python3
"""Measures what holding and settling credit costs, and whether it stays the same with a million entries in the books.

    credits.py --programs .build/release --entries 1000000 --output docs/benchmarks-credits.md

Runs under `scripts/servers.sh run`, with a Postgres that reaches the disk.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from measuring import say

REPOSITORY = Path(__file__).resolve().parent.parent
# Of what the middle dispatch and the middle settlement take with many entries, beside few.
FLAT = 1.5


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=Path, default=REPOSITORY / ".build/release")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--rounds", type=int, default=3, help="of dispatches; the large books are filled once")
    parser.add_argument("--dispatches", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--few", type=int, default=1000)
    parser.add_argument("--entries", type=int, default=1_000_000)
    return parser.parse_args()


def measure(options: argparse.Namespace, entries: int) -> dict[str, dict]:
    command = [
        options.programs / "credit-bench", "--dispatches", str(options.dispatches), "--workers", str(options.workers),
        "--small", str(options.few), "--large", str(entries)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(done.returncode)
    return {found["name"]: found for found in json.loads(done.stdout)["measurements"]}


def page(options: argparse.Namespace, rounds: list[dict[str, dict]]) -> tuple[str, list[str]]:
    def median(name: str, quantity: str) -> float:
        return statistics.median(found[name][quantity] for found in rounds)

    lines = [
        "# Benchmarks of credits", "",
        f"Written by `make bench-credits` on {os.cpu_count()} cores, with one Postgres that reaches the disk (fsync on). "
        f"{options.workers} connections, each bringing in one job in a transaction of its own, then claiming and ending one "
        f"at a time; {options.dispatches} jobs for each line, medians of {options.rounds} rounds.", "",
        "| | dispatches/s | dispatch p50 ms | p99 ms | settlement p50 ms | p99 ms |", "|---|---:|---:|---:|---:|---:|",
    ]
    for name in ("no hold", "hold", "hold, one owner"):
        rate, *times = (median(name, quantity) for quantity in (
            "dispatches_per_second", "dispatch_p50_ms", "dispatch_p99_ms", "settlement_p50_ms", "settlement_p99_ms"))
        lines.append(f"| {name} | {rate:.0f} | " + " | ".join(f"{value:.2f}" for value in times) + " |")
    lines += [
        "", "A settlement is the transaction that ends a job; without a hold there is nothing to settle in it. A hand of "
        "connections for one owner is the worst there is: they wait for his account in turn.", "",
        "## With many entries in the books", "",
        f"Medians of three measurements at each size, {min(options.dispatches, options.few // 2)} jobs each.", "",
        "| | few | many | ratio | bar | verdict |", "|---|---:|---:|---:|---|---|",
    ]
    few, many, missed = rounds[0]["few entries"], rounds[0]["many entries"], []
    lines.append(f"| entries | {few['entries']} | {many['entries']} | | | |")
    for title, quantity, bar in (
        ("dispatch with a hold, p50 ms", "dispatch_p50_ms", FLAT), ("p99 ms", "dispatch_p99_ms", None),
        ("settlement, p50 ms", "settlement_p50_ms", FLAT), ("p99 ms", "settlement_p99_ms", None),
    ):
        ratio = many[quantity] / few[quantity]
        verdict = "" if bar is None else "PASS" if ratio <= bar else "FAIL"
        if verdict == "FAIL":
            missed.append(title)
        lines.append(
            f"| {title} | {few[quantity]:.2f} | {many[quantity]:.2f} | {ratio:.2f} | {f'≤ {bar}' if bar else ''} | {verdict} |")
    return "\n".join(lines) + "\n", missed


def main() -> int:
    options = arguments()
    rounds = [measure(options, options.entries)]
    # The books grow once; the rest is short.
    rounds += [measure(options, options.few + 1) for _ in range(options.rounds - 1)]
    text, missed = page(options, rounds)
    print(text)
    if options.output:
        options.output.write_text(text)
    say(f"{len(missed)} bars missed" + (": " + ", ".join(missed) if missed else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
