"""A daemon on SQLite, without a broker, and its interface."""

import http.client
import json
import os
import subprocess
import time
from pathlib import Path

from measuring import Usage

TOKEN = "bench-81-token-27-x"
OVER = {"succeeded", "failed", "cancelled", "dead"}
"""States that a job does not leave by itself."""


def environment() -> dict[str, str]:
    """What a program needs to run at all; settings of ours that happen to be there stay out."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


class Daemon:
    def __init__(self, programs: Path, folder: Path, settings: dict[str, str]):
        variables = {
            "REELPOOL_DATABASE": f"sqlite:{folder}/jobs.db", "REELPOOL_HTTP_PORT": "0", "REELPOOL_API_TOKEN": TOKEN,
            "TMPDIR": str(folder),
        }
        self.log = folder / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [programs.resolve() / "reelpoold", "worker"], env=environment() | variables | settings, cwd=folder,
                stderr=log)
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port())

    def port(self) -> int:
        for _ in range(200):
            for line in self.log.read_text().splitlines():
                if '"listening"' in line:
                    return int(json.loads(line)["port"])
            time.sleep(0.05)
        self.process.kill()
        self.process.wait()
        raise SystemExit(f"the daemon did not start\n{self.log.read_text()[-2000:]}")

    def call(self, method: str, path: str, body: dict | None = None) -> dict:
        """What the interface answers, whatever its status."""
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        self.connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        return json.loads(self.connection.getresponse().read())

    def submit(self, kind: str, payload: dict) -> str:
        """The name of a new job."""
        answer = self.call("POST", "/v1/jobs", {"kind": kind, "owner": "bench", "payload": payload})
        if "id" not in answer:
            raise SystemExit(f"the daemon took no job: {answer}")
        return answer["id"]

    def wait(self, job: str, until: set[str] = OVER, pause: float = 0.02) -> dict:
        """The job when it is in one of the states, or over."""
        while (state := self.call("GET", f"/v1/jobs/{job}"))["state"] not in until | OVER:
            time.sleep(pause)
        return state

    def written(self) -> int:
        """Bytes that this process, and those that it has waited for, have written to a disk. Source: proc(5), io."""
        lines = Path(f"/proc/{self.process.pid}/io").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("write_bytes")).split()[1])

    def stop(self) -> Usage:
        """Ends it without waiting for its jobs."""
        self.process.terminate()
        self.process.terminate()
        _, status, used = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        return Usage(0, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
