"""A local HTTP server that answers chat requests with what a script holds, and misbehaves as servers do."""

import json
import threading
import time
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GOOD = "Score: 2 Reason: one word is missing."


def chat(content):
    return 200, json.dumps({"choices": [{"message": {"content": content}}]})


class Server(ThreadingHTTPServer):
    """Replies with the steps of `script` in turn, the last one for ever; `asked` holds the requests."""

    daemon_threads = True

    def __init__(self, *script):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script, self.asked, self.lock = list(script), [], threading.Lock()
        self.busy = Counter()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.asked.append((time.monotonic(), self.path, dict(self.headers), body))
            self.server.busy["now"] += 1
            self.server.busy["most"] = max(self.server.busy["most"], self.server.busy["now"])
            step = self.server.script.pop(0) if len(self.server.script) > 1 else self.server.script[0]
        try:
            step(self, body) if callable(step) else self.reply(*step)
        finally:
            with self.server.lock:
                self.server.busy["now"] -= 1

    def reply(self, status, text, **headers):
        data = text.encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments):
        pass


def hang(handler, body):
    time.sleep(1.5)


def trickle(handler, body):
    handler.send_response(200)
    handler.end_headers()
    for _ in range(60):
        try:
            handler.wfile.write(b" ")
            handler.wfile.flush()
        except OSError:
            return
        time.sleep(0.05)


def slow(handler, body):
    time.sleep(0.2)
    handler.reply(*chat(GOOD))


def too_many(handler, body):
    handler.reply(429, "slow down", Retry_After="0.2")


@contextmanager
def serving():
    """A function that starts a server for a script; all servers stop at the end."""
    servers = []

    def start(*script):
        server = Server(*script)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
