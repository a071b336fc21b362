"""A registry in a folder of this machine."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from motifidelity.errors import UserError
from motifidelity.files import atomic_path, sync_folder
from motifidelity.registry.store import Entry


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
