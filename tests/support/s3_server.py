"""A real S3 API on loopback, and servers that misbehave in the ways that endpoints do."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ports import free_port

BUCKET = "results"
# moto lists a copy of a bucket's keys and looks each up in the bucket itself: where an object was
# deleted meanwhile it answers 500, which no S3 does
MOTO = """
from moto.s3.utils import _VersionedKeyStore as Keys
from moto.server import main
Keys.items = lambda self: [(key, all[-1]) for key, all in dict(self).items() if all]
main()
"""
KEYS = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@contextlib.contextmanager
def s3_api():
    """Yield the address of a server that holds one bucket."""
    port = free_port()
    command = [sys.executable, "-c", MOTO, "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 60
        while True:
            try:
                request = urllib.request.Request(f"{url}/{BUCKET}", method="PUT")
                with urllib.request.urlopen(request, timeout=10):
                    break
            except (urllib.error.URLError, OSError):
                if server.poll() is not None or time.monotonic() > until:
                    raise
                time.sleep(0.1)
        yield url
    finally:
        server.kill()
        server.wait()


class _Handler(BaseHTTPRequestHandler):
    def _answer(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.misbehave()

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _answer  # noqa: N815

    def log_message(self, *_):
        pass


class Denying(_Handler):
    def misbehave(self):
        body = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>no</Message></Error>"
        self.send_response(403)
        self.send_header("content-length", str(len(body)))
        self.send_header("content-type", "application/xml")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class Dropping(_Handler):
    """Announces much, sends a little, and hangs up."""

    def misbehave(self):
        if self.command != "HEAD":
            self.send_response(200)
            self.send_header("content-length", "100000")
            self.end_headers()
            self.wfile.write(b"x" * 500)
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


class Silent(_Handler):
    """Takes a request and never answers."""

    def misbehave(self):
        time.sleep(60)


@contextlib.contextmanager
def misbehaving(handler):
    """Yield the address of a server that answers every request in one bad way."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.block_on_close = False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
