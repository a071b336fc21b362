"""The plan: jobs = task x model x parameters x trial, each with a content-addressed id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from motifidelity.backends import DEFAULT_BACKEND
from motifidelity.errors import UserError
from motifidelity.model_file import Submission
from motifidelity.tasks.spec import Profile, TaskSpec, canonical_digest

# of NumPy's and Keras's generators
LARGEST_SEED = 2**32 - 1


@dataclass(frozen=True)
class Job:
    """One network to train and probe.

    ``seed`` is the trial's own: the run's first seed plus the trial's number.
    """

    submission: Submission
    params: Mapping[str, Any]
    task: TaskSpec
    profile: Profile
    trial: int
    seed: int
    image: str | None = None

    @property
    def id(self) -> str:
        """As `job_id` has it."""
        submission = self.submission
        return job_id(
            submission.digest,
            self.params,
            self.task,
            self.profile,
            seed=self.seed,
            image=self.image,
            backend=submission.backend,
        )

    @property
    def label(self) -> str:
        """How people are shown the job."""
        params = " ".join(f"{k}={v}" for k, v in sorted(self.params.items()))
        name, weights = self.submission.name, self.submission.weights
        if weights:
            name += f" with {weights.path.name}"
        return f"{name} {params} on {self.task.id}, trial {self.trial}".replace("  ", " ")


def job_id(
    model_digest: str,
    params: Mapping[str, Any],
    task: TaskSpec,
    profile: Profile,
    *,
    seed: int,
    image: str | None,
    backend: str,
) -> str:
    """Digest of all that decides the trained network: equal jobs have equal ids anywhere.

    Metrics are left out on purpose: a new version of them scores stored networks and arrays again
    without training. The task's version is in from the second on: its first results are then not
    the latest ones of the version before, even where both train alike.
    """
    # defaults are left out, so that jobs keep the ids that they had before there was another
    other = {} if backend == DEFAULT_BACKEND else {"backend": backend}
    version = {} if task.version == 1 else {"version": task.version}
    return canonical_digest(
        {
            "model": model_digest,
            "params": dict(params),
            "task": task.training_digest,
            "profile": profile.training,
            "seed": seed,
            "image": image,
            **other,
            **version,
        }
    )[:24]


def is_settled(status: str | None, retry_failed: bool = False) -> bool:
    """Whether a job whose latest result ended so stays as it is; None has no result yet."""
    if status in (None, "infra_error"):
        return False
    return status == "ok" or not retry_failed


def plan_jobs(
    submission: Submission,
    params: Mapping[str, Any],
    tasks: Iterable[TaskSpec],
    profile: str,
    trials: int | None,
    seed: int,
    image: str | None = None,
) -> list[Job]:
    """Jobs of one run, trial by trial, so that every task has a first result early.

    Raises
    ------
    UserError
        If a task has no such profile, or a seed is larger than random generators take.
    """
    jobs = []
    for task in tasks:
        chosen = task.profile(profile)
        number = chosen.trials if trials is None else trials
        last = seed + number - 1
        if last > LARGEST_SEED:
            raise UserError(
                f"--seed: trials would go up to seed {last}, and the largest is {LARGEST_SEED}; "
                "give a smaller one"
            )
        jobs += [
            Job(submission, params, task, chosen, trial, seed + trial, image)
            for trial in range(number)
        ]
    return sorted(jobs, key=lambda job: job.trial)
