#!/usr/bin/env python3
"""Measures transfers: one object down and up beside rclone and boto3, and a render from store to store.

    transfers.py --programs .build/release --python PYTHON --output docs/benchmarks-transfers.md

Runs under `scripts/servers.sh run`. What is sent and what comes lie in memory (/dev/shm), so that no disk of ours is in
the way; the stores write to theirs.
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import replace
from pathlib import Path

import measuring
from daemon import Daemon, environment
from inputs import cache_folder, prepare
from machine import find_tools
from measuring import Subject, Usage, say
from table import Table, as_markdown, publish

REPOSITORY = Path(__file__).resolve().parent.parent
BUCKET = "transfers"
STORES = {"SeaweedFS": "REELPOOL_TEST_S3_SEAWEEDFS", "JuiceFS gateway": "REELPOOL_TEST_S3_JUICEFS"}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=Path, default=REPOSITORY / ".build/release")
    parser.add_argument("--python", required=True, help="one that has boto3")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--seconds", type=int, default=120, help="of the recording that is rendered")
    return parser.parse_args()


def variables(url: str) -> dict[str, str]:
    """What every client here takes its store and its key from."""
    return environment() | {
        "AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": os.environ["REELPOOL_TEST_S3_KEY"],
        "AWS_SECRET_ACCESS_KEY": os.environ["REELPOOL_TEST_S3_SECRET"], "AWS_DEFAULT_REGION": "us-east-1",
        "RCLONE_CONFIG_STORE_TYPE": "s3", "RCLONE_CONFIG_STORE_PROVIDER": "Other",
        "RCLONE_CONFIG_STORE_ENV_AUTH": "true", "RCLONE_CONFIG_STORE_ENDPOINT": url,
        "RCLONE_CONFIG_STORE_NO_CHECK_BUCKET": "true", "RCLONE_CONFIG": "/dev/null",
    }


def run(command: list, environment: dict[str, str]) -> Usage:
    """What one command cost; its wall time is that of the transfer, where the command tells it."""
    with tempfile.TemporaryFile() as output:
        usage = measuring.run([str(word) for word in command], environment=environment, output=output)
        output.seek(0)
        told = output.read()
    return replace(usage, wall=json.loads(told)["seconds"]) if told.startswith(b"{") else usage


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def rclone_place(uri: str) -> str:
    return "store:" + uri.removeprefix("s3://")


def move(options: argparse.Namespace, who: str, direction: str, uri: str, file: Path, env: dict[str, str]) -> Usage:
    match who:
        case "Reelpool":
            return run([options.programs / "transfer-bench", direction, uri, file], env)
        case "boto3":
            script = REPOSITORY / "Benchmarks/workers/boto3_transfer.py"
            return run([options.python, script, direction, uri, file], env)
        case _:
            ends = [file, rclone_place(uri)] if direction == "up" else [rclone_place(uri), file]
            return run(["rclone", "copyto", "--no-traverse", *ends], env)


def transfers(options: argparse.Namespace, table: Table, memory: Path) -> None:
    sent = memory / "sent"
    with sent.open("wb") as file:
        for _ in range(options.megabytes):
            file.write(os.urandom(1 << 20))
    expected = digest(sent)
    for store, variable in STORES.items():
        env = variables(os.environ[variable])
        # A name for each: the same one is done with what is there already.
        uris = {who: f"s3://{BUCKET}/{uuid.uuid4().hex}/object" for who in ("Reelpool", "rclone", "boto3")}
        for direction in ("up", "down"):
            subjects = {who: Subject(who, []) for who in uris}
            say(f"\n{options.megabytes} MiB {direction}, {store}")
            for number in range(options.rounds):
                for who, subject in subjects.items():
                    come = memory / "come"
                    come.unlink(missing_ok=True)
                    if direction == "up":
                        run(["rclone", "deletefile", rclone_place(uris[who])], env) if number else None
                    usage = move(options, who, direction, uris[who], sent if direction == "up" else come, env)
                    subject.runs.append(usage)
                    say(f"  {number + 1}/{options.rounds} {who:<10} {usage.wall:6.2f} s {usage.cpu:6.2f} s CPU"
                        f" {usage.rss:6.0f} MB")
                    if direction == "down" and digest(come) != expected:
                        raise SystemExit(f"{who} brought other bytes")
            ours = subjects["Reelpool"]
            for peer in ("rclone", "boto3"):
                work = f"{options.megabytes} MiB {direction}, {store}"
                # Within 5 %, because the store is what takes the time.
                table.at_most(work, "wall", ours, subjects[peer], 1.05)
                table.at_most(work, "cpu", ours, subjects[peer], 1)
                table.at_most(work, "rss", ours, subjects[peer], None)
            peak = max(usage.rss for usage in ours.runs)
            table.fact(work, "peak MB", f"{peak:.0f}", "", "", "", "≤ 128", peak <= 128)
        for uri in uris.values():
            run(["rclone", "deletefile", rclone_place(uri)], env)


def start_daemon(options: argparse.Namespace, memory: Path, scratch: Path, url: str) -> Daemon:
    return Daemon(options.programs, memory, {
        "REELPOOL_SLOTS": "1", "REELPOOL_ALLOW_LOCAL": "", "REELPOOL_S3_ENDPOINT": url, "TMPDIR": str(scratch),
        "REELPOOL_S3_ACCESS_KEY": os.environ["REELPOOL_TEST_S3_KEY"],
        "REELPOOL_S3_SECRET_KEY": os.environ["REELPOOL_TEST_S3_SECRET"], "REELPOOL_S3_READ_ALLOW": BUCKET,
        "REELPOOL_S3_WRITE_ALLOW": BUCKET,
    })


def edit(seconds: int, uri: str) -> dict:
    """Three quarters of the recording in five ranges."""
    step = seconds * 1000 // 5
    timeline = [{"source": "a", "start_ms": i * step, "end_ms": i * step + step * 3 // 4} for i in range(5)]
    return {"sources": [{"id": "a", "uri": uri}], "timeline": timeline}


def ours(options: argparse.Namespace, url: str, source: str, output: str) -> tuple[Usage, int]:
    # The record of the job is in memory, so that what reaches the disk is media.
    with tempfile.TemporaryDirectory(dir=cache_folder()) as scratch, tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        daemon = start_daemon(options, Path(memory), Path(scratch), url)
        started = time.perf_counter()
        job = daemon.submit("render", {"edit": edit(options.seconds, source), "output": output, "mode": "full"})
        state = daemon.wait(job)
        wall = time.perf_counter() - started
        written = daemon.written()
        usage = daemon.stop()
        if state["state"] != "succeeded":
            raise SystemExit(f"{state}\n{daemon.log.read_text()[-2000:]}")
    return Usage(wall, usage.cpu, usage.rss), written


def theirs(options: argparse.Namespace, env: dict, source: str, output: str) -> tuple[Usage, int]:
    """Down, ffmpeg, up: each as quick as it can be done with files."""
    with tempfile.TemporaryDirectory(dir=cache_folder()) as name:
        here, made = Path(name) / "source.mp4", Path(name) / "made.mp4"
        parts = [(span["start_ms"] / 1000, span["end_ms"] / 1000) for span in edit(options.seconds, "")["timeline"]]
        graph = "".join(
            f"[0:v]trim={a}:{b},setpts=PTS-STARTPTS[v{i}];[0:a]atrim={a}:{b},asetpts=PTS-STARTPTS[a{i}];"
            for i, (a, b) in enumerate(parts))
        graph += "".join(f"[v{i}][a{i}]" for i in range(5)) + "concat=n=5:v=1:a=1[v][a]"
        usage = run(["rclone", "copyto", rclone_place(source), here], env)
        usage += run(
            ["ffmpeg", "-y", "-v", "error", "-nostdin", "-i", here, "-filter_complex", graph, "-map", "[v]", "-map", "[a]",
             "-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-c:a", "aac", "-b:a", "192k", "-movflags",
             "+faststart", made], env)
        usage += run(["rclone", "copyto", made, rclone_place(output)], env)
        return usage, here.stat().st_size + made.stat().st_size


def renders(options: argparse.Namespace, table: Table) -> None:
    tools = find_tools(str(options.programs / "reelpool"), None)
    recording = prepare(tools, cache_folder(), options.seconds, 60, say).recording
    url = os.environ[STORES["SeaweedFS"]]
    env = variables(url)
    source = f"s3://{BUCKET}/renders/source.mp4"
    run(["rclone", "copyto", recording, rclone_place(source)], env)
    reelpool, files = Subject("Reelpool", []), Subject("rclone, ffmpeg, rclone", [])
    written: dict[str, list[int]] = {"ours": [], "theirs": []}
    say("\nrender from store to store")
    for number in range(options.rounds):
        for name, subject, measure in (
            ("ours", reelpool, lambda: ours(options, url, source, f"s3://{BUCKET}/renders/ours-{number}.mp4")),
            ("theirs", files, lambda: theirs(options, env, source, f"s3://{BUCKET}/renders/theirs-{number}.mp4")),
        ):
            usage, count = measure()
            subject.runs.append(usage)
            written[name].append(count)
            say(f"  {number + 1}/{options.rounds} {subject.name:<24} {usage.wall:6.2f} s {usage.cpu:6.2f} s CPU"
                f" {count / 1e6:6.1f} MB written")
    work = f"render {options.seconds} s of 1080p, store to store"
    table.at_most(work, "wall", reelpool, files, None)
    table.at_most(work, "cpu", reelpool, files, 1.03)
    here, there = (statistics.median(written[name]) / 1e6 for name in ("ours", "theirs"))
    table.fact(work, "MB on a disk", f"{here:.2f}", files.name, f"{there:.1f}", "", "≤ 0.1", here <= 0.1)


PREFACE = """# Benchmarks of transfers

Written by `make bench-transfers`. One object of {megabytes} MiB goes up and down between memory (`/dev/shm`) and a store
on the same machine: {cores} cores for both, so that the store takes most of the time; rounds are interleaved, and ratios
are medians over {rounds} of them. rclone {rclone} and boto3 {boto3} run as they come. Time is that of the transfer, without
Python's start; CPU and memory are the whole command's. Reelpool moves its bytes as a worker does: a source as
proxies and analyses read it, to its end; an output's parts, its first one last, with the upload on record in a
ledger. Everybody checks what they move, and the bench compares what came with what was sent.

A render from store to store is measured from its dispatch to its result, with the daemon's and the codec's CPU together.
Both use the threads that they use by default. Reelpool's record of the job is in memory, so that what reaches a disk is
media.
"""


def page(options: argparse.Namespace, table: Table) -> str:
    rclone = subprocess.run(["rclone", "version"], capture_output=True, text=True).stdout.split()[1]
    boto3 = subprocess.run(
        [options.python, "-c", "import boto3; print(boto3.__version__)"], capture_output=True, text=True).stdout
    preface = PREFACE.format(
        megabytes=options.megabytes, cores=os.cpu_count(), rounds=options.rounds, rclone=rclone, boto3=boto3.strip())
    return f"{preface}\n{as_markdown(table)}\n"


def main() -> int:
    options = arguments()
    table = Table()
    for variable in STORES.values():
        env = variables(os.environ[variable]) | {"RCLONE_CONFIG_STORE_NO_CHECK_BUCKET": "false"}
        run(["rclone", "mkdir", f"store:{BUCKET}"], env)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        transfers(options, table, Path(memory))
    renders(options, table)
    publish(table, options.output, lambda: page(options, table))
    return 0


if __name__ == "__main__":
    sys.exit(main())
