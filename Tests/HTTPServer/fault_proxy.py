"""Stands between a client and a store, and does what is asked to the next requests.

Usage: fault_proxy.py HOST:PORT [CERTIFICATE KEY]. Prints its port, then passes on until its parent is gone. With a
certificate clients come by TLS, and what they say can be changed below it.

POST /.way opens another port, which is answered: a way of its own, with faults of its own.
POST /.faults takes a list of faults, one for each request to come; when none is left, requests pass as they are.
POST /.region takes {"region": NAME, "tells": BOOL}: from now on what is signed for another region is refused, as Amazon's
store (which tells its own) and Cloudflare's (which does not) do.
POST /.rules takes a list of {"method", "contains", "lacks", "fault"}: the first request that is so has that fault, each
    rule once, and before any list.
POST /.release lets go of what is held.
GET /.seen tells what came: method, target, what was done to it, what the store said (0 when it was not asked), and how
    many bytes of a body were sent back.

  status:CODE:NAME  answers so itself, for NAME see S3's error codes; a third number is Retry-After
  lost:CODE:NAME    the store does it, and the answer says so
  before            breaks off the connection before the store hears of it
  after             ... after the store has done it
  cut               the answer ends in the middle of its body
  head              ... in the middle of its head
  stall             the answer stops in the middle of its body, and the connection stays
  silent            says nothing at all
  hold              the store hears of it when it is released, whoever still waits for it
  keep              the store does it, and the answer comes when it is released
  delay:SECONDS     takes its time
  late              the store hears of it after the next request, or a second later
  twice             the store hears of it twice, if that is to make no difference: RFC 9110 section 9.2.2
  range             the answer names another range than it has
  short             the answer is a whole one, of fewer bytes of a range than were asked for
  error200:NAME     a success by its status, an error by its body
  late200:NAME      the same, after the store has done it
  page              a success with a page of HTML
  garbage           the answer is no HTTP
  moved             it is to be asked for again, at the same place
  etag              the answer names another ETag, never the same
  flip              a byte of the request's body changes on the way
  noise             a byte of the answer changes below TLS
  noiseup           a byte of the request's body changes below TLS
  date:SECONDS      the answer's Date is off by so much
"""
import email.utils
import json
import os
import random
import re
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse

upstream = sys.argv[1].rsplit(":", 1)
tls = None
if len(sys.argv) > 2:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(sys.argv[2], sys.argv[3])


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


class Wire:
    """What lies below TLS: the client's socket, and the end that TLS is spoken on. A byte on it may change."""

    def __init__(self, client):
        self.client = client
        self.far, self.near = socket.socketpair()
        self.changes_up = self.changes_down = False
        threading.Thread(target=self.pump, args=(client, self.far, True), daemon=True).start()
        threading.Thread(target=self.pump, args=(self.far, client, False), daemon=True).start()

    def pump(self, source, target, is_up):
        try:
            while data := source.recv(1 << 18):
                if len(data) > 200 and (self.changes_up if is_up else self.changes_down):
                    middle = len(data) // 2
                    data = data[:middle] + bytes([data[middle] ^ 4]) + data[middle + 1:]
                    self.changes_up = self.changes_down = False
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        if not is_up:
            self.client.close()
            self.far.close()


class Connection:
    def __init__(self, way, sock):
        self.way = way
        self.client = sock
        self.wire = None
        self.sock = sock
        self.file = None

    def open(self):
        if tls:
            self.wire = Wire(self.client)
            self.sock = tls.wrap_socket(self.wire.near, server_side=True)
        self.file = self.sock.makefile("rb", buffering=1 << 16)

    def reset(self):
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    def say(self, head, body, keep_length=False):
        if not keep_length:
            head = without(head, b"content-length") + [b"Content-Length: %d" % len(body)]
        # Nothing follows an answer to HEAD.
        self.sock.sendall(b"\r\n".join(head) + b"\r\n\r\n" + (b"" if self.method == "HEAD" else body))
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
        region = self.way.region
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
        way = self.way
        answer = b""
        with way.lock:
            if target == "/.faults":
                way.faults = json.loads(body)
                way.seen.clear()
            elif target == "/.region":
                way.region = json.loads(body)
            elif target == "/.rules":
                way.rules = json.loads(body)
            elif target == "/.release":
                way.released.set()
            elif target == "/.way":
                answer = str(Way().port).encode()
            else:
                answer = json.dumps(way.seen).encode()
        return self.say([b"HTTP/1.1 200 OK"], answer)

    def serve(self):
        """One request; whether there may be another."""
        head = read_head(self.file)
        if not head:
            return False
        self.method, target, _ = head[0].decode().split(" ", 2)
        length = int(header(head, b"content-length") or 0)
        if target.startswith("/."):
            return self.control(target, self.file.read(length))
        region = self.way.region
        if region and (signed := signed_region(head, target)) and signed != region["region"]:
            self.file.read(length)
            return self.refuse_region()
        fault, entry = self.way.take(self.method, target)
        kind, *words = fault.split(":")
        if kind == "noiseup" and self.wire:
            self.wire.changes_up = True
        body = self.file.read(length)
        if self.wire:
            self.wire.changes_up = False
        if len(body) < length:
            return False
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
        if kind == "garbage":
            self.sock.sendall(random.randbytes(300) + b"\r\n\r\n")
            return False
        if kind == "moved":
            return self.say([b"HTTP/1.1 307 Moved", b"Location: " + target.encode()], b"")
        if kind == "flip" and body:
            middle = len(body) // 2
            body = body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1:]
        if kind == "delay":
            time.sleep(float(words[0]))
        if kind == "hold":
            self.way.released.wait(300)
        if kind == "late":
            self.way.wait_for_another()
        if kind == "twice" and self.method != "POST":
            ask(head, body)
        answer, content = ask(head, body)
        with self.way.lock:
            entry["status"] = int(answer[0].split()[1])
            self.way.passed += 1
        self.entry = entry
        if kind == "keep":
            self.way.released.wait(300)
        return self.pass_on(kind, words, answer, content)

    def pass_on(self, kind, words, answer, content):
        if kind == "lost":
            return self.say_error(int(words[0]), words[1])
        if kind == "late200":
            return self.say([b"HTTP/1.1 200 OK"], b" " + error_document(words[0]))
        if kind == "after":
            return self.reset()
        if kind == "head":
            text = b"\r\n".join(answer)
            self.sock.sendall(text[:len(text) // 2])
            return False
        if kind == "noise" and self.wire:
            self.wire.changes_down = True
        if kind in ("cut", "stall"):
            head = without(answer, b"content-length") + [b"Content-Length: %d" % (len(content) + 1)]
            self.say(head, content[:len(content) // 2], keep_length=True)
            return self.wait_for_the_end() if kind == "stall" else False
        if kind == "date":
            date = email.utils.formatdate(time.time() + float(words[0]), usegmt=True)
            answer = without(answer, b"date") + [b"Date: " + date.encode()]
        if kind == "etag":
            answer = without(answer, b"etag") + [b'ETag: "%s"' % random.randbytes(16).hex().encode()]
        if kind in ("range", "short") and header(answer, b"content-range"):
            first, last, size = (int(part) for part in re.findall(r"\d+", header(answer, b"content-range")))
            if kind == "range":
                first, last = first + 1, last + 1
            else:
                last = first + len(content) // 2 - 1
                content = content[:len(content) // 2]
            answer = without(answer, b"content-range") + [b"Content-Range: bytes %d-%d/%d" % (first, last, size)]
        with self.way.lock:
            self.entry["sent"] = len(content)
        return self.say(answer, content, keep_length=self.method == "HEAD")

    def run(self):
        try:
            self.open()
            while self.serve():
                pass
        except (OSError, ValueError):
            pass
        for end in (self.file, self.sock, self.client):
            try:
                if end:
                    end.close()
            except OSError:
                pass


class Way:
    """A port, and what is to happen to those who come by it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.faults = []
        self.rules = []
        self.seen = []
        self.region = None
        self.passed = 0
        self.released = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            sock, _ = self.listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=Connection(self, sock).run, daemon=True).start()

    def take(self, method, target):
        with self.lock:
            fault = self.rule(method, target) or (self.faults.pop(0) if self.faults else "pass")
            entry = {
                "method": method, "target": target, "fault": fault, "status": 0, "sent": 0, "at": time.monotonic(),
            }
            self.seen.append(entry)
            return fault, entry

    def rule(self, method, target):
        for rule in self.rules:
            if method == rule["method"] and rule["contains"] in target and (rule["lacks"] or "\n") not in target:
                self.rules.remove(rule)
                return rule["fault"]
        return None

    def wait_for_another(self):
        end, before = time.monotonic() + 1, self.passed
        while self.passed == before and time.monotonic() < end:
            time.sleep(0.01)


def watch_parent(parent):
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


def main():
    print(Way().port, flush=True)
    watch_parent(os.getppid())


if __name__ == "__main__":
    main()
