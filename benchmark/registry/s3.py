"""A registry's files in a bucket, through pyarrow's S3 client, in bounded time."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from motifidelity.errors import UserError
from motifidelity.registry.store import S3_PREFIX, Entry, StoreError


@dataclass(frozen=True)
class Limits:
    """How long an S3 request may take, in seconds, and how often it is tried."""

    connect: float = 5
    stalled: float = 10
    attempts: int = 3


class S3Store:
    """A prefix of an S3 bucket, reached through the standard ``AWS_*`` variables.

    Parameters
    ----------
    url : str
        ``s3://bucket/prefix``.
    limits : Limits
        Bounds of every request.

    Raises
    ------
    UserError
        If the address names no bucket.
    """

    readers = 16

    def __init__(self, url: str, limits: Limits | None = None) -> None:
        from pyarrow import fs

        limits = limits or Limits()
        parts = urlsplit(url)
        if not parts.netloc or parts.query or parts.fragment:
            raise UserError(f"registry {url}: write it as s3://bucket/prefix")
        self.bucket = parts.netloc
        self._root = "/".join([parts.netloc, *(p for p in parts.path.split("/") if p)])
        self._attempts = limits.attempts
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        options: dict[str, Any] = {}
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        if endpoint:
            where = urlsplit(endpoint if "://" in endpoint else f"https://{endpoint}")
            options = {"endpoint_override": where.netloc + where.path, "scheme": where.scheme}
            region = region or "us-east-1"
        self._where = f" at {endpoint}" if endpoint else ""
        self._fs = fs.S3FileSystem(
            region=region,
            connect_timeout=limits.connect,
            request_timeout=limits.stalled,
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=limits.attempts),
            # one request for a small file in place of three
            allow_delayed_open=True,
            **options,
        )

    @property
    def name(self) -> str:
        """The address, without a trailing slash."""
        return f"{S3_PREFIX}{self._root}"

    def check(self) -> None:
        """Raise ``UserError`` where there is no such bucket."""
        from pyarrow import fs

        with self._told():
            found = self._fs.get_file_info(self.bucket)
        if found.type == fs.FileType.NotFound:
            raise UserError(
                f"registry {self.name}: there is no bucket '{self.bucket}'{self._where}; "
                "create it or correct the name"
            )

    def prepare(self) -> None:
        """Ask for the bucket, and try to write into it."""
        self.check()
        self.write(".writable", b"")

    def read(self, path: str) -> bytes:
        """An object's content."""
        try:
            with self._told(), self._fs.open_input_stream(self._key(path)) as stream:
                content: bytes = stream.read()
        except StoreError as error:
            # one that is removed between two requests gives errors of several kinds
            if error.answered and not self.exists(path):
                raise FileNotFoundError(2, "missing", path) from error
            raise
        return content

    def write(self, path: str, content: bytes) -> None:
        """Upload an object; it appears when the upload is complete."""
        with self._told(), self._fs.open_output_stream(self._key(path)) as stream:
            stream.write(content)

    def promote(self, source: str, target: str, content: bytes) -> None:
        """Write the target, then remove the source; one that may not be removed does no harm."""
        self.write(target, content)
        with contextlib.suppress(OSError):
            self.delete(source)

    def delete(self, path: str) -> None:
        """Remove an object."""
        with self._told(), contextlib.suppress(FileNotFoundError):
            self._fs.delete_file(self._key(path))

    def exists(self, path: str) -> bool:
        """Whether an object is there."""
        with self._told():
            return bool(self._fs.get_file_info(self._key(path)).is_file)

    def files(self, folder: str = "") -> dict[str, Entry]:
        """Every object below a folder by its path."""
        from pyarrow import fs

        base = self._key(folder) if folder else self._root
        selector = fs.FileSelector(base, recursive=True, allow_not_found=True)
        with self._told():
            found = self._fs.get_file_info(selector)
        return {
            path: Entry(path, info.size, info.mtime.timestamp() if info.mtime else 0.0)
            for info in found
            if info.is_file
            for path in [info.path[len(self._root) + 1 :]]
        }

    def _key(self, path: str) -> str:
        return f"{self._root}/{path}"

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what the S3 client says into its cause and a remedy."""
        try:
            yield
        except FileNotFoundError:
            raise
        except OSError as error:
            text = " ".join(str(error).split())
            found = re.search(r"AWS Error (\w+) during (\w+) operation: ?(.*)", text)
            kind, action, detail = found.groups() if found else ("", "", text)
            detail = re.sub(r"; Details:.*| ?\(Request ID.*", "", detail)
            said = f"{kind} in {action}: {detail}" if found else detail[:200]
            cause = f"bucket '{self.bucket}'{self._where} answers {said}"
            if kind in _PASSING:
                cause = f"bucket '{self.bucket}'{self._where} did not answer {action} in "
                cause += f"{self._attempts} tries: {detail}"
            raise StoreError(cause, _remedy(kind), kind not in _PASSING) from error


_PASSING = ("NETWORK_CONNECTION", "REQUEST_TIMEOUT", "SLOW_DOWN", "SERVICE_UNAVAILABLE")


def _remedy(kind: str) -> str:
    if kind == "NO_SUCH_BUCKET":
        return "create the bucket or correct its name"
    if kind in _PASSING or kind == "INTERNAL_FAILURE":
        return "check the network and AWS_ENDPOINT_URL, then run the same command again"
    return (
        "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION (or AWS_PROFILE), and what "
        "the bucket's policy allows"
    )
