"""The study's grid as one plan: which networks, activations and trials, in which order."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from pathlib import Path
from statistics import median

from motifidelity.errors import UserError, unknown
from motifidelity.plan import Job
from motifidelity.registry import Registry
from motifidelity.submission import Submission, on_backend, read_submission
from motifidelity.tasks.spec import find_spec


@dataclass(frozen=True)
class Part:
    """One part of the grid: every model with every activation, so many trials each."""

    name: str
    summary: str
    models: tuple[str, ...]
    activations: tuple[str, ...]
    trials: int


@dataclass(frozen=True)
class Study:
    """The grid, and the task that each model is trained on."""

    tasks: Mapping[str, str]
    parts: Mapping[str, Part]


@cache
def read_study() -> Study:
    """The study's grid as it is declared in ``study.toml``."""
    text = (resources.files("motifidelity") / "study.toml").read_text(encoding="utf-8")
    raw = tomllib.loads(text)
    parts = [
        Part(p["name"], p["summary"], tuple(p["models"]), tuple(p["activations"]), p["trials"])
        for p in raw["part"]
    ]
    return Study(raw["tasks"], {part.name: part for part in parts})


def plan_study(
    parts: Sequence[str] = (),
    cells: Sequence[str] = (),
    trials: int | None = None,
    profile: str = "full",
    image: str | None = None,
    backend: str | None = None,
) -> list[Job]:
    """Jobs of the grid: part by part, in a part trial by trial, each job once.

    Parameters
    ----------
    parts : sequence of str
        Names of parts; default: all.
    cells : sequence of str
        Patterns such as ``cnn_deep/relu`` or ``*/exponential``; default: all.
    trials : int, optional
        Trials of every cell; default: the part's own.
    profile : str
    image : str, optional
        Digest of the container image that the jobs run in.
    backend : str, optional
        What Keras runs on; default: as the models' files say.

    Raises
    ------
    UserError
        If a part does not exist, or no cell fits a pattern.
    """
    study = read_study()
    for name in parts:
        if name not in study.parts:
            raise unknown("part", name, study.parts)
    chosen = [part for part in study.parts.values() if not parts or part.name in parts]
    names = [f"{m}/{a}" for part in chosen for m in part.models for a in part.activations]
    for pattern in cells:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise UserError(
                f"no cell of the study is named '{pattern}'; cells are MODEL/ACTIVATION, such as "
                f"{names[0]}, and * stands for anything"
            )
    submissions = {
        model: on_backend(
            read_submission(Path(str(resources.files("motifidelity.models") / f"{model}.py"))),
            backend,
        )
        for part in chosen
        for model in part.models
    }
    jobs: dict[str, Job] = {}
    for part in chosen:
        for trial in range(part.trials if trials is None else trials):
            for model in part.models:
                for activation in part.activations:
                    if cells and not any(
                        fnmatchcase(f"{model}/{activation}", pattern) for pattern in cells
                    ):
                        continue
                    task = study.tasks[model]
                    job = _job(submissions[model], task, activation, trial, profile, image)
                    jobs.setdefault(job.id, job)
    return list(jobs.values())


def _job(
    submission: Submission,
    task: str,
    activation: str,
    trial: int,
    profile: str,
    image: str | None,
) -> Job:
    spec = find_spec(task)
    params = submission.parameters((f"activation={activation}",))
    return Job(submission, params, spec, spec.profile(profile), trial, trial, image)


def estimate(jobs: Sequence[Job], registry: Registry) -> tuple[float, int]:
    """Seconds that unfinished jobs should take, and how many of these nothing is known about.

    The median of the finished jobs of the same model, task and profile stands for a job; jobs of
    models without one are not in the sum.
    """
    rows = registry.latest("jobs")["jobs"].to_pylist()
    finished = {row["job_id"] for row in rows if row["status"] == "ok"}
    spent: dict[tuple[str, str, str], list[float]] = {}
    for row in rows:
        if row["status"] == "ok":
            key = (row["model"], row["task"], row["profile"])
            phases = (row["seconds_fit"], row["seconds_probe"], row["seconds_score"])
            spent.setdefault(key, []).append(sum(value or 0.0 for value in phases))
    total, unknown_jobs = 0.0, 0
    for job in jobs:
        if job.id in finished:
            continue
        known = spent.get((job.submission.name, job.task.id, job.profile.name))
        if known:
            total += median(known)
        else:
            unknown_jobs += 1
    return total, unknown_jobs
