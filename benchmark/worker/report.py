"""What the worker tells the host: progress lines and one error file, both in the output folder.

The host treats all of it as hints to show to a person; no score is ever read from here.
"""

from __future__ import annotations

import json
import traceback
from pathlib import Path
from typing import Any

PROGRESS = "progress.jsonl"
ERROR = "error.json"
TRACEBACK_LINES = 12
_MEMORY_ERRORS = frozenset({"MemoryError", "OutOfMemoryError", "ResourceExhaustedError"})


class SubmissionError(Exception):
    """The submission broke its contract; the message is one line that names the remedy."""


class Reporter:
    """Writes progress events, one JSON object a line, flushed at once.

    Attributes
    ----------
    step : str
        What the phase is at, for the error that may come of it.
    """

    def __init__(self, folder: Path) -> None:
        self.step = ""
        self._file = (folder / PROGRESS).open("a", encoding="utf-8")

    def __call__(self, event: str, **values: Any) -> None:
        """Append one event."""
        self._file.write(json.dumps({"event": event, **values}) + "\n")
        self._file.flush()


def write_error(
    folder: Path, status: str, error: BaseException, source: str, step: str = ""
) -> None:
    """Write ``error.json``: status, step, one-line message, and the traceback's last lines.

    Parameters
    ----------
    folder : Path
        Output folder of the phase.
    status : str
        ``model_error``, ``oom`` or ``infra_error``.
    error : BaseException
    source : str
        File name of the submission, which starts the message.
    step : str
        What the phase was at.
    """
    text = " ".join(str(error).split())[:2000]
    if not isinstance(error, SubmissionError):
        line = line_in(error, source)
        where = f"{source}:{line}" if line else source
        text = (
            f"{where}: {type(error).__name__}: {text}"
            if text
            else f"{where}: {type(error).__name__}"
        )
    lines = "".join(traceback.format_exception(error)).splitlines()[-TRACEBACK_LINES:]
    payload = {"status": status, "step": step, "message": text, "traceback": "\n".join(lines)}
    (folder / ERROR).write_text(json.dumps(payload), encoding="utf-8")


def line_in(error: BaseException, source: str) -> int | None:
    """Last line of the submission that the error passed through."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((f.lineno for f in reversed(frames) if Path(f.filename).name == source), None)


def out_of_memory(error: BaseException) -> BaseException | None:
    """Which of an error and its causes says that memory ran out, the machine's or a device's.

    Told by name and text, so that no framework need be imported: Python's own, TensorFlow's
    ``ResourceExhaustedError``, PyTorch's ``OutOfMemoryError``, JAX's ``RESOURCE_EXHAUSTED``.
    """
    seen: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in seen:
        names = {kind.__name__ for kind in type(link).__mro__}
        if names & _MEMORY_ERRORS or "RESOURCE_EXHAUSTED" in str(link):
            return link
        seen.append(link)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return None
