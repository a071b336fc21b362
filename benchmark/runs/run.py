"""Run a plan: skip what is finished, run the rest, lose nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING

from motifidelity.errors import UserError
from motifidelity.phase.interface import Event, Executor
from motifidelity.registry import Registry
from motifidelity.runs.ceilings import record_references
from motifidelity.runs.display import Display
from motifidelity.runs.job import run_job
from motifidelity.runs.logs import JobLogs
from motifidelity.runs.packs import fitted_together, units
from motifidelity.runs.plan import Job, is_settled
from motifidelity.runs.trial_agreement import renew_agreement
from motifidelity.runs.unfinished import Unfinished, begin, open_unfinished
from motifidelity.scoring.score import compile_in_background
from motifidelity.scoring.truth import Truth
from motifidelity.tasks.dataset import load_dataset, require_cache
from motifidelity.tasks.spec import is_own

if TYPE_CHECKING:
    import pandas as pd

# jobs that failed before and are named
NAMED = 5


@dataclass
class Ended:
    """How a run ended: jobs finished (before or now), failed, and whether it was stopped."""

    finished: int = 0
    failed: int = 0
    interrupted: bool = False


def run_plan(
    jobs: Sequence[Job],
    registry: Registry,
    executor: Executor,
    display: Display,
    *,
    force: bool = False,
    retry_failed: bool = False,
    references: bool = False,
    logs: JobLogs | None = None,
    pack: int = 1,
    keep: bool = False,
    debug: bool = False,
) -> Ended:
    """Run the jobs of a plan that have no result yet.

    A failure of the submission is a result too and is not repeated unless asked for; a failure of
    the infrastructure is. An interrupt keeps every finished job. With ``references`` the ceilings
    and floors of the tasks that ran are recorded at the end, unless they are there. With ``logs``
    each job has a file there. Up to ``pack`` trials of a model are trained together. With ``keep``
    a trial that was stopped in training goes on from its last epoch (`unfinished`). With ``debug``
    all that a failed job printed is shown, whole stacks among it. At the end the trials of each
    model are compared with each other (`renew_agreement`).

    Raises
    ------
    UserError
        If jobs cannot be trained together that shall be, or the registry has results of another
        task of a user's own with the same name and version.
    DataError
        If the registry or the cache cannot be read or written.
    """
    registry.prepare()
    recorded = registry.jobs()
    _refuse_other_tasks(recorded, jobs, registry.name)
    before = recorded.set_index("job_id")[["status", "message"]].to_dict("index")
    ended = Ended()
    todo, failed = [], []
    for job in jobs:
        status = before.get(job.id, {}).get("status")
        if force or not is_settled(status, retry_failed):
            todo.append(job)
        elif status == "ok":
            ended.finished += 1
        else:
            ended.failed += 1
            failed.append(f"  {job.label}: {status}: {before[job.id]['message'] or 'no message'}")
    if ended.finished:
        display.note(f"{_jobs(ended.finished)} finished before, skipped (--force runs them again)")
    if ended.failed:
        display.note(f"{_jobs(ended.failed)} failed before, skipped (--retry-failed runs them):")
        for line in failed[:NAMED]:
            display.note(line)
        if len(failed) > NAMED:
            display.note(f"  and {len(failed) - NAMED} more: bench results --per-trial")
    require_cache({job.task.id: job.task for job in todo}.values())
    if todo and executor.isolation == "none" and not executor.place.warnings:
        display.note(
            "The model's code runs as a plain process, with your rights and no isolation: run only "
            "files that you trust. Its rows are marked so."
        )
    if todo:
        compile_in_background()
    groups = units(todo, pack)
    starts = accumulate((len(group) for group in groups), initial=1)
    numbered = list(zip(starts, groups, strict=False))
    truths: dict[str, Truth] = {}
    lock = threading.Lock()
    screen = _Screen(display, logs, debug=debug)
    unfinished = open_unfinished(display.note) if keep and todo else None

    def truth_of(job: Job) -> Truth:
        with lock:
            if job.task.id not in truths:
                truths[job.task.id] = Truth(load_dataset(job.task), job.profile)
            return truths[job.task.id]

    def run_unit(number: int, unit: Sequence[Job]) -> None:
        first = unit[0]
        if unfinished:
            for job in unit:
                begin(job, unfinished, screen.note)
        if len(unit) == 1:
            screen.begin(first, number, len(todo))
            run_one(first, executor)
            return
        screen.note(f"training {len(unit)} trials of {first.submission.name} together")
        screen.begin(first, number, len(todo))
        on_event = partial(screen.event, first, "fit")
        with fitted_together(unit, truth_of(first), executor, on_event, screen.note) as places:
            for offset, (job, place) in enumerate(zip(unit, places, strict=True)):
                if offset:
                    screen.begin(job, number + offset, len(todo))
                run_one(job, place)

    def run_one(job: Job, place: Executor) -> None:
        started = time.monotonic()
        kept = Unfinished(place, job, unfinished, screen.note) if unfinished else None
        on_event = partial(screen.event, job)
        outcome = run_job(job, truth_of(job), kept or place, registry, on_event)
        if kept:
            kept.end(outcome.status)
        printed = screen.end(job, outcome.status, outcome.message, time.monotonic() - started)
        with lock:
            if outcome.status == "ok":
                ended.finished += 1
            else:
                ended.failed += 1
        if outcome.status != "ok" and (more := printed or outcome.traceback):
            screen.note(more)

    try:
        if executor.place.slots > 1:
            _spread(numbered, executor, run_unit)
        else:
            for item in numbered:
                run_unit(*item)
        renew_agreement(registry, jobs, truth_of, display.note)
        if references and ended.finished:
            record_references(registry, truths.values(), note=display.note)
    except KeyboardInterrupt:
        ended.interrupted = True
    return ended


def _refuse_other_tasks(recorded: pd.DataFrame, jobs: Sequence[Job], name: str) -> None:
    """A user's own task keeps its name and version for one specification alone."""
    digests = dict(zip(recorded["task"], recorded["task_digest"], strict=True))
    for spec in {job.task.id: job.task for job in jobs if is_own(job.task)}.values():
        if digests.get(spec.id, spec.digest) != spec.digest:
            raise UserError(
                f"task {spec.id}: registry {name} has results of another specification of that "
                "name and version; give the changed file the next version, or choose another "
                "--registry"
            )


def _spread(
    units: Sequence[tuple[int, Sequence[Job]]],
    executor: Executor,
    run_unit: Callable[[int, Sequence[Job]], None],
) -> None:
    """Run units of jobs side by side, as many as the executor has room for."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(executor.place.slots) as pool:
        futures = [pool.submit(run_unit, *item) for item in units]
        try:
            for future in futures:
                future.result()
        except BaseException:
            for future in futures:
                future.cancel()
            executor.stop()
            raise


class _Screen:
    """The display and the logs of jobs that may run side by side: one event at a time."""

    def __init__(self, display: Display, logs: JobLogs | None, *, debug: bool) -> None:
        self._display = display
        self._logs = logs
        self._debug = debug
        self._printed: dict[str, str] = {}
        self._lock = threading.Lock()

    def note(self, text: str) -> None:
        with self._lock:
            self._display.note(text)

    def begin(self, job: Job, number: int, of: int) -> None:
        with self._lock:
            self._display.begin(job, number, of)
            if self._logs:
                self._logs.begin(job)

    def event(self, job: Job, phase: str, event: Event) -> None:
        with self._lock:
            self._display.event(job, phase, event)
            if self._debug and event["event"] == "output":
                self._printed[job.id] = str(event["text"])
            if self._logs:
                self._logs.event(job, phase, event)

    def end(self, job: Job, status: str, message: str, seconds: float) -> str:
        """Say how a job ended; what its last phase printed, where that is to be shown."""
        with self._lock:
            self._display.end(job, status, message, seconds)
            if self._logs:
                self._logs.end(job, status, message)
            return self._printed.pop(job.id, "")


def _jobs(number: int) -> str:
    return f"{number} job{'s' if number != 1 else ''}"
