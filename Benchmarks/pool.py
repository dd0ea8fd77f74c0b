#!/usr/bin/env python3
"""Measures the pool: no-op tasks beside TaskIQ's and Celery's workers, the store, and what a process for a job costs.

    pool.py --programs .build/release --clients PYTHON --output docs/benchmarks-pool.md

Runs under `scripts/servers.sh run`, with databases that reach the disk. All workers take the same messages from the same
program, off durable quorum queues, acknowledge when the work is done or the job is stored, and write their results into
the same Redis.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

from daemon import Daemon, environment
from measuring import say

REPOSITORY = Path(__file__).resolve().parent.parent
WORKERS = REPOSITORY / "Benchmarks/workers"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=Path, default=REPOSITORY / ".build/release")
    parser.add_argument("--clients", required=True, help="a Python that has taskiq and celery")
    parser.add_argument("--media", type=Path, default=REPOSITORY / "Fixtures/media/pal25.mp4")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--count", type=int, default=5000, help="tasks that are sent as fast as they are confirmed")
    parser.add_argument("--queued", type=int, default=100_000, help="jobs in the queue while claims are timed")
    return parser.parse_args()


class Worker:
    """Whatever takes tasks from a queue, started for one measurement."""

    def __init__(self, name: str, form: str, command: list[str], variables: dict[str, str]):
        self.name, self.form, self.command, self.variables = name, form, command, variables

    def measure(self, options: argparse.Namespace, queue: str, redis: str) -> dict[str, float]:
        log = tempfile.TemporaryFile()
        process = subprocess.Popen(
            self.command, env=environment() | self.variables | {"PYTHONPATH": str(WORKERS)}, stdout=log, stderr=log,
            start_new_session=True)
        try:
            wait_for_consumer(queue)
            bench = [
                options.programs / "queue-bench", "--amqp", os.environ["REELPOOL_TEST_RABBITMQ"], "--redis", redis,
                "--queue", queue, "--form", self.form, "--count", str(options.count)]
            done = subprocess.run(bench, capture_output=True, text=True)
            if done.returncode:
                log.seek(0)
                raise SystemExit(f"{self.name}: {done.stderr}\n{log.read().decode()[-3000:]}")
            return json.loads(done.stdout)
        finally:
            os.killpg(process.pid, 15)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.wait()


def rabbitmqctl(*words: str) -> str:
    return subprocess.run(
        [os.environ["REELPOOL_TEST_RABBITMQ_COMMAND"], "rabbitmqctl", "-q", *words], check=True, capture_output=True,
        text=True).stdout


def wait_for_consumer(queue: str) -> None:
    for _ in range(300):
        for line in rabbitmqctl("--no-table-headers", "list_queues", "name", "consumers").splitlines():
            words = line.split()
            if words[0] == queue and int(words[1]) > 0:
                return
        time.sleep(0.1)
    raise SystemExit(f"nobody consumes {queue}")


def reelpool(options: argparse.Namespace, queue: str, redis: str, form: str, database: str) -> Worker:
    variables = {
        "REELPOOL_DATABASE": database, "REELPOOL_BROKER": os.environ["REELPOOL_TEST_RABBITMQ"],
        "REELPOOL_REDIS": redis, "REELPOOL_QUEUES_NATIVE": "", f"REELPOOL_QUEUES_{form.upper()}": queue,
        "REELPOOL_QUEUE_QUARANTINE": f"{queue}.quarantine", "REELPOOL_KINDS": "noop", "REELPOOL_HTTP_PORT": "0",
        "REELPOOL_RESULT_FORM": "json", "REELPOOL_NAME": queue, "REELPOOL_LOG_LEVEL": "warning",
        "REELPOOL_OWNER_RUNNING": "10000", "REELPOOL_OWNER_QUEUED": "1000000",
    }
    kind = "Postgres" if database.startswith("postgres") else "SQLite"
    return Worker(f"Reelpool, {form}, {kind}", form, [str(options.programs / "reelpoold"), "worker"], variables)


def python_worker(options: argparse.Namespace, queue: str, redis: str, form: str) -> Worker:
    variables = {
        "BENCH_AMQP": os.environ["REELPOOL_TEST_RABBITMQ"], "BENCH_REDIS": redis, "BENCH_QUEUE": queue}
    folder = Path(options.clients).parent
    if form == "taskiq":
        command = [str(folder / "taskiq"), "worker", "taskiq_worker:broker", "--workers", "2", "--ack-type",
                   "when_executed", "--max-async-tasks", "200", "--log-level", "WARNING"]
        return Worker("TaskIQ worker", form, command, variables)
    command = [str(folder / "celery"), "-A", "celery_worker", "worker", "--concurrency", "2", "--without-gossip",
               "--without-mingle", "--loglevel", "WARNING"]
    return Worker("Celery worker", form, command, variables)


def schema() -> str:
    name = f"bench_{uuid.uuid4().hex[:8]}"
    postgres = os.environ["REELPOOL_TEST_POSTGRES"]
    subprocess.run(["psql", postgres, "-qc", f"CREATE SCHEMA {name}"], check=True)
    return f"{postgres}?options=-csearch_path%3D{name}"


def tasks(options: argparse.Namespace) -> dict[str, list[dict[str, float]]]:
    found: dict[str, list[dict[str, float]]] = {}
    folder = Path(tempfile.mkdtemp(prefix="reelpool-bench-"))
    try:
        for number in range(options.rounds):
            for form in ("taskiq", "celery"):
                for make in (
                    lambda queue, redis: reelpool(options, queue, redis, form, schema()),
                    lambda queue, redis: reelpool(
                        options, queue, redis, form, f"sqlite:{folder}/{uuid.uuid4().hex}.db"),
                    lambda queue, redis: python_worker(options, queue, redis, form),
                ):
                    queue = f"bench.{uuid.uuid4().hex[:8]}"
                    redis = os.environ["REELPOOL_TEST_REDIS"]
                    worker = make(queue, redis)
                    result = worker.measure(options, queue, redis)
                    say(f"round {number + 1}: {worker.name}: {result}")
                    found.setdefault(worker.name, []).append(result)
                    rabbitmqctl("delete_queue", queue)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return found


def start_daemon(options: argparse.Namespace, folder: Path) -> Daemon:
    return Daemon(options.programs, folder, {
        "REELPOOL_SLOTS": "2", "REELPOOL_ALLOW_LOCAL": f"{options.media.resolve().parent},{folder}",
        "REELPOOL_OWNER_RUNNING": "1000", "RENDER_MEMORY": "1g", "PROXY_MEMORY": "1g", "ANALYSIS_MEMORY": "1g",
    })


def probe_tasks(options: argparse.Namespace, folder: Path, count: int = 400) -> float:
    """Tasks a second from the first request to the last result, two at a time."""
    daemon = start_daemon(options, folder)
    try:
        started = time.monotonic()
        for _ in range(count):
            daemon.submit("probe", {"source": str(options.media.resolve())})
        while len(daemon.call("GET", "/v1/jobs?state=succeeded&limit=500")["jobs"]) < count:
            time.sleep(0.01)
        return count / (time.monotonic() - started)
    finally:
        daemon.stop()


def cancels(options: argparse.Namespace, folder: Path) -> list[float]:
    """Seconds from asking until a running render is over and its slot is free."""
    daemon = start_daemon(options, folder)
    times = []
    try:
        span = {"source": "a", "start_ms": 0}
        edit = {"sources": [{"id": "a", "uri": str(options.media.resolve())}], "timeline": [span] * 2000}
        for _ in range(9):
            job = daemon.submit("render", {"edit": edit, "output": f"{folder}/cancelled.mp4", "mode": "full"})
            daemon.wait(job, until={"running"}, pause=0.01)
            time.sleep(1)
            started = time.monotonic()
            daemon.call("POST", f"/v1/jobs/{job}/cancel")
            state = daemon.wait(job, pause=0.005)
            if state["state"] != "cancelled":
                raise SystemExit(f"a render was over before it could be cancelled: {state}")
            times.append(time.monotonic() - started)
        return times
    finally:
        daemon.stop()


def store(options: argparse.Namespace) -> str:
    done = subprocess.run(
        [options.programs / "store-bench", "--jobs", str(options.queued)], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def isolation(options: argparse.Namespace) -> dict:
    done = subprocess.run(
        [options.programs / "isolation-bench", "measure", options.programs / "reelpool-codec", options.media],
        check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def ffprobe_ms(options: argparse.Namespace) -> float:
    times = []
    for _ in range(15):
        started = time.monotonic()
        subprocess.run(
            ["ffprobe", "-v", "error", "-show_format", "-show_streams", options.media], check=True,
            stdout=subprocess.DEVNULL)
        times.append((time.monotonic() - started) * 1000)
    return statistics.median(times)


def page(
    options: argparse.Namespace, found: dict, claims: str, child: dict, ffprobe: float, probes: float,
    stops: list[float],
) -> tuple[str, list[str]]:
    missed: list[str] = []

    def verdict(name: str, holds: bool) -> str:
        if not holds:
            missed.append(name)
        return "PASS" if holds else "FAIL"

    def median(name: str, quantity: str) -> float:
        return statistics.median(run[quantity] for run in found[name])

    lines = [
        "# Benchmarks of the pool", "",
        f"Written by `make bench-pool` on {os.cpu_count()} cores; medians of {options.rounds} rounds. Databases reach the "
        "disk (fsync on).", "",
        "## Tasks that are no work", "",
        f"From sending {options.count} messages to the last result that can be read in Redis: durable quorum queues, "
        "confirms, acknowledged after the work (Python) or when stored (Reelpool). Two processes or cores for each. "
        "Latency is of one task at a time on an idle pool.", "",
        "| worker | tasks/s | dispatch to result p50 ms | p99 ms | rate beside | bar | verdict |",
        "|---|---:|---:|---:|---:|---|---|",
    ]
    for name in found:
        rate, p50, p99 = (median(name, quantity) for quantity in ("per_second", "p50_ms", "p99_ms"))
        ratio = bar = result = ""
        if name.startswith("Reelpool") and "Postgres" in name:
            peer = "TaskIQ worker" if "taskiq" in name else "Celery worker"
            ratios = [ours["per_second"] / theirs["per_second"] for ours, theirs in zip(found[name], found[peer])]
            ratio, bar = f"{statistics.median(ratios):.2f}× {peer}", "> 1"
            result = verdict(name, statistics.median(ratios) > 1)
        lines.append(f"| {name} | {rate:.0f} | {p50:.1f} | {p99:.1f} | {ratio} | {bar} | {result} |")
    lines += ["", f"## The store with {options.queued} jobs queued", "", claims, ""]
    p99s = [float(line.split("|")[5]) for line in claims.splitlines() if line.startswith("| Postgres")]
    lines.append(f"Claims at p99 on Postgres: {max(p99s):.1f} ms; bar ≤ 10 ms: {verdict('claim p99', max(p99s) <= 10)}")
    rows = [
        ("fork from the template and sandbox, p50", child["ready_ms"]["p50"], "≤ 10 ms", child["ready_ms"]["p50"] <= 10),
        ("a sandboxed probe, p50", child["probe_ms"]["p50"], "≤ 25 ms", child["probe_ms"]["p50"] <= 25),
        ("`ffprobe` of the same file, median", ffprobe, "", None),
        ("sandboxed probes a second", child["probes_per_second"], "", None),
        ("probe tasks a second, from HTTP to the stored result", probes, "", None),
        ("a running render is cancelled and its slot free, slowest of 9, s", max(stops), "≤ 1", max(stops) <= 1),
        ("bytes read by a process, GB/s", child["read_gigabytes_per_second"], "≥ 1",
         child["read_gigabytes_per_second"] >= 1),
        ("bytes read of a file, GB/s", child["file_read_gigabytes_per_second"], "≥ 1",
         child["file_read_gigabytes_per_second"] >= 1),
        ("bytes written, GB/s", child["write_gigabytes_per_second"], "≥ 1", child["write_gigabytes_per_second"] >= 1),
        ("a small read at a random place, µs", child["small_read_microseconds"], "", None),
    ]
    lines += ["", "## A process for each job", "", "| | | bar | verdict |", "|---|---:|---|---|"]
    for name, value, bar, holds in rows:
        lines.append(f"| {name} | {value:.3g} | {bar} | {'' if holds is None else verdict(name, holds)} |")
    return "\n".join(lines) + "\n", missed


def main() -> int:
    options = arguments()
    child = isolation(options)
    ffprobe = ffprobe_ms(options)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        probes, stops = probe_tasks(options, Path(one)), cancels(options, Path(other))
    found = tasks(options)
    claims = store(options)
    text, missed = page(options, found, claims, child, ffprobe, probes, stops)
    print(text)
    if options.output:
        options.output.write_text(text)
    say(f"{len(missed)} bars missed" + (": " + ", ".join(missed) if missed else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
