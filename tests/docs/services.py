"""What a page's commands reach on a machine: an S3 API and a cluster of Ray, here instead."""

from __future__ import annotations

import contextlib
import re
import tempfile
import urllib.request
from collections.abc import Callable

import psutil
from ports import free_port
from ray_fixtures import STORE_BYTES

# a page's address, and what it is here; both name the port that Ray itself takes by default
STORE = re.compile(r"(?<=AWS_ENDPOINT_URL=)\S+")
BUCKET = re.compile(r"s3://([\w.-]+)")
HEAD, CLIENT = "HOST:6379", "ray://HOST:10001"
ENVIRONMENT = {"RAY_USAGE_STATS_ENABLED": "0", "AWS_EC2_METADATA_DISABLED": "true"}
RAY_START = "ray start --head"


class Services:
    """Starts what a command needs when it needs it, and ends it.

    Parameters
    ----------
    s3_url : callable
        Starts the S3 API at its first call; returns its address.
    """

    def __init__(self, s3_url: Callable[[], str]) -> None:
        self._s3_url = s3_url
        self._ports = [free_port() for _ in range(2)]
        # the paths of its sockets must be short
        self._ray = tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True)

    def here(self, text: str) -> str:
        """A page's command with the addresses of this machine in it."""
        if STORE.search(text):
            text = STORE.sub(self._s3_url(), text)
        for bucket in BUCKET.findall(text):
            request = urllib.request.Request(f"{self._s3_url()}/{bucket}", method="PUT")
            urllib.request.urlopen(request, timeout=10).close()
        head, client = self._ports
        here = f"{RAY_START} --node-ip-address 127.0.0.1 --port {head}"
        here += f" --ray-client-server-port {client} --temp-dir {self._ray.name} --num-cpus 2"
        here += f" --object-store-memory {STORE_BYTES} --include-dashboard false"
        for there, own in (
            (RAY_START, here),
            (CLIENT, f"ray://127.0.0.1:{client}"),
            (HEAD, f"127.0.0.1:{head}"),
        ):
            text = text.replace(there, own)
        return text

    def end(self) -> None:
        """End the cluster: each process names its folder, or comes from one that does."""
        for process in psutil.process_iter(["cmdline"]):
            if any(self._ray.name in word for word in process.info["cmdline"] or ()):
                children = []
                with contextlib.suppress(psutil.NoSuchProcess):
                    children = process.children(recursive=True)
                for each in [*children, process]:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        each.kill()
        self._ray.cleanup()
