"""The look at an output folder, from outside and while it is being written."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

NAME_LIMIT = 60


@dataclass(frozen=True)
class OutputLimits:
    """What a phase may leave: files directly in the folder, and their total size in bytes."""

    files: int = 64
    total_bytes: int = 2 << 30


def survey(out: Path, limits: OutputLimits) -> str | None:
    """What is wrong with an output folder, or None.

    Only names and sizes are read; no file is opened, no link followed, no subfolder entered. The
    folder may change meanwhile.
    """
    files = total = 0
    try:
        with os.scandir(out) as entries:
            for entry in entries:
                files += 1
                if files > limits.files:
                    return f"more than {limits.files} files in the output folder"
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if problem := _problem(status):
                    return f"{clean_name(entry.name)} in the output folder is {problem}"
                total += max(status.st_size, status.st_blocks * 512)
                if total > limits.total_bytes:
                    return f"more than {limits.total_bytes >> 20} MiB in the output folder"
    except OSError as error:
        return f"the output folder cannot be read ({error.strerror})"
    return None


def holes(path: Path) -> bool:
    """Whether a file claims more bytes than it holds (a sparse file)."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if not size or not hasattr(os, "SEEK_HOLE"):
            return False
        try:
            first_hole = os.lseek(file.fileno(), 0, os.SEEK_HOLE)
        except OSError:
            return False
        # a compressing file system may report holes in zeros that were written
        return first_hole < size and os.fstat(file.fileno()).st_blocks * 512 < size // 2


def clean_name(name: str) -> str:
    """A stranger's file name as safe, short text."""
    return ascii(name[:NAME_LIMIT])


def _problem(status: os.stat_result) -> str | None:
    if stat.S_ISDIR(status.st_mode):
        return "a folder; write only files there"
    if stat.S_ISLNK(status.st_mode):
        return "a symbolic link"
    if not stat.S_ISREG(status.st_mode):
        return "not a regular file"
    return "a hard link" if status.st_nlink > 1 else None
