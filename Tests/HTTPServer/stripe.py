"""What of Stripe's interface a top-up asks, as its reference describes it: a checkout's line items, in pages.

It prints its port. POST /orders tells it what was bought: {"key": KEY, "page": N, "sessions": {ID: [[PRICE, QUANTITY], ...]},
"failures": N}: so many of the next requests are answered with 500. GET /count says how often it was asked.
"""

import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Stripe(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    orders = {"key": "", "page": 100, "sessions": {}, "failures": 0}
    count = 0
    lock = threading.Lock()

    def log_message(self, *_):
        pass

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, status, kind):
        self.answer(status, {"error": {"type": kind, "message": kind}})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.lock:
            self.orders.update(json.loads(body))
        self.answer(200, {})

    def do_GET(self):
        place = urlsplit(self.path)
        if place.path == "/count":
            return self.answer(200, {"count": Stripe.count})
        with self.lock:
            Stripe.count += 1
            if self.orders["failures"] > 0:
                self.orders["failures"] -= 1
                return self.refuse(500, "api_error")
        if self.headers.get("Authorization") != "Bearer " + self.orders["key"]:
            return self.refuse(401, "invalid_request_error")
        words = place.path.strip("/").split("/")
        if words[:3] != ["v1", "checkout", "sessions"] or words[4:] != ["line_items"]:
            return self.refuse(404, "invalid_request_error")
        bought = self.orders["sessions"].get(words[3])
        if bought is None:
            return self.refuse(404, "invalid_request_error")
        query = parse_qs(place.query)
        names = ["li_%d" % number for number in range(len(bought))]
        after = query.get("starting_after", [None])[0]
        start = names.index(after) + 1 if after else 0
        end = min(len(bought), start + min(self.orders["page"], int(query.get("limit", ["10"])[0])))
        lines = [
            {"id": names[n], "object": "item", "quantity": bought[n][1], "price": {"id": bought[n][0], "object": "price"}}
            for n in range(start, end)
        ]
        self.answer(200, {"object": "list", "data": lines, "has_more": end < len(bought), "url": place.path})


def end_with(parent):
    import time

    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    threading.Thread(target=end_with, args=[os.getppid()], daemon=True).start()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stripe)
    print(server.server_port, flush=True)
    server.serve_forever()
