"""Progress of a run: live bars on a terminal, plain lines elsewhere, JSON lines for machines."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from motifidelity.metrics.headlines import short_name
from motifidelity.phase.interface import Event
from motifidelity.runs.plan import Job

if TYPE_CHECKING:
    from rich.progress import TaskID

# without a terminal epochs and steps are shown at most this often, in seconds
PLAIN_EVERY = 15.0
# running jobs that have a bar of their own on a terminal
BARS = 12
# columns of a terminal that bar, step and time left need; what is beyond is the label's
BESIDE_LABEL = 60
SHORTEST_LABEL = 18
# with so many the time that a job has taken is shown too, which needs a few
WIDE, ELAPSED = 110, 9


class Display(Protocol):
    """Shows a run to somebody."""

    def note(self, text: str) -> None:
        """Say something about the run as a whole."""

    def begin(self, job: Job, number: int, of: int) -> None:
        """A job starts."""

    def event(self, job: Job, phase: str, event: Event) -> None:
        """A phase of a running job reports."""

    def end(self, job: Job, status: str, message: str, seconds: float) -> None:
        """A running job ended."""


@dataclass
class Pace:
    """How fast the jobs of a run end, and when the last one will.

    Attributes
    ----------
    of : int
        Jobs to run.
    done : int
    """

    of: int = 0
    done: int = 0
    clock: Callable[[], float] = time.monotonic
    started: float | None = None

    def begin(self, of: int) -> None:
        """A job starts, of so many."""
        self.of = of
        if self.started is None:
            self.started = self.clock()

    def end(self) -> None:
        """A job ended."""
        self.done += 1

    @property
    def an_hour(self) -> float | None:
        """Jobs an hour, or None before the first has ended."""
        if not self.done or self.started is None:
            return None
        return 3600 * self.done / max(self.clock() - self.started, 1e-3)

    @property
    def left(self) -> float | None:
        """Seconds until the last job ends, at this pace."""
        rate = self.an_hour
        return None if rate is None else 3600 * (self.of - self.done) / rate

    @property
    def so_far(self) -> str:
        """How many jobs have ended, and how many do in an hour."""
        text, rate = f"{self.done} of {self.of}", self.an_hour
        if rate is None:
            return text
        return f"{text}, {f'{rate:.0f}' if rate >= 10 else f'{rate:.1f}'} jobs an hour"

    @property
    def until_end(self) -> str:
        """How long it takes until the last job ends; "" where that is not known."""
        return f"{duration(self.left)} left" if self.left else ""

    def __str__(self) -> str:
        return ", ".join(filter(None, (self.so_far, self.until_end)))


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
    if event["event"] == "epoch":
        more = "" if left is None else f", {_training_left(left)}"
        return f"{brief(phase, event, '  validation ')}{more}"
    if event["event"] == "unsupported":
        name, reason = event.get("name"), event.get("reason")
        told = "filters" if name == "filters" else f"{name} does not support this network"
        return f"{told}: {reason}"
    if event["event"] == "by_gradient":
        return f"{event.get('name')} takes the gradient where it has no rule: {event.get('reason')}"
    if event["event"] == "lost":
        return f"{phase} was lost ({event.get('name')}); it runs again"
    return brief(phase, event)


def brief(phase: str, event: Event, between: str = ", ") -> str:
    """One event in a few words, for a column; ``between`` stands between an epoch and its score."""
    kind = event["event"]
    if kind == "epoch":
        value = event.get("value")
        score = f"{value:.4f}" if isinstance(value, float) else "?"
        monitor = short_name(str(event.get("monitor")))
        return f"epoch {event.get('epoch')}/{event.get('of')}{between}{monitor} {score}"
    if kind == "step":
        return f"{_step(event)} {event.get('done')}/{event.get('of')}"
    if kind == "node":
        return f"{phase} on {event.get('name')}"
    if kind == "lost":
        return "lost; it runs again"
    return {"fit": "loading libraries and data", "probe": "probing", "score": "scoring"}.get(
        phase, phase
    )


def shortened(label: str, width: int) -> str:
    """A label of at most so many letters: the model's name and the trial stay, the middle goes."""
    if len(label) <= width:
        return label
    head = (width - 1) // 2
    return f"{label[:head]}…{label[len(label) - (width - 1 - head) :]}"


def _training_left(seconds: float) -> str:
    """What is left of training alone: the probe and the scores come after it."""
    return f"at most {duration(seconds)} of training left" if seconds else "training ends"


def _step(event: Event) -> str:
    """What runs, such as ``deepshap`` or ``deepshap, random weights``."""
    part = event.get("part")
    return f"{event.get('name')}, {part}" if part else f"{event.get('name')}"


@dataclass
class _Running:
    """What a display knows of a running job."""

    number: int
    epochs: list[float] = field(default_factory=list)
    last: float = 0.0
    seen: set[str] = field(default_factory=set)


class PlainDisplay:
    """Lines on standard error, a few a minute; those of jobs side by side name their job."""

    def __init__(self) -> None:
        self._running: dict[str, _Running] = {}
        self._pace = Pace()
        self._told = 0.0
        self._several = False

    def note(self, text: str) -> None:
        """Print a line."""
        print(text, file=sys.stderr, flush=True)

    def begin(self, job: Job, number: int, of: int) -> None:
        """Name the job."""
        self._running[job.id] = _Running(number)
        self._several = self._several or len(self._running) > 1
        self._pace.begin(of)
        self.note(f"[{number}/{of}] {job.label}")

    def event(self, job: Job, phase: str, event: Event) -> None:
        """Show the event."""
        state = self._running[job.id]
        now = time.monotonic()
        left = remaining(event, state.epochs) if event["event"] == "epoch" else None
        # of epochs and of every kind of step the first, one now and then, and the last always
        name = f"{phase} {_step(event) if 'name' in event else event['event']}"
        count = {"epoch": "epoch", "step": "done"}.get(event["event"])
        last = count is not None and event.get(count) == event.get("of")
        due = count is not None and now - state.last >= PLAIN_EVERY
        # of many jobs at once only their beginnings and ends, and how the whole goes
        hidden = event["event"] == "output" or (self._several and event["event"] != "lost")
        if hidden or (name in state.seen and not (due or last)):
            return
        state.seen.add(name)
        state.last = now
        self.note(f"  {self._which(job)}{describe(phase, event, left)}")

    def end(self, job: Job, status: str, message: str, seconds: float) -> None:
        """Say how the job ended, and now and then how the run goes."""
        tail = f": {message}" if message else ""
        self.note(f"  {self._which(job)}{status} after {duration(seconds)}{tail}")
        del self._running[job.id]
        self._pace.end()
        now = time.monotonic()
        if self._pace.of > 1 and now - self._told >= PLAIN_EVERY and self._pace.left:
            self._told = now
            self.note(f"{self._pace}")

    def _which(self, job: Job) -> str:
        return f"[{self._running[job.id].number}] " if self._several else ""


class JsonDisplay:
    """One JSON object a line on standard output."""

    def __init__(self) -> None:
        self._pace = Pace()

    def note(self, text: str) -> None:
        """Print a line."""
        self._print(event="note", text=text)

    def begin(self, job: Job, number: int, of: int) -> None:
        """Name the job."""
        self._pace.begin(of)
        self._print(event="job", job_id=job.id, label=job.label, number=number, of=of)

    def event(self, job: Job, phase: str, event: Event) -> None:
        """Show the event."""
        if event["event"] != "output":
            self._print(phase=phase, job_id=job.id, **event)

    def end(self, job: Job, status: str, message: str, seconds: float) -> None:
        """Say how the job ended."""
        self._pace.end()
        self._print(
            event="done",
            job_id=job.id,
            status=status,
            message=message,
            seconds=round(seconds, 3),
            jobs_an_hour=self._pace.an_hour,
            seconds_left=self._pace.left,
        )

    @staticmethod
    def _print(**values: Any) -> None:
        print(json.dumps(values), flush=True)


class RichDisplay:
    """Live bars: the run with its pace, and the running jobs with their steps.

    On a narrow terminal labels are shortened first: bar and time left always show.
    """

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
        from rich.table import Column

        self._console = Console(stderr=True)
        wide = self._console.width >= WIDE
        beside = BESIDE_LABEL + (ELAPSED if wide else 0)
        self._room = max(SHORTEST_LABEL, self._console.width - beside)

        def text(name: str, **options: Any) -> TextColumn:
            column = Column(no_wrap=True, overflow="ellipsis", **options)
            return TextColumn(f"{{task.{name}}}", markup=False, table_column=column)

        columns = [
            text("description", ratio=1, min_width=SHORTEST_LABEL),
            BarColumn(bar_width=12),
            text("fields[text]", max_width=26),
            text("fields[left]", justify="right"),
        ]
        if wide:
            columns.append(TimeElapsedColumn())
        self._progress = Progress(*columns, console=self._console, expand=True)
        self._pace = Pace()
        self._run = self._progress.add_task("all jobs", total=None, text="", left="", visible=False)
        self._bars: dict[str, TaskID] = {}
        self._epochs: dict[str, list[float]] = {}

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
        self._pace.begin(of)
        self._epochs[job.id] = []
        self._bars[job.id] = self._progress.add_task(
            shortened(job.label, self._room),
            total=None,
            text="",
            left="",
            visible=len(self._bars) < BARS,
        )
        self._show_run()

    def event(self, job: Job, phase: str, event: Event) -> None:
        """Show the event."""
        if event["event"] == "output":
            return
        bar = self._bars[job.id]
        left = remaining(event, self._epochs[job.id]) if event["event"] == "epoch" else None
        total = event.get("of") or event.get("epochs")
        done = event.get("epoch") or event.get("done") or 0
        if isinstance(total, int) and isinstance(done, int):
            self._progress.update(bar, total=total, completed=done)
        # early stopping may end the training sooner
        until = f"≤ {duration(left)} left" if left else ""
        self._progress.update(bar, text=brief(phase, event), left=until)

    def end(self, job: Job, status: str, message: str, seconds: float) -> None:
        """Say how the job ended."""
        self._progress.remove_task(self._bars.pop(job.id))
        del self._epochs[job.id]
        for bar in list(self._bars.values())[:BARS]:
            self._progress.update(bar, visible=True)
        self._pace.end()
        self._show_run()
        mark = "✓" if status == "ok" else "✗"
        tail = f": {message}" if message else ""
        self.note(f"{mark} {job.label}: {status} after {duration(seconds)}{tail}")

    def _show_run(self) -> None:
        hidden = len(self._bars) - BARS
        more = f" ({hidden} more running)" if hidden > 0 else ""
        self._progress.update(
            self._run,
            visible=self._pace.of > 1,
            total=self._pace.of,
            completed=self._pace.done,
            text=f"{self._pace.so_far}{more}",
            left=self._pace.until_end,
        )
