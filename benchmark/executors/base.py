"""The interface of an executor, and what a finished phase says."""

from __future__ import annotations

import json
import math
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

STATUSES = ("ok", "model_error", "timeout", "oom", "invalid_output", "infra_error")
Event = Mapping[str, Any]
OnEvent = Callable[[Event], None]
PROGRESS_LIMIT = 1 << 20
ERROR_LIMIT = 1 << 16
OUTPUT_LIMIT = 1 << 16
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Phase:
    """One phase of a job: what runs, what it may read, where it writes.

    Attributes
    ----------
    name : str
        ``fit`` or ``probe``.
    settings : mapping
        The request, without paths.
    inputs : mapping of str to Path
        Files the phase may read, by the name that the worker knows them by.
    out : Path
        The one folder it may write.
    """

    name: str
    settings: Mapping[str, Any]
    inputs: Mapping[str, Path]
    out: Path


@dataclass(frozen=True)
class Place:
    """What a row records of where its job ran, beside the harness's own machine.

    Attributes
    ----------
    slots : int
        Jobs that may run at the same time.
    policy : str, optional
        Canonical JSON of the sandbox policy.
    widened : tuple of str
        Limits that are wider than the standard policy's.
    gpus : str, optional
        Canonical JSON of driver, CUDA version, and the devices' names and UUIDs.
    packages : mapping, optional
        Versions that the phases run with, where they are not this process's own.
    warnings : tuple of str
        Lines that mark every row.
    threads : int, optional
        Threads of a job that shares a machine with others; a sandbox has its policy's.
    """

    slots: int = 1
    policy: str | None = None
    widened: tuple[str, ...] = ()
    gpus: str | None = None
    packages: Mapping[str, str] | None = field(default=None, hash=False)
    warnings: tuple[str, ...] = ()
    threads: int | None = None


@dataclass(frozen=True)
class Host:
    """The machine that a phase ran on, where it is another than the harness's own.

    Attributes
    ----------
    environment : str
        Canonical JSON of the machine and of the versions on it.
    place : Place
    """

    environment: str
    place: Place


@dataclass(frozen=True)
class PhaseResult:
    """How a phase ended; ``output`` is the end of what it printed."""

    status: str
    message: str = ""
    traceback: str = ""
    seconds: float = 0.0
    peak_memory: int = 0
    device: str = "cpu"
    output: str = ""
    host: Host | None = None


class Executor(Protocol):
    """Runs phases somewhere; several threads may call ``run`` where ``place.slots`` allows."""

    name: str
    isolation: str
    image: str | None
    place: Place

    def run(self, phase: Phase, on_event: OnEvent) -> PhaseResult:
        """Run one phase to its end, passing its progress events on."""
        ...

    def stop(self) -> None:
        """End the phases that other threads run; each raises ``KeyboardInterrupt`` there."""
        ...


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
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            return None
        file.seek(offset)
        return file.read(limit)


def read_error(out: Path) -> tuple[str, str, str] | None:
    """Status, message and traceback that a worker left, or None.

    Only ``model_error``, ``oom`` and ``infra_error`` are accepted: a worker cannot claim success.
    """
    content = read_plain(out / "error.json", ERROR_LIMIT + 1)
    if content is None or len(content) > ERROR_LIMIT:
        return None
    try:
        payload = json.loads(content)
        status, message = payload["status"], payload["message"]
        traceback = payload.get("traceback", "")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if status not in ("model_error", "oom", "infra_error"):
        return None
    return status, clean_text(str(message), 2000), clean_text(str(traceback), 8000, lines=True)


def clean_text(text: str, limit: int, *, lines: bool = False) -> str:
    """Printable text of bounded length: colours and control characters are dropped."""
    text = _COLOURS.sub("", text)
    kept = "".join(c for c in text if c.isprintable() or (lines and c in "\n\t"))
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"
