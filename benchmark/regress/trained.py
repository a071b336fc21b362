"""Scores of quick trained runs: a small fixed matrix, trained here or taken from a registry."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from motifidelity.errors import DataError
from motifidelity.regress.drift import ERROR
from motifidelity.regress.fingerprint import Observed
from motifidelity.regress.golden import Key, Recorded, measure
from motifidelity.regress.matrix import subject_of
from motifidelity.tasks.spec import TaskSpec, latest_specs

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
    """One network of the latest version of each task: baseline, activation, task."""
    return [(*NETWORKS.get(spec.target, OF_OTHERS), spec) for spec in latest_specs().values()]


def observe_trained(source: Path | None, say: Callable[[str], None], seed: int = 0) -> Found:
    """Scores of the matrix for one seed.

    Parameters
    ----------
    source : Path, optional
        Registry that holds quick results of the matrix; default: train here.
    say : callable
        Receives a line for each network that is trained.
    seed : int

    Raises
    ------
    DataError
        If the registry cannot be read.
    """
    from motifidelity.scratch import scratch_folder

    if source is not None:
        if not source.is_dir():
            raise DataError(f"registry {source}: no such folder; give another with --from")
        return _scores(source, seed)
    with scratch_folder() as folder:
        _train(folder, say, seed)
        return _scores(folder, seed)


def measured_trained(say: Callable[[str], None]) -> tuple[dict[Key, Recorded], str]:
    """Scores of the first seed, with tolerances measured over several seeds.

    Raises
    ------
    DataError
        If a network fails.
    """
    runs = [observe_trained(None, say, seed) for seed in range(SEEDS)]
    for run in runs:
        for key, value in run.items():
            if key[2] == ERROR:
                raise DataError(f"{key[1]}: {value.value}")
    return (
        measure(runs, factor=FACTOR, floor=STEPS),
        f"{SEEDS} seeds: {FACTOR:g} x their range, at least {STEPS:g} of the smallest steps",
    )


def _train(folder: Path, say: Callable[[str], None], seed: int) -> None:
    from motifidelity.executors.process import ProcessExecutor
    from motifidelity.model_file import read_submission
    from motifidelity.registry import Registry
    from motifidelity.regress.baselines import baseline_files
    from motifidelity.runs.display import PlainDisplay
    from motifidelity.runs.plan import plan_jobs
    from motifidelity.runs.run import run_plan

    files = {path.name: path for path in baseline_files()}
    jobs = []
    for file, activation, task in matrix():
        submission = read_submission(files[file])
        params = submission.parameters((f"activation={activation}",))
        jobs += plan_jobs(submission, params, [task], PROFILE, 1, seed)
    say(f"training {len(jobs)} networks at profile {PROFILE}, seed {seed}")
    run_plan(jobs, Registry(folder), ProcessExecutor(), PlainDisplay())


def _scores(folder: Path, seed: int) -> Found:
    """Whole-task scores of the matrix in a registry; what is missing or failed is an error."""
    from motifidelity.registry import Registry

    tables = Registry(folder).latest("jobs", "scores")
    jobs = [row for row in tables["jobs"].to_pylist() if row["profile"] == PROFILE]
    by_result: dict[str, list[dict[str, object]]] = {}
    for row in tables["scores"].to_pylist():
        by_result.setdefault(row["result_id"], []).append(row)
    found: Found = {}
    for file, activation, task in matrix():
        mine = [
            row
            for row in jobs
            if row["model_file"] == file
            and row["task"] == task.id
            and row["seed"] == seed
            and json.loads(row["params"]) == {"activation": activation}
        ]
        if not mine:
            key = ("scores", f"{file} activation={activation} on {task.name}", ERROR)
            found[key] = Observed(
                f"no result of seed {seed} at profile {PROFILE}; 'bench run --model models/{file} "
                f"--param activation={activation} --task {task.name} --profile {PROFILE} "
                f"--registry {folder}' makes one"
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


def _step(metric: str, number: int) -> float:
    """Step that a score moves by: one, for a count; one filter, for a share of filters."""
    from motifidelity.metrics.declare import all_metrics

    declared = all_metrics().get(metric)
    if declared is not None and declared.family == "filters":
        is_count = declared.low == 0 and (declared.high is None or declared.high > 1)
        return 1.0 if is_count else 1.0 / max(number, 1)
    # of an area or a mean, which have no steps of their own
    return 0.005
