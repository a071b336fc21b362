"""The interface of an executor, and what a finished phase says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

STATUSES = ("ok", "model_error", "timeout", "oom", "invalid_output", "infra_error")
Event = Mapping[str, Any]
OnEvent = Callable[[Event], None]
PROGRESS_LIMIT = 1 << 20
ERROR_LIMIT = 1 << 16


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
class PhaseResult:
    """How a phase ended."""

    status: str
    message: str = ""
    traceback: str = ""
    seconds: float = 0.0
    peak_memory: int = 0


class Executor(Protocol):
    """Runs phases somewhere."""

    name: str
    isolation: str
    image: str | None

    def run(self, phase: Phase, on_event: OnEvent) -> PhaseResult:
        """Run one phase to its end, passing its progress events on."""
        ...


class ProgressTail:
    """Reads new events from a worker's progress file, which is not to be trusted."""

    def __init__(self, path: Path, on_event: OnEvent) -> None:
        self._path = path
        self._on_event = on_event
        self._offset = 0
        self._rest = b""

    def poll(self) -> None:
        """Pass on every complete new line that is a JSON object; ignore the rest."""
        if self._path.is_symlink() or self._offset >= PROGRESS_LIMIT:
            return
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                new = file.read(PROGRESS_LIMIT - self._offset)
        except OSError:
            return
        self._offset += len(new)
        *lines, self._rest = (self._rest + new).split(b"\n")
        for line in lines:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict) and isinstance(event.get("event"), str):
                self._on_event(event)


def read_error(out: Path) -> tuple[str, str, str] | None:
    """Status, message and traceback that a worker left, or None.

    Only ``model_error``, ``oom`` and ``infra_error`` are accepted: a worker cannot claim success.
    """
    path = out / "error.json"
    try:
        if path.is_symlink() or path.stat().st_size > ERROR_LIMIT:
            return None
        payload = json.loads(path.read_text(encoding="utf-8"))
        status, message = payload["status"], payload["message"]
        traceback = payload.get("traceback", "")
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if status not in ("model_error", "oom", "infra_error"):
        return None
    return status, clean_text(str(message), 2000), clean_text(str(traceback), 8000, lines=True)


def clean_text(text: str, limit: int, *, lines: bool = False) -> str:
    """Printable text of bounded length: control characters of a stranger's message are dropped."""
    kept = "".join(c for c in text if c.isprintable() or (lines and c in "\n\t"))
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"
