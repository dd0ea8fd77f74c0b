"""A server for the tests of transfers: it does well, and badly, what its path says.

Usage: server.py [--tls CERTIFICATE KEY]. Prints its port, then answers until its parent is gone.
"""
import hashlib
import json
import os
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse

PIECE = bytes(range(251)) * 4178  # about 1 MiB, of a prime period so that a shifted piece is noticed
PERIOD = 251
counts = {"connections": 0, "open": 0, "most_open": 0, "requests": 0}
hooks = {"now": 0, "most": 0, "received": []}
asked = {}  # what was asked of /media, by the path's key
lock = threading.Lock()


def pattern(start, length):
    """Bytes of the endless body, from `start` on, in pieces."""
    while length > 0:
        offset = start % PERIOD
        piece = PIECE[offset:offset + min(length, len(PIECE) - PERIOD)]
        yield piece
        start += len(piece)
        length -= len(piece)


class Connection:
    def __init__(self, sock):
        self.sock = sock
        self.file = sock.makefile("rb", buffering=1 << 16)
        self.keep = True

    def head(self, status, headers, length=None):
        lines = ["HTTP/1.1 %d Status" % status] + ["%s: %s" % item for item in headers]
        if length is not None:
            lines.append("Content-Length: %d" % length)
        self.sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())

    def whole(self, status, body, headers=()):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.head(status, list(headers), len(body))
        if self.method != "HEAD":
            self.sock.sendall(body)

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.keep = False

    def wait_for_the_end(self):
        self.keep = False
        self.sock.settimeout(120)
        try:
            while self.sock.recv(1 << 16):
                pass
        except OSError:
            pass

    def serve(self):
        while self.keep:
            line = self.file.readline()
            if not line:
                return
            self.method, target, _ = line.decode().split(" ", 2)
            self.headers = []
            while True:
                line = self.file.readline().decode("latin-1").rstrip("\r\n")
                if not line:
                    break
                name, _, value = line.partition(":")
                self.headers.append((name.lower(), value.strip()))
            with lock:
                counts["requests"] += 1
            path, _, query = target.partition("?")
            self.target = target
            self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
            handler = getattr(self, "do_" + path.strip("/").split("/")[0], None)
            if handler:
                handler()
            else:
                self.take_body()
                self.whole(404, b"no such path")

    def get(self, name):
        return next((value for key, value in self.headers if key == name), None)

    def number(self, name, default=0):
        return int(self.query.get(name, default))

    def body_pieces(self):
        if self.get("transfer-encoding") == "chunked":
            while True:
                size = int(self.file.readline(), 16)
                piece = self.file.read(size)
                self.file.readline()
                if not size:
                    return
                yield piece
        left = int(self.get("content-length") or 0)
        while left:
            piece = self.file.read(min(left, 1 << 16))
            if not piece:
                self.keep = False
                return
            left -= len(piece)
            yield piece

    def take_body(self):
        digest, size = hashlib.sha256(), 0
        for piece in self.body_pieces():
            digest.update(piece)
            size += len(piece)
        return size, digest.hexdigest()

    # What paths do.

    def do_counts(self):
        with lock:
            self.whole(200, dict(counts))

    def do_echo(self):
        size, digest = self.take_body()
        self.whole(200, {"method": self.method, "target": self.target, "headers": self.headers,
                         "size": size, "sha256": digest})

    def do_bytes(self):
        n = self.number("n")
        first, last, status, headers = 0, n - 1, 200, [("ETag", '"of-%d"' % n)]
        wanted = self.get("range")
        if self.get("if-match") not in (None, '"of-%d"' % n):
            return self.whole(412, b"another")
        if wanted and "noranges" not in self.query:
            start, _, end = wanted.removeprefix("bytes=").partition("-")
            first, last = int(start), min(int(end or n - 1), n - 1)
            if first >= n:
                return self.whole(416, b"behind the end", [("Content-Range", "bytes */%d" % n)])
            status = 206
            shown = first + self.number("shift")
            headers.append(("Content-Range", "bytes %d-%d/%d" % (shown, last + self.number("shift"), n)))
        self.head(status, headers, last - first + 1)
        if self.method != "HEAD":
            for piece in pattern(first, last - first + 1):
                self.sock.sendall(piece)

    def do_chunked(self):
        self.head(200, [("Transfer-Encoding", "chunked")])
        for piece in pattern(0, self.number("n")):
            for at in range(0, len(piece), 70001):
                part = piece[at:at + 70001]
                self.sock.sendall(b"%x\r\n%s\r\n" % (len(part), part))
        if "cut" in self.query:
            self.keep = False
        else:
            self.sock.sendall(b"0\r\n\r\n")

    def do_truncated(self):
        n = self.number("n")
        self.head(200, [], n)
        for piece in pattern(0, n // 2):
            self.sock.sendall(piece)
        self.keep = False

    def do_reset(self):
        n = self.number("n")
        if n:
            self.head(200, [], n)
            for piece in pattern(0, n // 2):
                self.sock.sendall(piece)
            time.sleep(0.2)
        self.reset()

    def do_stall(self):
        self.head(200, [], 1000000)
        self.sock.sendall(PIECE[:1000])
        self.wait_for_the_end()

    def do_silent(self):
        self.wait_for_the_end()

    def do_slow(self):
        n, pause = self.number("n"), float(self.query["pause"])
        self.head(200, [], n)
        for at in range(n):
            self.sock.sendall(PIECE[at:at + 1])
            time.sleep(pause)

    def do_closing(self):
        """Says that the connection goes on, and closes it."""
        self.whole(200, b"closed")
        self.keep = False

    def do_redirect(self):
        self.take_body()
        self.whole(self.number("status", 302), b"elsewhere" * 100, [("Location", self.query["to"])])

    def do_loop(self):
        self.whole(302, b"", [("Location", "/loop?" + str(self.number("n") + 1))])

    def do_status(self):
        self.take_body()
        headers = [("Retry-After", "7")] if self.target.endswith(("429", "503")) else []
        self.whole(int(self.target.partition("?")[0].rsplit("/", 1)[1]), b"because of it", headers)

    def do_problem(self):
        """An explanation without an end."""
        self.head(500, [])
        try:
            while True:
                self.sock.sendall(PIECE)
        finally:
            self.keep = False

    def do_nonsense(self):
        self.sock.sendall(b"220 mail.example ESMTP\r\n")
        self.keep = False

    def do_interim(self):
        self.sock.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\nX-Interim: 1\r\n\r\n")
        self.whole(200, b"at last", [("X-Final", "1")])

    def do_hook(self):
        """Keeps what was sent; fails as often as `fail` says, answers after `seconds`."""
        body = b"".join(self.body_pieces()).decode()
        with lock:
            hooks["now"] += 1
            hooks["most"] = max(hooks["most"], hooks["now"])
            hooks["received"].append({"target": self.target, "headers": dict(self.headers), "body": body})
            seen = sum(1 for item in hooks["received"] if item["target"] == self.target)
        time.sleep(float(self.query.get("seconds", 0)))
        with lock:
            hooks["now"] -= 1
        status = self.number("status", 200)
        self.whole(self.number("failure", 503) if seen <= self.number("fail") else status, b"heard")

    def do_received(self):
        with lock:
            self.whole(200, hooks)

    def do_media(self):
        """A file, served well or badly: badly to the first `times` requests of a `key`, then well."""
        query = self.query
        with lock:
            seen = asked.setdefault(query.get("key", ""), [])
            seen.append(dict(self.headers))
            turn = len(seen)
        bad = turn <= self.number("times", 1)
        if bad and "status" in query:
            return self.whole(self.number("status"), b"because of it")
        if not bad and "then" in query:
            return self.whole(self.number("then"), b"no more")
        with open(query["file"], "rb") as file:
            content = file.read()
        for piece in pattern(len(content), self.number("n") - len(content)):
            content += piece
        if "change" in query and turn > 1:
            content = content[:-1] + bytes([content[-1] ^ 1])
        etag = '"%s"' % hashlib.sha256(content).hexdigest()[:16]
        if query.get("etag") == "weak":
            etag = "W/" + etag
        first, status = 0, 200
        wanted, match, same = self.get("range"), self.get("if-match"), self.get("if-range")
        if "careless" not in query:
            if match not in (None, etag):
                return self.whole(412, b"another")
            if same not in (None, etag):
                wanted = None
        headers = [] if query.get("etag") == "none" else [("ETag", etag)]
        if "type" in query:
            headers.append(("Content-Type", query["type"]))
        if wanted and "noranges" not in query:
            first, status = int(wanted.removeprefix("bytes=").split("-")[0]) + self.number("shift"), 206
            whole = "*" if "star" in query else len(content)
            headers.append(("Content-Range", "bytes %d-%d/%s" % (first, len(content) - 1, whole)))
        body = content[first:]
        chunked = "chunked" in query
        if chunked:
            headers.append(("Transfer-Encoding", "chunked"))
        self.head(status, headers, None if chunked else self.number("length", len(body)))
        sent = body
        for name in ("cut", "reset", "stall"):
            if bad and name in query:
                sent = body[:self.number(name)]
        for at in range(0, len(sent), 70001):
            part = sent[at:at + 70001]
            self.sock.sendall(b"%x\r\n%s\r\n" % (len(part), part) if chunked else part)
        if bad and "stall" in query:
            return self.wait_for_the_end()
        if bad and "reset" in query:
            time.sleep(0.2)
            return self.reset()
        if len(sent) < len(body) or "length" in query:
            self.keep = False
        elif chunked:
            self.sock.sendall(b"0\r\n\r\n")

    def do_endless(self):
        """A file, and then more and more of it."""
        with open(self.query["file"], "rb") as file:
            content = file.read()
        self.keep = False
        self.head(200, [("Transfer-Encoding", "chunked"), ("Content-Type", "video/mp4")])
        while True:
            self.sock.sendall(b"%x\r\n%s\r\n" % (len(content), content))

    def do_asked(self):
        with lock:
            self.whole(200, asked.get(self.query["key"], []))

    def do_header(self):
        self.head(200, [("X-Line-%d" % index, "x" * 900) for index in range(self.number("n"))], 2)
        self.sock.sendall(b"ok")


def run(sock, context):
    with lock:
        counts["connections"] += 1
        counts["open"] += 1
        counts["most_open"] = max(counts["most_open"], counts["open"])
    try:
        if context:
            sock = context.wrap_socket(sock, server_side=True)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        Connection(sock).serve()
    except (OSError, ValueError, AttributeError):
        pass
    finally:
        sock.close()
        with lock:
            counts["open"] -= 1


def main():
    context = None
    if "--tls" in sys.argv:
        at = sys.argv.index("--tls")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[at + 1], sys.argv[at + 2])
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(512)
    print(listener.getsockname()[1], flush=True)

    def accept():
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=run, args=(sock, context), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(0.5)


main()
