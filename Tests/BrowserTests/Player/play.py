#!/usr/bin/env python3
"""Has a headless browser play what lies in a folder, and prints what it answered.

    play.py BROWSER FOLDER

The folder has films.json, which player.js reads, and the films. The browser gets them by ranges, as from any web server.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PLAYER = Path(__file__).resolve().parent
TYPES = {".html": "text/html", ".js": "text/javascript", ".json": "application/json", ".mp4": "video/mp4",
         ".webm": "video/webm", ".mkv": "video/x-matroska"}
PATIENCE_SECONDS = 300


class Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        # A player leaves off when it seeks.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        name = os.path.basename(self.path.split("?")[0])
        path = next((folder / name for folder in (PLAYER, self.server.folder) if (folder / name).is_file()), None)
        if path is None:
            self.send_response(404)
            self.send_header("Content-Length", "0")
            return self.end_headers()
        content = path.read_bytes()
        first, last, status = 0, len(content) - 1, 200
        if found := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            first, last, status = int(found[1]), min(int(found[2] or last), last), 206
        self.send_response(status)
        self.send_header("Content-Type", TYPES.get(path.suffix, "application/octet-stream"))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(last + 1 - first))
        if status == 206:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        self.end_headers()
        self.wfile.write(content[first:last + 1])

    def do_POST(self):
        self.server.answers = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.send_response(204)
        self.end_headers()
        self.server.answered.set()


def main() -> int:
    browser, folder = sys.argv[1], Path(sys.argv[2])
    server = Server(("127.0.0.1", 0), Handler)
    server.folder, server.answers, server.answered = folder, None, threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    profile = tempfile.mkdtemp()
    process = subprocess.Popen(
        [browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--mute-audio",
         "--autoplay-policy=no-user-gesture-required", f"--user-data-dir={profile}",
         f"http://127.0.0.1:{server.server_address[1]}/player.html"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
    errors: list[bytes] = []
    reader = threading.Thread(target=lambda: errors.append(process.stderr.read()), daemon=True)
    reader.start()
    try:
        answered = server.answered.wait(PATIENCE_SECONDS)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        shutil.rmtree(profile, ignore_errors=True)
    if not answered:
        reader.join(5)
        print(b"".join(errors).decode(errors="replace")[-3000:], file=sys.stderr)
        print("the browser did not answer", file=sys.stderr)
        return 1
    print(server.answers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
