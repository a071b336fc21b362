"""Temporary folders and other left-overs that carry their owner's name.

A process that is killed cannot clean up. Whatever it makes is marked with who made it, so that the
next start finds what nobody owns any more and removes it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import shutil
import stat
import tempfile
import uuid
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PREFIX = "motifidelity-"
# a process's start time is derived from the clock of the boot, which may be corrected a little
_CLOCK_SLACK = 10.0


@cache
def machine() -> str:
    """Short name of this machine, the same after a restart."""
    return hashlib.sha256(f"{platform.node()} {uuid.getnode()}".encode()).hexdigest()[:8]


@cache
def owner() -> str:
    """The running process as a mark: machine, process id and start time."""
    import psutil

    return f"{machine()}-{os.getpid()}-{int(psutil.Process().create_time())}"


def is_orphan(mark: str) -> bool:
    """Whether a mark's process ran on this machine and is gone; False for any other text."""
    import psutil

    try:
        where, pid, started = mark.split("-")[:3]
        if where != machine():
            return False
        return bool(abs(psutil.Process(int(pid)).create_time() - int(started)) > _CLOCK_SLACK)
    except psutil.NoSuchProcess:
        return True
    except (ValueError, psutil.Error):
        return False


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new private folder, removed with all that is in it when the block ends."""
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{owner()}-"))
    try:
        yield folder
    finally:
        remove_tree(folder)


def sweep() -> int:
    """Remove the folders of processes that are gone, and return how many there were."""
    found = 0
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if not folder.is_symlink() and is_orphan(folder.name.removeprefix(PREFIX)):
            remove_tree(folder)
            found += not folder.exists()
    return found


def remove_tree(folder: Path) -> None:
    """Remove a folder that a stranger may have filled, however deep; errors are passed over.

    Folders are lifted to the top one level at a time, so that no path grows too long and nothing
    recurses.
    """
    number = 0
    with contextlib.suppress(OSError):
        while entries := list(folder.iterdir()):
            for entry in entries:
                if not _is_folder(entry):
                    entry.unlink()
                    continue
                entry.chmod(stat.S_IRWXU)
                for child in list(entry.iterdir()):
                    if _is_folder(child):
                        number += 1
                        child.chmod(stat.S_IRWXU)
                        child.rename(folder / f".{number}-{owner()}")
                    else:
                        child.unlink()
                entry.rmdir()
        folder.rmdir()
    shutil.rmtree(folder, ignore_errors=True)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
