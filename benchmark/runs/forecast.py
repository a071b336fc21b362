"""How long a plan takes, said before it starts, from what was measured on this machine.

Best is what the same jobs took; else an epoch that was measured once, by a run of another profile,
by ``bench check``, or by a calibration of seconds, which is an upper bound of the training alone.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from motifidelity.files import atomic_path
from motifidelity.provenance import environment
from motifidelity.registry import Registry
from motifidelity.runs.display import duration
from motifidelity.runs.plan import Job, is_settled
from motifidelity.tasks.dataset import cache_folder
from motifidelity.tasks.spec import Profile, TaskSpec, canonical_digest

# a forward pass is about a third of a training step: forward, and backward at twice its cost
FORWARD = 1 / 3
# a calibration trains on so many sequences in all; a plan is worth one from so many times that
CALIBRATION = 2000
WORTH_CALIBRATING = 100
# of a machine's description, what its speed depends on
_SPEED = ("cpu", "cores", "machine")

Row = Mapping[str, Any]


def sequences(spec: TaskSpec, profile: Profile) -> float:
    """Cost of an epoch in training sequences."""
    train, valid = (spec.size(profile, split) for split in ("train", "valid"))
    return train + FORWARD * valid


@dataclass(frozen=True)
class Forecast:
    """What a plan has left, and how long that takes, one job after the other.

    Attributes
    ----------
    of : int
        Jobs of the plan.
    settled : mapping of str to str
        Status of those that will be skipped, by their ids.
    seconds : float
        What jobs like them took: of those whose like has run here.
    epochs : float
        Seconds of the other jobs' training, to the last epoch that is allowed.
    bounded, unknown : int
        Jobs of which an epoch alone was measured; jobs of which nothing was.
    slots : int
        Jobs at the same time.
    where : str
        Where the like of them ran.
    """

    of: int
    settled: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    epochs: float = 0.0
    bounded: int = 0
    unknown: int = 0
    slots: int = 1
    where: str = "here"

    @property
    def left(self) -> int:
        """Jobs to run."""
        return self.of - len(self.settled)

    def __str__(self) -> str:
        if not self.left:
            return f"{_jobs(self.of)}, none to run"
        of = f" of {self.of}" if self.settled else ""
        text = f"{self.left}{of} {'job' if self.left + self.of == 2 else 'jobs'} to run"
        parts = []
        known = self.left - self.bounded - self.unknown
        if known:
            parts.append(f"about {self._shared(self.seconds)}, by what such jobs took {self.where}")
        if self.bounded:
            parts.append(
                f"at most {self._shared(self.epochs)} of training, by an epoch measured "
                f"{self.where}; probing and scoring come on top"
            )
        if self.unknown and (known or self.bounded):
            parts.append(f"{self.unknown} with nothing measured yet")
        elif self.unknown:
            parts.append("nothing like it was measured here yet")
        return f"{text}: {'; '.join(parts)}"

    def _shared(self, seconds: float) -> str:
        slots = min(self.slots, self.left)
        together = f" with {slots} at a time" if slots > 1 else ""
        return f"{duration(seconds / slots)}{together}"


def forecast(
    jobs: Sequence[Job],
    registry: Registry,
    *,
    slots: int = 1,
    force: bool = False,
    retry_failed: bool = False,
    anywhere: bool = False,
) -> Forecast:
    """Say what is left of a plan and how long it takes.

    Parameters
    ----------
    jobs : sequence of Job
    registry : Registry
    slots : int
        Jobs at the same time.
    force, retry_failed : bool
        As of `run_plan`.
    anywhere : bool
        Whether it counts what other machines took, and files with other parameters, as those of a
        grid of activations.
    """
    rows = registry.latest("jobs")["jobs"].to_pylist()
    before = {row["job_id"]: row["status"] for row in rows}
    settled = {
        job.id: before[job.id]
        for job in jobs
        if not force and is_settled(before.get(job.id), retry_failed)
    }
    here = [row for row in rows if row["status"] == "ok" and (anywhere or _of_this_machine(row))]
    seconds = epochs = 0.0
    bounded = unknown = 0
    for job in jobs:
        if job.id in settled:
            continue
        alike = [row for row in here if _like(row, job, any_parameters=anywhere)]
        if took := [_seconds(row) for row in alike if row["profile"] == job.profile.name]:
            seconds += median(took)
        elif pace := _pace(job, alike):
            epochs += pace * sequences(job.task, job.profile) * job.profile.max_epochs
            bounded += 1
        else:
            unknown += 1
    where = "before, wherever they ran" if anywhere else "here"
    return Forecast(len(jobs), settled, seconds, epochs, bounded, unknown, slots, where)


def worth_calibrating(jobs: Sequence[Job], found: Forecast) -> list[Job]:
    """A job of each task and network of which nothing is known, where the plan is long."""
    if not found.unknown or any(j.submission.own_fit or j.submission.weights for j in jobs):
        return []
    todo = [job for job in jobs if job.id not in found.settled]
    work = sum(sequences(job.task, job.profile) * job.profile.max_epochs for job in todo)
    if work < WORTH_CALIBRATING * CALIBRATION:
        return []
    first: dict[str, Job] = {}
    for job in todo:
        if read_pace(job) is None:
            first.setdefault(_key(job), job)
    return list(first.values())


def note_pace(job: Job, history: Iterable[Mapping[str, float]]) -> None:
    """Keep what an epoch of a short training took here; a cache that is not writable keeps nothing.

    Parameters
    ----------
    job : Job
        With the profile that it was trained with.
    history : iterable of mapping
        As the worker writes it.
    """
    took = [row["seconds"] for row in history if row.get("seconds", 0) > 0]
    if not took:
        return
    # the first epoch also compiles
    pace = took[-1] / sequences(job.task, job.profile)
    with contextlib.suppress(OSError), atomic_path(_file(job)) as path:
        path.write_text(json.dumps({"seconds_per_sequence": pace}), encoding="utf-8")


def read_pace(job: Job) -> float | None:
    """Seconds a training sequence that were measured of a network here, if any were."""
    try:
        found = json.loads(_file(job).read_text(encoding="utf-8"))["seconds_per_sequence"]
        return float(found) if found > 0 else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _pace(job: Job, rows: Iterable[Row]) -> float | None:
    """Seconds a training sequence, from such a run of another profile or a short training."""
    if job.submission.own_fit or job.submission.weights:
        return None
    took = [
        row["seconds_fit"] / row["epochs"] / sequences(job.task, job.task.profiles[row["profile"]])
        for row in rows
        if row["epochs"] and row["seconds_fit"] and row["profile"] in job.task.profiles
    ]
    return read_pace(job) or (median(took) if took else None)


def _like(row: Row, job: Job, *, any_parameters: bool = False) -> bool:
    """Whether a row is of the same network on the same task."""
    return (
        row["model_digest"] == job.submission.digest
        and row["task"] == job.task.id
        and row["backend"] == job.submission.backend
        and (any_parameters or json.loads(row["params"]) == dict(job.params))
    )


def _seconds(row: Row) -> float:
    return sum(row[name] or 0.0 for name in ("seconds_fit", "seconds_probe", "seconds_score"))


def _machine(description: str) -> tuple[Any, ...]:
    try:
        found = json.loads(description)
        return tuple(found.get(name) for name in _SPEED)
    except (ValueError, AttributeError):
        return ()


def _of_this_machine(row: Row) -> bool:
    return _machine(row["environment"]) == _machine(environment())


def _key(job: Job) -> str:
    submission = job.submission
    return canonical_digest(
        {
            "model": submission.digest,
            "params": dict(job.params),
            "backend": submission.backend,
            "task": job.task.training_digest,
            "image": job.image,
            "machine": _machine(environment()),
        }
    )


def _file(job: Job) -> Path:
    return cache_folder() / "paces" / f"{_key(job)[:24]}.json"


def _jobs(number: int) -> str:
    return f"{number} job{'s' if number != 1 else ''}"
