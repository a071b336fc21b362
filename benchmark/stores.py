"""Where a registry's files lie: a local folder, or a prefix of an S3 bucket.

Both write a file as a whole or not at all, so that a reader never sees half of one: a folder by
renaming a flushed temporary file, S3 because an object appears when its upload is complete.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from motifidelity.errors import UnreachableError, UserError
from motifidelity.storage import atomic_path, sync_folder

S3_PREFIX = "s3://"


@dataclass(frozen=True)
class Entry:
    """A file that a listing found: bytes, seconds since 1970, and whether it is a plain file."""

    path: str
    size: int
    modified: float
    plain: bool = True


class StoreError(OSError):
    """Trouble of a store that is not the local disk's: its cause, and what mends it.

    ``answered`` tells whether the store gave an answer at all.
    """

    def __init__(self, cause: str, remedy: str, answered: bool) -> None:
        super().__init__(cause)
        self.remedy = remedy
        self.answered = answered

    def unreachable(self, place: str) -> UnreachableError:
        """The same as one line for the user, who knows the place by its name."""
        return UnreachableError(f"{place}: {self}; {self.remedy}")


class Store(Protocol):
    """Files by their path below the registry's root, with ``/`` between folders.

    Every method raises ``OSError`` (``FileNotFoundError`` for a file that is not there).
    """

    @property
    def name(self) -> str:
        """How messages name the registry."""
        ...

    @property
    def readers(self) -> int:
        """How many files are worth reading at once."""
        ...

    def check(self) -> None:
        """Raise ``UserError`` where there is nothing that could be read."""
        ...

    def prepare(self) -> None:
        """Make sure that files can be written."""
        ...

    def read(self, path: str) -> bytes:
        """A file's content."""
        ...

    def write(self, path: str, content: bytes) -> None:
        """Write a file as a whole, over an older one if there is any."""
        ...

    def promote(self, source: str, target: str, content: bytes) -> None:
        """Give a file of this content its final name; at no moment is neither of the two there."""
        ...

    def delete(self, path: str) -> None:
        """Remove a file; nothing happens where there is none."""
        ...

    def exists(self, path: str) -> bool:
        """Whether a file is there."""
        ...

    def files(self, folder: str = "") -> dict[str, Entry]:
        """Every file below a folder by its path, those with hidden names included."""
        ...


def open_store(location: str | Path) -> Store:
    """The store of a registry's location: a folder or ``s3://bucket/prefix``.

    Raises
    ------
    UserError
        If the location is an address of something else.
    """
    if isinstance(location, str) and location.startswith(S3_PREFIX):
        from motifidelity.s3 import S3Store

        return S3Store(location)
    if isinstance(location, str) and re.match(r"[a-z][a-z0-9+.-]+://", location):
        raise UserError(f"registry {location}: give a folder or s3://bucket/prefix")
    return LocalStore(Path(location))


class LocalStore:
    """A folder on this machine."""

    readers = 4

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def name(self) -> str:
        """The folder as it was given."""
        return str(self.folder)

    def check(self) -> None:
        """Raise ``UserError`` where there is no such folder."""
        if not self.folder.is_dir():
            raise UserError(f"registry {self.folder}: no such folder; give one with --registry")

    def prepare(self) -> None:
        """Make the folder, and try to write into it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with atomic_path(self.folder / ".writable") as probe:
            probe.write_bytes(b"")
        (self.folder / ".writable").unlink(missing_ok=True)

    def read(self, path: str) -> bytes:
        """A file's content."""
        return (self.folder / path).read_bytes()

    def write(self, path: str, content: bytes) -> None:
        """Write through a temporary file, flushed and then renamed."""
        target = self.folder / path
        new = not target.parent.exists()
        with atomic_path(target) as temporary:
            temporary.write_bytes(content)
        if new:
            sync_folder(target.parent.parent)

    def promote(self, source: str, target: str, content: bytes) -> None:
        """Rename a file."""
        (self.folder / source).replace(self.folder / target)
        sync_folder((self.folder / target).parent)

    def delete(self, path: str) -> None:
        """Remove a file, and its folder below ``networks`` with the last one."""
        target = self.folder / path
        target.unlink(missing_ok=True)
        if len(PurePosixPath(path).parts) > 2:
            with contextlib.suppress(OSError):
                target.parent.rmdir()

    def exists(self, path: str) -> bool:
        """Whether a file is there."""
        return (self.folder / path).is_file()

    def files(self, folder: str = "") -> dict[str, Entry]:
        """Every file below a folder by its path."""
        return {entry.path: entry for entry in _walk(self.folder / folder, folder)}


def _walk(folder: Path, name: str) -> Iterator[Entry]:
    try:
        found = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in found:
        path = f"{name}/{entry.name}" if name else entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path), path)
            continue
        try:
            facts = entry.stat(follow_symlinks=False)
        except FileNotFoundError:  # removed since it was listed
            continue
        yield Entry(path, facts.st_size, facts.st_mtime, stat.S_ISREG(facts.st_mode))
