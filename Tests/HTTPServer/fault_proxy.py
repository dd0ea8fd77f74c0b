"""Stands between a client and a store, and does what is asked to the next requests.

Usage: fault_proxy.py HOST:PORT. Prints its port, then passes on until its parent is gone.

POST /.faults takes a list of faults, one for each request to come; when none is left, requests pass as they are.
POST /.region takes {"region": NAME, "tells": BOOL}: from now on what is signed for another region is refused, as Amazon's
store (which tells its own) and Cloudflare's (which does not) do.
GET /.seen tells what came: method, target, what was done to it, and what the store said (0 when it was not asked).

  status:CODE:NAME  answers so itself, for NAME see S3's error codes; a third number is Retry-After
  lost:CODE:NAME    the store does it, and the answer says so
  before            breaks off the connection before the store hears of it
  after             ... after the store has done it
  cut               the answer ends in the middle of its body
  stall             the answer stops in the middle of its body, and the connection stays
  silent            says nothing at all
  range             the answer names another range than it has
  short             the answer is a whole one, of fewer bytes of a range than were asked for
  error200:NAME     a success by its status, an error by its body
  late200:NAME      the same, after the store has done it
  page              a success with a page of HTML
  etag              the answer names another ETag
  flip              a byte of the request's body changes on the way
  date:SECONDS      the answer's Date is off by so much
"""
import email.utils
import json
import os
import re
import socket
import struct
import sys
import threading
import time
import urllib.parse

upstream = sys.argv[1].rsplit(":", 1)
lock = threading.Lock()
faults = []
seen = []
region = None


def error_document(name):
    return ("<?xml version=\"1.0\"?><Error><Code>%s</Code><Message>by the proxy</Message></Error>" % name).encode()


def read_head(file):
    lines = []
    while True:
        line = file.readline(1 << 16)
        if not line:
            return None
        if line in (b"\r\n", b"\n"):
            return lines
        lines.append(line.rstrip(b"\r\n"))


def header(head, name):
    for line in head[1:]:
        key, _, value = line.partition(b":")
        if key.strip().lower() == name:
            return value.strip().decode()
    return None


def signed_region(head, target):
    words = (header(head, b"authorization") or "") + urllib.parse.unquote(target)
    found = re.search(r"Credential=[^/]+/\d{8}/([^/]+)/s3/", words)
    return found and found.group(1)


def without(head, *names):
    return [line for line in head if line.partition(b":")[0].strip().lower() not in names]


def ask(head, body):
    """The store's whole answer: its head and its body."""
    with socket.create_connection((upstream[0], int(upstream[1])), timeout=120) as sock:
        head = without(head, b"connection") + [b"Connection: close"]
        sock.sendall(b"\r\n".join(head) + b"\r\n\r\n" + body)
        file = sock.makefile("rb")
        answer = read_head(file)
        while answer and b" 100 " in answer[0]:
            answer = read_head(file)
        if not answer:
            return [b"HTTP/1.1 502 Gone"], b""
        if (header(answer, b"transfer-encoding") or "").lower() == "chunked":
            content = b""
            while size := int(file.readline().split(b";")[0], 16):
                content += file.read(size)
                file.readline()
        elif head[0].startswith(b"HEAD ") or (length := header(answer, b"content-length")) == "0":
            content = b""
        else:
            content = file.read(int(length)) if length is not None else file.read()
        return without(answer, b"transfer-encoding", b"connection"), content


class Connection:
    def __init__(self, sock):
        self.sock = sock
        self.file = sock.makefile("rb", buffering=1 << 16)

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    def say(self, head, body, keep_length=False):
        if not keep_length:
            head = without(head, b"content-length") + [b"Content-Length: %d" % len(body)]
        self.sock.sendall(b"\r\n".join(head) + b"\r\n\r\n" + body)
        return True

    def say_error(self, status, name, retry_after=None):
        head = [b"HTTP/1.1 %d Fault" % status, b"Content-Type: application/xml"]
        head.append(b"Date: " + email.utils.formatdate(usegmt=True).encode())
        if retry_after:
            head.append(b"Retry-After: " + retry_after.encode())
        # An answer to HEAD has a length and no body.
        document = error_document(name)
        if self.method == "HEAD":
            return self.say(head + [b"Content-Length: %d" % len(document)], b"", keep_length=True)
        return self.say(head, document)

    def refuse_region(self):
        document = error_document("AuthorizationHeaderMalformed" if region["tells"] else "InvalidRegionName")
        if region["tells"]:
            document = document.replace(b"</Error>", b"<Region>%s</Region></Error>" % region["region"].encode())
        head = [b"HTTP/1.1 400 Bad Request", b"Content-Type: application/xml", b"Content-Length: %d" % len(document)]
        return self.say(head, b"" if self.method == "HEAD" else document, keep_length=True)

    def wait_for_the_end(self):
        self.sock.settimeout(300)
        try:
            while self.sock.recv(1 << 16):
                pass
        except OSError:
            pass
        return False

    def control(self, target, body):
        global faults, region
        with lock:
            if target == "/.region":
                region = json.loads(body)
            if target == "/.faults":
                faults = json.loads(body)
                seen.clear()
            return self.say([b"HTTP/1.1 200 OK"], json.dumps(seen).encode())

    def serve(self):
        """One request; whether there may be another."""
        head = read_head(self.file)
        if not head:
            return False
        self.method, target, _ = head[0].decode().split(" ", 2)
        body = self.file.read(int(header(head, b"content-length") or 0))
        if target.startswith("/."):
            return self.control(target, body)
        if region and (signed := signed_region(head, target)) and signed != region["region"]:
            return self.refuse_region()
        with lock:
            fault = faults.pop(0) if faults else "pass"
            entry = {"method": self.method, "target": target, "fault": fault, "status": 0, "at": time.monotonic()}
            seen.append(entry)
        kind, *words = fault.split(":")
        if kind == "status":
            return self.say_error(int(words[0]), words[1], words[2] if len(words) > 2 else None)
        if kind == "before":
            return self.reset()
        if kind == "silent":
            return self.wait_for_the_end()
        if kind == "error200":
            return self.say([b"HTTP/1.1 200 OK"], b"  \n" + error_document(words[0]))
        if kind == "page":
            return self.say([b"HTTP/1.1 200 OK", b"Content-Type: text/html"], b"<html><p>Sign in, please</html>")
        if kind == "flip" and body:
            middle = len(body) // 2
            body = body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1:]
        answer, content = ask(head, body)
        entry["status"] = int(answer[0].split()[1])
        return self.pass_on(kind, words, answer, content)

    def pass_on(self, kind, words, answer, content):
        if kind == "lost":
            return self.say_error(int(words[0]), words[1])
        if kind == "late200":
            return self.say([b"HTTP/1.1 200 OK"], b" " + error_document(words[0]))
        if kind == "after":
            return self.reset()
        if kind in ("cut", "stall"):
            head = without(answer, b"content-length") + [b"Content-Length: %d" % (len(content) + 1)]
            self.say(head, content[:len(content) // 2], keep_length=True)
            return self.wait_for_the_end() if kind == "stall" else False
        if kind == "date":
            date = email.utils.formatdate(time.time() + float(words[0]), usegmt=True)
            answer = without(answer, b"date") + [b"Date: " + date.encode()]
        if kind == "etag":
            answer = without(answer, b"etag") + [b'ETag: "00000000000000000000000000000000"']
        if kind in ("range", "short"):
            first, last, size = (int(part) for part in re.findall(r"\d+", header(answer, b"content-range") or "0-0/1"))
            if kind == "range":
                first, last = first + 1, last + 1
            else:
                last = first + len(content) // 2 - 1
                content = content[:len(content) // 2]
            answer = without(answer, b"content-range") + [b"Content-Range: bytes %d-%d/%d" % (first, last, size)]
        return self.say(answer, content, keep_length=self.method == "HEAD")

    def run(self):
        try:
            while self.serve():
                pass
        except (OSError, ValueError):
            pass
        self.file.close()
        self.sock.close()


def watch_parent(parent):
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


def main():
    threading.Thread(target=watch_parent, args=(os.getppid(),), daemon=True).start()
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    print(listener.getsockname()[1], flush=True)
    while True:
        sock, _ = listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=Connection(sock).run, daemon=True).start()


if __name__ == "__main__":
    main()
