"""What the worker tells the host: progress lines and one error file, both in the output folder.

The host treats all of it as hints to show to a person; no score is ever read from here.
"""

from __future__ import annotations

import json
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

PROGRESS = "progress.jsonl"
ERROR = "error.json"
HERE = Path(__file__).resolve().parent
_MEMORY_ERRORS = frozenset({"MemoryError", "OutOfMemoryError", "ResourceExhaustedError"})
_MACHINE_ERRORS = frozenset({"InternalError", "UnknownError"})
_MACHINE_WORDS = ("CUDA", "cuDNN", "DNN library", "INTERNAL:")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
# where a framework's own stack or list of arguments begins in what an error says
_BEYOND = re.compile(
    r"\s*(Arguments received by|Detected at node|Stack trace for op definition|"
    r"Original stack trace|\[\[\{\{node|\[Op:|While executing %)"
)

_NODES = re.compile(r"\{\{function_node [^}]*\}\} ?")
_OF_STACK = (" ", "\t", "Detected at node", "<stack traces")


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


@contextmanager
def blames_submission(source: Path, when: str) -> Iterator[None]:
    """Let what a submission's own code or network causes be its error, wherever it is raised.

    Parameters
    ----------
    source : Path
        Its file.
    when : str
        What runs, such as ``in build_model``.

    Raises
    ------
    SubmissionError
        For an end of the process, and for an exception of a framework without a line of the file.
        One with such a line, memory that ran out, the machine's own errors and faults of this
        package pass through.
    """
    try:
        yield
    except SubmissionError:
        raise
    except SystemExit as error:
        raise SubmissionError(
            f"{_place(error, source)}: the file ended the process {when} "
            f"({type(error).__name__}: {error.code}); take out sys.exit and parse_args: parameters "
            "are keywords of build_model, set by --param"
        ) from error
    except Exception as error:
        ours = _innermost(error.__traceback__).is_relative_to(HERE)
        if ours or out_of_memory(error) or of_the_machine(error) or line_in(error, source):
            raise
        raise SubmissionError(
            f"{source.name}: {type(error).__name__} {when}: {said(error)}{_other_backend(source)}"
        ) from error


def write_error(
    folder: Path, status: str, error: BaseException, source: Path, step: str = ""
) -> None:
    """Write ``error.json``: status, step, a message of one line, and of a stack what helps.

    The whole stack is printed, for the log of the job.

    Parameters
    ----------
    folder : Path
        Output folder of the phase.
    status : str
        ``model_error``, ``oom`` or ``infra_error``.
    error : BaseException
    source : Path
        The submission's file; its name starts the message.
    step : str
        What the phase was at.
    """
    traceback.print_exception(error, file=sys.stderr)
    text = " ".join(str(error).split())[:2000]
    if not isinstance(error, SubmissionError):
        kind = type(error).__name__
        text = f"{_place(error, source)}: {kind}" + (f": {said(error)}" if str(error) else "")
        text += _other_backend(source) if status == "model_error" else ""
    stack = (
        "".join(traceback.format_exception(error))[-8000:]
        if status == "infra_error"
        else _own_stack(error, source)
    )
    payload = {"status": status, "step": step, "message": text, "traceback": stack.rstrip()}
    (folder / ERROR).write_text(json.dumps(payload), encoding="utf-8")


def said(error: BaseException) -> str:
    """What an error says, in one line: no colours, no stack of a framework, no arguments."""
    text = _NODES.sub("", _COLOURS.sub("", str(error)))
    if text.startswith("Graph execution error"):
        # what went wrong stands below the stack
        kept = [line for line in text.splitlines()[1:] if line and not line.startswith(_OF_STACK)]
        text = "\n".join(kept)
    text = _BEYOND.split(text)[0]
    if text.lstrip().startswith("in user code:"):
        text = text.rstrip().rpartition("\n")[2]
    return " ".join(text.split())[:500]


def line_in(error: BaseException, source: Path) -> int | None:
    """Last line of a file that an error, or what caused it, passed through."""
    lines = [f.lineno for link in _chain(error) for f in _frames(link, source)[-1:]]
    return next((line for line in lines if line), None)


def out_of_memory(error: BaseException) -> BaseException | None:
    """Which of an error and its causes says that memory ran out, the machine's or a device's.

    Told by name and text, so that no framework need be imported: Python's own, TensorFlow's
    ``ResourceExhaustedError``, PyTorch's ``OutOfMemoryError``, JAX's ``RESOURCE_EXHAUSTED``.
    """
    for link in _chain(error):
        names = {kind.__name__ for kind in type(link).__mro__}
        if names & _MEMORY_ERRORS or "RESOURCE_EXHAUSTED" in str(link):
            return link
    return None


def of_the_machine(error: BaseException) -> bool:
    """Whether an error is of a disk, a driver or a device, and no file's fault."""
    names = {kind.__name__ for kind in type(error).__mro__}
    told = any(word in str(error) for word in _MACHINE_WORDS)
    return isinstance(error, OSError) or bool(names & _MACHINE_ERRORS) or told


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error, its cause, that one's cause, and so on."""
    seen: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in seen:
        yield link
        seen.append(link)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _frames(error: BaseException, source: Path) -> list[traceback.FrameSummary]:
    """Frames of one file alone; a file of ours may have the same name."""
    frames = traceback.extract_tb(error.__traceback__)
    return [frame for frame in frames if Path(frame.filename) == source]


def _own_stack(error: BaseException, source: Path) -> str:
    """The frames of the submission's file, and what was raised below them."""
    for link in _chain(error):
        if frames := _frames(link, source):
            shown = "".join(traceback.format_list(frames))
            return f"{shown}{type(link).__name__}: {said(link)}"
    return ""


def _place(error: BaseException, source: Path) -> str:
    line = line_in(error, source)
    return f"{source.name}:{line}" if line else source.name


def _innermost(stack: TracebackType | None) -> Path:
    frames = traceback.extract_tb(stack)
    return Path(frames[-1].filename).resolve() if frames else Path()


def _other_backend(source: Path) -> str:
    """A remedy where the file imports a framework that Keras does not run on."""
    import keras

    here = keras.backend.backend()
    try:
        text = source.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
    for name in ("torch", "jax"):
        if name != here and re.search(rf"^\s*(import|from)\s+{name}\b", text, re.MULTILINE):
            return (
                f"; the file imports {name} and Keras runs on {here}: add "
                f"MODEL = dict(backend='{name}')"
            )
    return ""
