"""Progress of a run: live bars on a terminal, plain lines elsewhere, JSON lines for machines."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from motifidelity.executors.base import Event
from motifidelity.plan import Job

# without a terminal an epoch is shown at most this often, in seconds
PLAIN_EVERY = 15.0


class Display(Protocol):
    """Shows a run to somebody."""

    def note(self, text: str) -> None:
        """Say something about the run as a whole."""

    def begin(self, job: Job, number: int, of: int) -> None:
        """A job starts."""

    def event(self, phase: str, event: Event) -> None:
        """A phase of the running job reports."""

    def end(self, job: Job, status: str, message: str, seconds: float) -> None:
        """The running job ended."""


@contextmanager
def open_display(as_json: bool) -> Iterator[Display]:
    """The display that fits where standard error goes."""
    if as_json:
        yield JsonDisplay()
    elif sys.stderr.isatty():
        with RichDisplay() as display:
            yield display
    else:
        yield PlainDisplay()


def duration(seconds: float) -> str:
    """Seconds as people read them: ``48 s``, ``12 min``, ``3 h 05 min``."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def remaining(event: Event, seconds_per_epoch: list[float]) -> float | None:
    """Seconds until the last epoch that is allowed; early stopping may end sooner."""
    try:
        seconds_per_epoch.append(float(event["seconds"]))
        left = int(event["of"]) - int(event["epoch"])
    except (KeyError, TypeError, ValueError):
        return None
    recent = seconds_per_epoch[-5:]
    return left * sum(recent) / len(recent)


def describe(phase: str, event: Event, left: float | None) -> str:
    """One event as text."""
    kind = event["event"]
    if kind == "epoch":
        value = event.get("value")
        score = f"{value:.4f}" if isinstance(value, float) else "?"
        more = f", at most {duration(left)} left" if left is not None else ""
        return (
            f"epoch {event.get('epoch')}/{event.get('of')}  "
            f"validation {str(event.get('monitor')).upper()} {score}{more}"
        )
    if kind == "step":
        return f"{_step(event)} {event.get('done')}/{event.get('of')}"
    if kind == "unsupported":
        return f"{event.get('name')} does not support this network: {event.get('reason')}"
    return {"fit": "loading TensorFlow and data", "probe": "probing", "score": "scoring"}.get(
        phase, phase
    )


def _step(event: Event) -> str:
    """What runs, such as ``deepshap`` or ``deepshap, random weights``."""
    part = event.get("part")
    return f"{event.get('name')}, {part}" if part else f"{event.get('name')}"


class PlainDisplay:
    """Lines on standard error, a few a minute."""

    def __init__(self) -> None:
        self._epochs: list[float] = []
        self._last = 0.0
        self._seen: set[str] = set()

    def note(self, text: str) -> None:
        """Print a line."""
        print(text, file=sys.stderr, flush=True)

    def begin(self, job: Job, number: int, of: int) -> None:
        """Name the job."""
        self._epochs, self._last, self._seen = [], 0.0, set()
        self.note(f"[{number}/{of}] {job.label}")

    def event(self, phase: str, event: Event) -> None:
        """Show the event."""
        now = time.monotonic()
        left = remaining(event, self._epochs) if event["event"] == "epoch" else None
        # every kind of step once, epochs now and then and the last one always
        name = f"{phase} {_step(event) if 'name' in event else event['event']}"
        last = event["event"] == "epoch" and event.get("epoch") == event.get("of")
        due = event["event"] == "epoch" and now - self._last >= PLAIN_EVERY
        if name in self._seen and not (due or last):
            return
        self._seen.add(name)
        self._last = now
        self.note(f"  {describe(phase, event, left)}")

    def end(self, job: Job, status: str, message: str, seconds: float) -> None:
        """Say how the job ended."""
        self.note(f"  {status} after {duration(seconds)}" + (f": {message}" if message else ""))


class JsonDisplay:
    """One JSON object a line on standard output."""

    def note(self, text: str) -> None:
        """Print a line."""
        self._print(event="note", text=text)

    def begin(self, job: Job, number: int, of: int) -> None:
        """Name the job."""
        self._print(event="job", job_id=job.id, label=job.label, number=number, of=of)

    def event(self, phase: str, event: Event) -> None:
        """Show the event."""
        self._print(phase=phase, **event)

    def end(self, job: Job, status: str, message: str, seconds: float) -> None:
        """Say how the job ended."""
        self._print(
            event="done", job_id=job.id, status=status, message=message, seconds=round(seconds, 3)
        )

    @staticmethod
    def _print(**values: Any) -> None:
        print(json.dumps(values), flush=True)


class RichDisplay:
    """Two live bars: jobs of the run, steps of the running job."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[text]}", markup=False),
            TimeElapsedColumn(),
            console=self._console,
        )
        self._run = self._progress.add_task("all jobs", total=None, text="", visible=False)
        self._job = self._progress.add_task("", total=None, text="", visible=False)
        self._epochs: list[float] = []

    def __enter__(self) -> RichDisplay:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def note(self, text: str) -> None:
        """Print a line."""
        self._console.print(text, markup=False, highlight=False)

    def begin(self, job: Job, number: int, of: int) -> None:
        """Name the job."""
        self._epochs = []
        self._progress.update(
            self._run, visible=of > 1, total=of, completed=number - 1, text=f"{number} of {of}"
        )
        self.note(f"  {job.label}")
        self._progress.reset(self._job, description="this job", total=None, visible=True, text="")

    def event(self, phase: str, event: Event) -> None:
        """Show the event."""
        left = remaining(event, self._epochs) if event["event"] == "epoch" else None
        total = event.get("of") or event.get("epochs")
        done = event.get("epoch") or event.get("done") or 0
        if isinstance(total, int) and isinstance(done, int):
            self._progress.update(self._job, total=total, completed=done)
        self._progress.update(self._job, text=describe(phase, event, left))

    def end(self, job: Job, status: str, message: str, seconds: float) -> None:
        """Say how the job ended."""
        self._progress.update(self._job, visible=False)
        self._progress.advance(self._run)
        mark = "✓" if status == "ok" else "✗"
        tail = f": {message}" if message else ""
        self.note(f"{mark} {job.label}: {status} after {duration(seconds)}{tail}")
