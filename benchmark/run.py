"""Run a plan: skip what is finished, run the rest, lose nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from motifidelity.executors.base import Executor
from motifidelity.jobs import run_job
from motifidelity.plan import Job
from motifidelity.progress import Display
from motifidelity.registry import Registry
from motifidelity.scoring import Truth
from motifidelity.tasks.dataset import load_dataset


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
) -> Ended:
    """Run the jobs of a plan that have no result yet.

    A failure of the submission is a result too and is not repeated unless asked for; a failure of
    the infrastructure is. An interrupt keeps every finished job.

    Raises
    ------
    DataError
        If the registry or the cache cannot be read or written.
    """
    registry.prepare()
    before = registry.jobs().set_index("job_id")["status"].to_dict()
    ended = Ended()
    todo = []
    for job in jobs:
        status = before.get(job.id)
        if force or status is None or status == "infra_error":
            todo.append(job)
        elif status == "ok":
            ended.finished += 1
        elif retry_failed:
            todo.append(job)
        else:
            ended.failed += 1
    if ended.finished:
        display.note(f"{_jobs(ended.finished)} finished before, skipped (--force runs them again)")
    if ended.failed:
        display.note(f"{_jobs(ended.failed)} failed before, skipped (--retry-failed runs them)")
    if todo and executor.isolation == "none":
        display.note(
            "The model's code runs as a plain process, with your rights and no isolation: run only "
            "files that you trust. Its rows are marked so."
        )
    truths: dict[str, Truth] = {}
    try:
        for number, job in enumerate(todo, start=1):
            if job.task.id not in truths:
                truths[job.task.id] = Truth(load_dataset(job.task), job.profile)
            display.begin(job, number, len(todo))
            started = time.monotonic()
            outcome = run_job(job, truths[job.task.id], executor, registry, display.event)
            display.end(job, outcome.status, outcome.message, time.monotonic() - started)
            if outcome.status == "ok":
                ended.finished += 1
            else:
                ended.failed += 1
                if outcome.traceback:
                    display.note(outcome.traceback)
    except KeyboardInterrupt:
        ended.interrupted = True
    return ended


def _jobs(number: int) -> str:
    return f"{number} job{'s' if number != 1 else ''}"
