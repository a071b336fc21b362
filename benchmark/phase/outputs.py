"""A phase's output folder, seen from outside while it is being written: not to be trusted."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from motifidelity.phase.interface import STEPS, OnEvent, PhaseResult
from motifidelity.untrusted import clean_text, quoted


@dataclass(frozen=True)
class OutputLimits:
    """What a phase may leave: files directly in the folder, and their total size in bytes."""

    files: int = 256
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
                    return f"{quoted(entry.name)} in the output folder is {problem}"
                total += max(status.st_size, status.st_blocks * 512)
                if total > limits.total_bytes:
                    return f"more than {limits.total_bytes >> 20} MiB in the output folder"
    except OSError as error:
        return f"the output folder cannot be read ({error.strerror})"
    return None


def folder_bytes(folder: Path) -> int:
    """Bytes of the files in a folder and its subfolders; links are not followed."""
    total = 0
    for here, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                status = os.lstat(os.path.join(here, name))  # noqa: PTH118
                total += max(status.st_size, status.st_blocks * 512)
    return total


# TensorFlow's and XLA's own lines when they start or trace: no failure is told by them
_START_UP = re.compile(
    r"^([IW]\d{4} \d\d:|E\d{4} .*(cuInit|register)|\d{4}-\d\d-\d\d [\d:.]+: [IW] |"
    r"WARNING: All log messages before absl|WARNING:tensorflow:|"
    r"To enable the following instructions)"
)


def last_lines(text: str, lines: int = 20) -> str:
    """The last lines that a phase printed, without those of a framework that starts."""
    kept = [line for line in text.splitlines() if not _START_UP.match(line)]
    return clean_text("\n".join(kept[-lines:]), 4000, lines=True)


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


def _problem(status: os.stat_result) -> str | None:
    if stat.S_ISDIR(status.st_mode):
        return "a folder; write only files there"
    if stat.S_ISLNK(status.st_mode):
        return "a symbolic link"
    if not stat.S_ISREG(status.st_mode):
        return "not a regular file"
    return "a hard link" if status.st_nlink > 1 else None


PROGRESS_LIMIT = 1 << 20


ERROR_LIMIT = 1 << 16


class ProgressTail:
    """Reads new events from a worker's progress file, which is not to be trusted."""

    def __init__(self, path: Path, on_event: OnEvent) -> None:
        self._path = path
        self._on_event = on_event
        self._offset = 0
        self._rest = b""

    def poll(self) -> None:
        """Pass on every complete new line that is a known event; ignore the rest."""
        if self._offset >= PROGRESS_LIMIT:
            return
        new = read_plain(self._path, PROGRESS_LIMIT - self._offset, self._offset)
        if not new:
            return
        self._offset += len(new)
        *lines, self._rest = (self._rest + new).split(b"\n")
        for line in lines:
            try:
                event = _known_event(json.loads(line))
            except (ValueError, RecursionError):
                continue
            if event:
                self._on_event(event)


def _known_event(raw: Any) -> dict[str, Any] | None:
    """The known fields of an event, each of its own type and bounded; None for anything else."""
    if not isinstance(raw, dict) or not isinstance(raw.get("event"), str):
        return None
    event: dict[str, Any] = {"event": clean_text(raw["event"], 40)}
    for name in ("epoch", "epochs", "of", "done"):
        value = raw.get(name)
        if isinstance(value, int) and 0 <= value < 1 << 31:
            event[name] = int(value)
    for name in ("value", "seconds"):
        value = raw.get(name)
        if isinstance(value, float) and math.isfinite(value):
            event[name] = value
    for name, longest in (("name", 40), ("monitor", 40), ("part", 40), ("reason", 200)):
        if isinstance(raw.get(name), str):
            event[name] = clean_text(raw[name], longest)
    return event


def read_plain(path: Path, limit: int, offset: int = 0) -> bytes | None:
    """At most ``limit`` bytes of a regular file; None for anything else.

    A stranger may have put a link or a pipe there, and may swap it at any time: the file is opened
    without following or waiting, and looked at once it is open.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(path, flags)
    except OSError:
        return None
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
        os.close(handle)
        return None
    with os.fdopen(handle, "rb") as file:
        file.seek(offset)
        return file.read(limit)


def read_error(out: Path) -> PhaseResult | None:
    """How a phase ended by what its worker left, or None.

    Only ``model_error``, ``oom`` and ``infra_error`` are accepted: a worker cannot claim success.
    """
    content = read_plain(out / "error.json", ERROR_LIMIT + 1)
    if content is None or len(content) > ERROR_LIMIT:
        return None
    try:
        payload = json.loads(content)
        status, message = payload["status"], payload["message"]
        traceback, step = payload.get("traceback", ""), payload.get("step")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if status not in ("model_error", "oom", "infra_error"):
        return None
    return PhaseResult(
        status,
        clean_text(str(message), 2000),
        clean_text(str(traceback), 8000, lines=True),
        step=step if step in STEPS else "",
    )
