"""Scores of quick trained runs: a small fixed matrix, trained here or taken from a registry."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from motifidelity.backends import DEFAULT_BACKEND
from motifidelity.errors import DataError, UserError
from motifidelity.model_file import Submission, on_backend, read_submission
from motifidelity.regress.drift import ERROR
from motifidelity.regress.fingerprint import Observed
from motifidelity.regress.golden import Key, Recorded, measure
from motifidelity.regress.survey import Case, subject_of
from motifidelity.tasks.spec import TaskSpec, alike_specs, find_spec, latest_specs

# file of the baseline and its activation, by the kind of a task's target
NETWORKS = {"multi-label": ("cnn_2.py", "relu")}
OF_OTHERS = ("cnn_local.py", "exponential")
PROFILE = "quick"
# trained scores are measured over seeds: rounding that differs can lead as far as another seed
SEEDS = 3
FACTOR = 2.0
# a count of filters may come out equal for every seed: so many of its steps are tolerated at least
STEPS = 2.0
Found = dict[Key, Observed]


def matrix() -> list[tuple[str, str, TaskSpec]]:
    """One network of each task that a first run takes: baseline, activation, task.

    Versions that only score otherwise train the same networks: of these the first with the profile.
    """
    found = []
    for latest in (spec for spec in latest_specs().values() if spec.default):
        with_profile = (spec for spec in alike_specs(latest) if PROFILE in spec.profiles)
        if first := next(with_profile, None):
            found.append((*NETWORKS.get(first.target, OF_OTHERS), first))
    return found


@dataclass(frozen=True)
class Training:
    """A network to train; ``own`` tells whether its file is none of the suite's."""

    submission: Submission
    params: Mapping[str, Any]
    task: TaskSpec
    own: bool = False

    @property
    def every_param(self) -> dict[str, Any]:
        """Parameters with the file's defaults, as a job has them."""
        return {**self.submission.defaults, **self.params}


def trainings(cases: Sequence[Case] | None = None) -> list[Training]:
    """What is trained of a folder's networks.

    Parameters
    ----------
    cases : sequence of Case, optional
        Its networks: of the suite's own those of `matrix` stand for all, each other file that is
        there is trained for itself, unless its weights were given. Default: `matrix`.

    Raises
    ------
    UserError
        If no file of theirs is there.
    """
    from motifidelity.regress.baselines import baseline_files

    found = []
    if cases is None or any(case.file and not case.own for case in cases):
        files = {path.name: path for path in baseline_files()}
        found += [
            Training(read_submission(files[file]), {"activation": activation}, task)
            for file, activation, task in matrix()
        ]
    for case in cases or ():
        if case.own and case.file is not None and case.weights is None:
            submission = on_backend(read_submission(case.file), case.backend)
            found.append(Training(submission, case.params, find_spec(case.task), own=True))
    if not found:
        raise UserError("no model file was found to train; give its folder with --models")
    return found


def observe_trained(
    source: Path | None,
    say: Callable[[str], None],
    seed: int = 0,
    cases: Sequence[Case] | None = None,
) -> Found:
    """Scores of trained networks for one seed.

    Parameters
    ----------
    source : Path, optional
        Registry that holds quick results of them; default: train here.
    say : callable
        Receives a line for each network that is trained.
    seed : int
    cases : sequence of Case, optional
        As of `trainings`.

    Raises
    ------
    UserError
        If no file to train is there.
    DataError
        If the registry cannot be read.
    """
    from motifidelity.scratch import scratch_folder

    wanted = trainings(cases)
    if source is not None:
        if not source.is_dir():
            raise DataError(f"registry {source}: no such folder; give another with --from")
        return _scores(wanted, source, seed)
    with scratch_folder() as folder:
        _train(wanted, folder, say, seed)
        return _scores(wanted, folder, seed)


def measured_trained(
    say: Callable[[str], None], cases: Sequence[Case] | None = None
) -> tuple[dict[Key, Recorded], str]:
    """Scores of the first seed, with tolerances measured over several seeds.

    Raises
    ------
    UserError
        If no file to train is there.
    DataError
        If a network fails.
    """
    runs = [observe_trained(None, say, seed, cases) for seed in range(SEEDS)]
    for run in runs:
        for key, value in run.items():
            if key[2] == ERROR:
                raise DataError(f"{key[1]}: {value.value}")
    return (
        measure(runs, factor=FACTOR, floor=STEPS),
        f"{SEEDS} seeds: {FACTOR:g} x their range, at least {STEPS:g} of the smallest steps",
    )


def _train(wanted: Sequence[Training], folder: Path, say: Callable[[str], None], seed: int) -> None:
    from motifidelity.executors.process import ProcessExecutor
    from motifidelity.registry import Registry
    from motifidelity.runs.display import PlainDisplay
    from motifidelity.runs.plan import plan_jobs
    from motifidelity.runs.run import run_plan

    jobs = []
    for one in wanted:
        jobs += plan_jobs(one.submission, one.every_param, [one.task], PROFILE, 1, seed)
    say(f"training {len(jobs)} network{'s' * (len(jobs) != 1)} at profile {PROFILE}, seed {seed}")
    run_plan(jobs, Registry(folder), ProcessExecutor(), PlainDisplay())


def _scores(wanted: Sequence[Training], folder: Path, seed: int) -> Found:
    """Whole-task scores of the networks in a registry; what is missing or failed is an error."""
    from motifidelity.registry import Registry

    tables = Registry(folder).latest("jobs", "scores")
    jobs = [row for row in tables["jobs"].to_pylist() if row["profile"] == PROFILE]
    by_result: dict[str, list[dict[str, object]]] = {}
    for row in tables["scores"].to_pylist():
        by_result.setdefault(row["result_id"], []).append(row)
    found: Found = {}
    for one in wanted:
        mine = [row for row in jobs if row["seed"] == seed and _is_of(row, one)]
        if not mine:
            key = ("scores", _name_of(one), ERROR)
            found[key] = Observed(
                f"no result of seed {seed} at profile {PROFILE}; '{_command(one, folder)}' makes "
                "one"
            )
            continue
        row = mine[-1]
        subject = subject_of(row["model"], json.loads(row["params"]), row["task"])
        if row["status"] != "ok":
            found["scores", subject, ERROR] = Observed(f"{row['status']}: {row['message']}")
            continue
        for score in by_result.get(row["result_id"], []):
            if score["target"] is None:
                method = f" [{score['method']}]" if score["method"] else ""
                metric, number = str(score["metric"]), int(str(score["n"]))
                found["scores", subject, metric + method] = Observed(
                    float(str(score["value"])), _step(metric, number)
                )
    return found


def _is_of(row: Mapping[str, Any], one: Training) -> bool:
    """Whether a row is of a network to train; of a file that is not the suite's, of its bytes."""
    return (
        row["model_file"] == one.submission.path.name
        and row["task"] == one.task.id
        and json.loads(row["params"]) == one.every_param
        and (not one.own or row["model_digest"] == one.submission.digest)
        and (not one.own or (row["backend"] or DEFAULT_BACKEND) == one.submission.backend)
    )


def _name_of(one: Training) -> str:
    if one.own:
        return subject_of(one.submission.name, one.every_param, one.task.id)
    params = " ".join(f"{name}={value}" for name, value in one.params.items())
    return f"{one.submission.path.name} {params} on {one.task.id}"


def _command(one: Training, folder: Path) -> str:
    path = one.submission.path if one.own else f"models/{one.submission.path.name}"
    params = "".join(f" --param {name}={value}" for name, value in one.params.items())
    return (
        f"bench run --model {path}{params} --task {one.task.id} --profile {PROFILE} "
        f"--registry {folder}"
    )


def _step(metric: str, number: int) -> float:
    """Step that a score moves by: one, for a count; one filter, for a share of filters."""
    from motifidelity.metrics.declare import all_metrics

    declared = all_metrics().get(metric)
    if declared is not None and declared.family == "filters":
        is_count = declared.low == 0 and (declared.high is None or declared.high > 1)
        return 1.0 if is_count else 1.0 / max(number, 1)
    # of an area or a mean, which have no steps of their own
    return 0.005
